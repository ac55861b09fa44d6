"""A Gaussian process whose kernel is a sum of parts, each on features of its own.

Scales and lengths are those of greatest posterior density, with a normal prior on their logarithms about what the data
suggest (Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, chapters 2 and 5): it fits from a few
tens of labels on, in a fraction of a second for a few hundred.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.linalg import LinAlgError, cho_solve, cholesky, solve_triangular
from scipy.optimize import minimize

from fermiloop.platform.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Rows = NDArray[np.int64]

JITTER: Final = 1e-6
NOISE: Final = 0.03
"""Variance of what the features do not explain, in that of the labels, where the search for it starts."""
STEPS: Final = 25
"""Of the search for scales and lengths, the first time ..."""
LATER_STEPS: Final = 10
"""... and from where the last one ended."""
IMPOSSIBLE: Final = 1e10
KINDS: Final = ("linear", "matern", "exponential")
ROOT5: Final = float(np.sqrt(5))


@dataclass(frozen=True)
class KernelPart:
    """One summand.

    Parameters
    ----------
    features
        (n, d) of all crystals, those to be foretold too.
    kind
        ``"linear"``, the inner product to a power, or of the distance ``"matern"`` (order 5/2, smooth) or
        ``"exponential"`` (order 1/2, rough).
    power
        Of the inner product.
    """

    features: Array
    kind: str
    power: int = 1

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError(f"{self.kind!r} is no kernel; known are {', '.join(KINDS)}.")

    def between(self, rows: Rows, others: Rows) -> Array:
        """(len(rows), len(others)) powers of inner products, or distances per root of the number of features."""
        a, b = self.features[rows], self.features[others]
        products = a @ b.T
        if self.kind == "linear":
            return np.asarray(products**self.power)
        squares = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)[None] - 2 * products
        return np.asarray(np.sqrt(np.maximum(squares, 0) / a.shape[1]))


class KernelProcess:
    """A process over the crystals that its parts describe.

    Parameters
    ----------
    parts
        Of the kernel, all of as many crystals.
    """

    def __init__(self, parts: Sequence[KernelPart]) -> None:
        self.parts = tuple(parts)
        self.rows: Rows = np.zeros(0, dtype=int)
        self._everyone = np.arange(len(self.parts[0].features))
        self._between = [np.zeros((0, len(self._everyone)))] * len(self.parts)
        self._norms = [(part.features**2).sum(axis=1) ** part.power for part in self.parts]
        self._last: Array | None = None

    def fit(self, rows: Rows, values: Array) -> None:
        """Learn the labels of some crystals; a second time the search starts where the last one ended.

        Parameters
        ----------
        rows
            (m,) places of the labelled crystals, at least two.
        values
            (m,) their finite labels.

        Raises
        ------
        InputError
            If there are fewer than two labels or one is not finite.
        """
        if len(rows) < 2 or len(rows) != len(values) or not np.isfinite(values).all():
            raise InputError(f"A process needs two or more finite labels, one a crystal; {len(values)} were given.")
        self._meet(rows)
        self.middle, self.spread = float(values.mean()), float(values.std()) or 1.0
        scaled = (values - self.middle) / self.spread
        between = [known[:, rows] for known in self._between]
        prior = self._prior(between)
        start, steps = (prior, STEPS) if self._last is None else (self._last, LATER_STEPS)
        found = minimize(self._loss, start, (between, scaled, prior), "L-BFGS-B", jac=True, options={"maxiter": steps})
        self._last = found.x
        self.noise = float(np.exp(found.x[-1]))
        kernel = sum((value for value, _ in self._kernels(between, found.x)), np.zeros((len(rows),) * 2))
        self.root = cholesky(kernel + (self.noise + JITTER) * np.eye(len(rows)), lower=True)
        self.weights = cho_solve((self.root, True), scaled)

    def predict(self, rows: Rows) -> tuple[Array, Array]:
        """Mean and standard deviation of a new label, noise included, (k,) each, in the unit of the labels.

        Raises
        ------
        InputError
            If it is not fitted.
        """
        if self._last is None:
            raise InputError("The process has seen no labels; fit it first.")
        between = [known[:, rows] for known in self._between]
        kernel = sum((value for value, _ in self._kernels(between, self._last)), np.zeros((len(self.rows), len(rows))))
        explained = (solve_triangular(self.root, kernel, lower=True) ** 2).sum(axis=0)
        variance = np.maximum(self._own(rows) - explained, 0) + self.noise
        return self.middle + self.spread * (kernel.T @ self.weights), self.spread * np.sqrt(variance)

    def _meet(self, rows: Rows) -> None:
        """Products and distances of the labelled crystals to all; those of an earlier fit are kept."""
        n = len(self.rows)
        kept = n if n <= len(rows) and np.array_equal(rows[:n], self.rows) else 0
        self._between = [
            np.vstack([known[:kept], part.between(rows[kept:], self._everyone)])
            for part, known in zip(self.parts, self._between, strict=True)
        ]
        self.rows = rows

    def _prior(self, between: list[Array]) -> Array:
        """Where the logarithms of scales and lengths are expected: every part alike, lengths at the median distance."""
        found = []
        for part, known in zip(self.parts, between, strict=True):
            if part.kind == "linear":
                found.append(np.log(0.3 / max(float(np.diag(known).mean()), 1e-12)))
            else:
                apart = known[known > 0]
                found += [np.log(0.5), np.log(float(np.median(apart)) if apart.size else 1.0)]
        return np.array([*found, np.log(NOISE)])

    def _kernels(self, between: list[Array], x: Array) -> list[tuple[Array, Array | None]]:
        """Value of each part and its derivative by the logarithm of its length, None where it has no length."""
        found: list[tuple[Array, Array | None]] = []
        place = 0
        for part, known in zip(self.parts, between, strict=True):
            scale = np.exp(x[place])
            if part.kind == "linear":
                found.append((scale * known, None))
                place += 1
                continue
            r = known / np.exp(x[place + 1]) * (ROOT5 if part.kind == "matern" else 1.0)
            decay = scale * np.exp(-r)
            if part.kind == "matern":
                found.append(((1 + r + r * r / 3) * decay, r * r * (1 + r) / 3 * decay))
            else:
                found.append((decay, r * decay))
            place += 2
        return found

    def _own(self, rows: Rows) -> Array:
        """(k,) prior variance of each crystal."""
        assert self._last is not None
        total, place = np.zeros(len(rows)), 0
        for part, norms in zip(self.parts, self._norms, strict=True):
            linear = part.kind == "linear"
            total = total + np.exp(self._last[place]) * (norms[rows] if linear else 1.0)
            place += 1 if linear else 2
        return total

    def _loss(self, x: Array, between: list[Array], values: Array, prior: Array) -> tuple[float, Array]:
        """Negative logarithm of the posterior density, and its gradient."""
        parts, noise = self._kernels(between, x), np.exp(x[-1])
        kernel = sum((value for value, _ in parts), (noise + JITTER) * np.eye(len(values)))
        try:
            root = cholesky(kernel, lower=True)
        except LinAlgError:
            return IMPOSSIBLE, np.zeros_like(x)
        inverse = cho_solve((root, True), np.eye(len(values)))
        weights = inverse @ values
        steep = inverse - np.outer(weights, weights)
        slopes = []
        for value, by_length in parts:
            slopes.append(0.5 * (steep * value).sum())
            if by_length is not None:
                slopes.append(0.5 * (steep * by_length).sum())
        slopes.append(0.5 * noise * np.trace(steep))
        loss = 0.5 * values @ weights + np.log(np.diag(root)).sum() + 0.5 * ((x - prior) ** 2).sum()
        return float(loss), np.array(slopes) + x - prior
