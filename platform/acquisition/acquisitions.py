"""The acquisitions: what computing a candidate is worth, from what is believed of it.

All but `Probability` and `Random` weigh the draws of the score, cut off at the level of a hit: a window's score is
bounded, flat inside and anything but normally distributed, so a mean and a standard deviation of it mislead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np

from fermiloop.platform.errors import InputError
from fermiloop.platform.search.pareto import improvements

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fermiloop.platform.acquisition.belief import Belief

    Array = NDArray[np.float64]

TINY: Final = 1e-9
"""Weight of the expected score where the rest says nothing: far from a target, the nearer candidate wins."""
MARGIN: Final = 0.1
"""Of each objective's range, between the worst point of a front and the reference of its hypervolume."""
DRAWS: Final = 64
"""Draws that the hypervolume is averaged over."""


@dataclass(frozen=True)
class Probability:
    """P(hit), all conditions together; where all of them vanish, the higher expected score wins."""

    name: ClassVar[str] = "probability"

    def worth(self, belief: Belief, best: float, rng: np.random.Generator) -> Array:  # noqa: ARG002
        """See `Acquisition`."""
        return belief.probability + TINY * belief.mean


@dataclass(frozen=True)
class ExpectedImprovement:
    """E[max(0, min(s, level) - best)] over the draws of the score s (Jones et al., J. Global Optim. 13, 455, 1998)."""

    name: ClassVar[str] = "expected_improvement"

    def worth(self, belief: Belief, best: float, rng: np.random.Generator) -> Array:  # noqa: ARG002
        """See `Acquisition`."""
        known = belief.known
        start = float(belief.useful[known].min()) if not np.isfinite(best) and known.any() else best
        return np.maximum(belief.useful - start, 0.0).mean(axis=1) + TINY * belief.mean


@dataclass(frozen=True)
class UpperConfidenceBound:
    """Mean + exploration × standard deviation (Srinivas et al., ICML 2010)."""

    exploration: float = 1.0

    name: ClassVar[str] = "upper_confidence_bound"

    def __post_init__(self) -> None:
        if not (np.isfinite(self.exploration) and self.exploration >= 0):
            raise InputError(f"The exploration must be zero or more, not {self.exploration}.")

    def worth(self, belief: Belief, best: float, rng: np.random.Generator) -> Array:  # noqa: ARG002
        """See `Acquisition`."""
        return belief.useful.mean(axis=1) + self.exploration * belief.useful.std(axis=1)


@dataclass(frozen=True)
class Thompson:
    """One of the draws for each candidate (Thompson, Biometrika 25, 285, 1933), ties by the expected score.

    Candidates are drawn independently of each other, while errors of a surrogate are alike among similar candidates.
    """

    name: ClassVar[str] = "thompson"

    def worth(self, belief: Belief, best: float, rng: np.random.Generator) -> Array:  # noqa: ARG002
        """See `Acquisition`."""
        n, d = belief.useful.shape
        return belief.useful[np.arange(n), rng.integers(d, size=n)] + TINY * belief.mean


@dataclass(frozen=True)
class Greedy:
    """The expected score, cut off at the level of a hit."""

    name: ClassVar[str] = "greedy"

    def worth(self, belief: Belief, best: float, rng: np.random.Generator) -> Array:  # noqa: ARG002
        """See `Acquisition`."""
        return belief.useful.mean(axis=1)


@dataclass(frozen=True)
class Random:
    """The baseline that knows nothing."""

    name: ClassVar[str] = "random"

    def worth(self, belief: Belief, best: float, rng: np.random.Generator) -> Array:  # noqa: ARG002
        """See `Acquisition`."""
        return rng.random(len(belief))


@dataclass(frozen=True)
class Hypervolume:
    """Expected hypervolume improvement over the Pareto front of what was computed (Emmerich et al., CEC 2011).

    By Monte Carlo over the draws of the objectives; a draw that misses a condition adds nothing.
    """

    name: ClassVar[str] = "hypervolume"

    def worth(self, belief: Belief, best: float, rng: np.random.Generator) -> Array:  # noqa: ARG002
        """See `Acquisition`.

        Raises
        ------
        InputError
            If the belief has no objectives.
        """
        if belief.objectives is None:
            raise InputError("The acquisition hypervolume needs two or three properties to minimise or maximise.")
        n, d, k = belief.objectives.shape
        columns = rng.choice(d, min(d, DRAWS), replace=False)
        points = belief.objectives[:, columns].reshape(-1, k)
        computed = belief.front if belief.front is not None else np.zeros((0, k))
        corner, unit = reference(points if not len(computed) else computed)
        grown = np.zeros(len(points))
        there = np.isfinite(points).all(axis=1)
        grown[there] = improvements(points[there] / unit, computed / unit, corner / unit)
        return np.asarray(grown.reshape(n, -1).mean(axis=1)) + TINY * belief.mean


def reference(points: Array) -> tuple[Array, Array]:
    """Corner, (k,), a tenth of the range beyond the worst of finite (m, k) points, and that range, 1 where it is 0."""
    finite = points[np.isfinite(points).all(axis=1)]
    if not len(finite):
        return np.zeros(points.shape[1]), np.ones(points.shape[1])
    span = finite.max(axis=0) - finite.min(axis=0)
    unit = np.where(span > 0, span, 1.0)
    return finite.max(axis=0) + MARGIN * unit, unit
