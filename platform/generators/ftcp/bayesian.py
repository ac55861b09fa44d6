"""Bayesian search in the latent space: a Gaussian process on known crystals, asked where the target band is likely.

What is maximised is the probability that all properties lie in their windows, the success that the paper counts.
A batch is made point by point, each taken for known at its mean before the next (kriging believer).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.special import ndtr

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

COMPONENTS: Final = 16
"""Principal components of the latent points that the process sees."""
KNOWN: Final = 600
"""Known crystals that it learns from at most."""
NOISE: Final = 0.1
"""Variance of a label that the process does not explain, in units of all variance."""
LENGTHS: Final = (0.5, 1.0, 2.0, 4.0)
"""Length scales tried, in units of the median distance of two points."""


@dataclass(frozen=True)
class Process:
    """A Gaussian process of one property.

    Parameters
    ----------
    x
        (n, d) known points.
    y
        (n,) standardised values.
    length
        Of the squared exponential kernel.
    """

    x: Array
    y: Array
    length: float

    @classmethod
    def fit(cls, x: Array, y: Array) -> Process:
        """The length scale of the largest marginal likelihood among a few."""
        typical = float(np.median(np.linalg.norm(x[:, None] - x[None], axis=-1))) or 1.0
        return max((cls(x, y, share * typical) for share in LENGTHS), key=lambda process: process.evidence())

    def evidence(self) -> float:
        """Logarithm of the marginal likelihood, up to a constant."""
        factor = self._factor()
        return float(-0.5 * self.y @ cho_solve(factor, self.y) - np.log(np.diag(factor[0])).sum())

    def predict(self, x: Array) -> tuple[Array, Array]:
        """(m,) mean and standard deviation at (m, d) points, noise included."""
        cross, factor = self._kernel(x, self.x), self._factor()
        mean = cross @ cho_solve(factor, self.y)
        explained = np.einsum("mn,nm->m", cross, cho_solve(factor, cross.T))
        return mean, np.sqrt(np.maximum(1 - explained, 1e-9) + NOISE)

    def _kernel(self, one: Array, other: Array) -> Array:
        squared = ((one[:, None] - other[None]) ** 2).sum(-1)
        return np.asarray(np.exp(-squared / (2 * self.length**2)))

    def _factor(self) -> tuple[Array, bool]:
        return cho_factor(self._kernel(self.x, self.x) + NOISE * np.eye(len(self.x)), lower=True)


def choose(known: Array, values: Array, windows: Array, candidates: Array, n: int) -> NDArray[np.int64]:
    """Indices of `n` candidates, likeliest first.

    Parameters
    ----------
    known
        (m, latent) latent points of known crystals, those nearest to the target first.
    values
        (m, n_windows) their properties, NaN where unknown.
    windows
        (n_windows, 2) value and tolerance.
    candidates
        (k, latent) points to choose from.
    """
    rows = np.flatnonzero(np.isfinite(values).all(axis=1))
    if len(rows) < 3:
        return np.arange(min(n, len(candidates)))
    rows = np.unique(np.concatenate([rows[: KNOWN // 2], rows[:: max(1, 2 * len(rows) // KNOWN)]]))
    centre = known[rows].mean(axis=0)
    axes = np.linalg.svd(known[rows] - centre, full_matrices=False)[2][:COMPONENTS]
    x, points = (known[rows] - centre) @ axes.T, (candidates - centre) @ axes.T
    shift, span = values[rows].mean(axis=0), np.maximum(values[rows].std(axis=0), 1e-9)
    processes = [Process.fit(x, column) for column in ((values[rows] - shift) / span).T]
    bands = np.stack([(windows[:, 0] - windows[:, 1] - shift) / span, (windows[:, 0] + windows[:, 1] - shift) / span])
    chosen: list[int] = []
    step = max(1, n // 8)  # the process is renewed eight times a batch
    left = np.ones(len(points), dtype=bool)
    while len(chosen) < min(n, len(points)):
        predicted = [process.predict(points) for process in processes]
        likely = np.prod([_inside(*found, *band) for found, band in zip(predicted, bands.T, strict=True)], axis=0)
        best = np.argsort(-np.where(left, likely, -1.0), kind="stable")[: min(step, n - len(chosen), int(left.sum()))]
        chosen += best.tolist()
        left[best] = False
        processes = [
            Process(np.concatenate([p.x, points[best]]), np.concatenate([p.y, mean[best]]), p.length)
            for p, (mean, _) in zip(processes, predicted, strict=True)
        ]
    return np.array(chosen, dtype=np.int64)


def _inside(mean: Array, spread: Array, low: float, high: float) -> Array:
    return np.asarray(ndtr((high - mean) / spread) - ndtr((low - mean) / spread))
