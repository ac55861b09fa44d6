"""A Gaussian process of the similarity of crystals to one curve, about what their elements would give.

The mean is linear in the similarity s₀ of the mixed curves of the elements, `mixed_curves`, to the target; both
coefficients have a normal prior, and the process learns what is left. Its kernel is the mean of two parts: the overlap
of two compositions, each atom weighted by how much of a curve it makes and like elements counting as partly the same,
squared, times the agreement of the geometry; and exp(-|p - p'| / l) of the mixed curves p themselves, scaled to unit
norm. As the cosine is linear in a curve of unit norm, the process of the similarity is that of the whole curve seen
from the target, so nothing is lost by regressing it directly (Rasmussen and Williams, Gaussian Processes for Machine
Learning, 2006, chapter 2; section 2.7 for explicit basis functions). All scales are fixed: a few tens of labels are too
few to find them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from fermiloop.platform.representations.element_features import ELEMENTS_KNOWN, element_kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

NOISE: Final = 0.03
"""Variance of what no feature explains, in that of the process."""
LENGTH, IDENTITY, POWER = 0.7, 0.1, 2.0
"""Reach of the likeness of elements, share of an element alone, and exponent of the overlap of compositions."""
GEOMETRY_SCALE: Final = np.array([0.66, 0.144, 0.3])
"""Reach in the logarithm of the volume per atom, in the shortest distance and in the share of unlike neighbours."""
CURVE_LENGTH: Final = 0.5
"""Reach in the distance of two mixed curves of unit norm."""
PRIOR_MEAN: Final = np.array([0.3, 0.6])
"""Similarity = 0.3 + 0.6 s₀ where nothing is known; without mixed curves the second is zero."""
PRIOR_PRECISION: Final = np.array([0.01, 2.0])
"""Of both, in inverse variances of the process."""
SPREAD_PRIOR: Final = 0.05
"""Variance of similarities that two observations' weight are given to."""


@dataclass(frozen=True)
class Inputs:
    """What the process sees of n crystals.

    Parameters
    ----------
    composition
        (n, 83) atomic fractions times the weight of each element, in any scale.
    geometry
        (n, 3) see `GEOMETRY_SCALE`.
    prior
        (n, m) mixed curves of unit norm inside the window, m = 0 where elements have no such curves.
    nearness
        (n,) cosine of the mixed curve to the target, zero where there is none.
    """

    composition: Array
    geometry: Array
    prior: Array
    nearness: Array

    def take(self, rows: NDArray[np.int64]) -> Inputs:
        """Some of the crystals."""
        return Inputs(self.composition[rows], self.geometry[rows], self.prior[rows], self.nearness[rows])

    def joined(self, other: Inputs) -> Inputs:
        """These crystals, then others."""
        return Inputs(
            np.vstack([self.composition, other.composition]),
            np.vstack([self.geometry, other.geometry]),
            np.vstack([self.prior, other.prior]),
            np.concatenate([self.nearness, other.nearness]),
        )


class SimilarityProcess:
    """Conditioned once on similarities; then it predicts."""

    def fit(self, inputs: Inputs, values: Array) -> SimilarityProcess:
        """Condition on (n,) similarities; returns itself."""
        self.inputs, self.values = inputs, values
        own = covariance(inputs, inputs) + NOISE * np.eye(len(values))
        self._factor = cho_factor(own)
        basis = _basis(inputs)
        solved = cho_solve(self._factor, basis)
        mean, precision = PRIOR_MEAN[: basis.shape[1]], np.diag(PRIOR_PRECISION[: basis.shape[1]])
        self.trend = np.linalg.solve(basis.T @ solved + precision, solved.T @ values + precision @ mean)
        rest = values - basis @ self.trend
        self._weights = cho_solve(self._factor, rest)
        self.variance = float((rest @ self._weights + 2 * SPREAD_PRIOR) / (len(values) + 2))
        return self

    def predict(self, inputs: Inputs) -> tuple[Array, Array]:
        """Mean and standard deviation of similarities, (n,) each, noise included."""
        cross = covariance(inputs, self.inputs)
        mean = _basis(inputs) @ self.trend + cross @ self._weights
        left = 1 + NOISE - (cross * cho_solve(self._factor, cross.T).T).sum(axis=1)
        return mean, np.sqrt(np.maximum(left, NOISE) * self.variance)


def covariance(a: Inputs, b: Inputs) -> Array:
    """(n_a, n_b) prior covariance in units of the variance, 1 between equal crystals."""
    likeness = _likeness()
    overlap = a.composition @ likeness @ b.composition.T
    norm_a, norm_b = (np.einsum("ij,ij->i", x.composition @ likeness, x.composition) for x in (a, b))
    chemistry = (overlap / np.sqrt(norm_a[:, None] * norm_b[None])) ** POWER
    here, there = a.geometry / GEOMETRY_SCALE, b.geometry / GEOMETRY_SCALE
    squares = (here**2).sum(axis=1)[:, None] + (there**2).sum(axis=1)[None] - 2 * here @ there.T
    chemistry *= np.exp(-0.5 * np.maximum(squares, 0))
    if not a.prior.shape[1]:
        return np.asarray(chemistry)
    distance = np.sqrt(np.maximum(2 - 2 * a.prior @ b.prior.T, 0))
    return np.asarray(0.5 * chemistry + 0.5 * np.exp(-distance / CURVE_LENGTH))


def _basis(inputs: Inputs) -> Array:
    one = np.ones(len(inputs.nearness))
    return np.column_stack([one, inputs.nearness]) if inputs.prior.shape[1] else one[:, None]


@cache
def _likeness() -> Array:
    return element_kernel(tuple(ELEMENTS_KNOWN), LENGTH, IDENTITY)
