"""What is believed of candidates before they are computed: draws of their scores, and how likely each is a hit."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from fermiloop.platform.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True)
class Belief:
    """What is believed of n candidates.

    Parameters
    ----------
    draws
        (n, d) equally likely scores of each, larger better; rows of NaN where nothing is known.
    probability
        (n,) of a hit, all conditions together; NaN where nothing is known.
    level
        Score from which a candidate is a hit, so that more of it is worth nothing; infinite where more is always
        better, since something is minimised or maximised.
    objectives
        (n, d, k) equally likely values of what is to be traded off, smaller better, infinite where a condition does
        not hold; None without objectives.
    front
        (m, k) the same of what was computed so far and meets every condition.
    """

    draws: Array
    probability: Array
    level: float = np.inf
    objectives: Array | None = None
    front: Array | None = None

    def __post_init__(self) -> None:
        n = len(self.probability)
        if self.draws.ndim != 2 or self.probability.shape != (n,) or len(self.draws) != n:
            raise InputError(
                "A belief is a row of draws and one probability for each candidate, "
                f"not {self.draws.shape} and {self.probability.shape}."
            )

    def __len__(self) -> int:
        return len(self.probability)

    @cached_property
    def mean(self) -> Array:
        """(n,) expected scores; NaN where nothing is known."""
        return np.asarray(self.draws.mean(axis=1))

    @cached_property
    def std(self) -> Array:
        """(n,) standard deviations of the scores; NaN where nothing is known."""
        return np.asarray((self.draws - self.draws[:, :1]).std(axis=1))  # of equal draws 0, not what rounding leaves

    @cached_property
    def useful(self) -> Array:
        """(n, d) draws cut off at the level of a hit: the utility that the acquisitions weigh."""
        return np.minimum(self.draws, self.level)

    @cached_property
    def known(self) -> NDArray[np.bool_]:
        """(n,) whether anything is known of a candidate."""
        return np.asarray(np.isfinite(self.draws).all(axis=1) & np.isfinite(self.probability))

    def subset(self, rows: Sequence[int]) -> Belief:
        """The candidates asked for, in that order."""
        take = list(rows)
        return Belief(
            self.draws[take],
            self.probability[take],
            self.level,
            None if self.objectives is None else self.objectives[take],
            self.front,
        )


def incumbent(scores: ArrayLike, level: float = np.inf) -> float:
    """The score to improve on: the best one that is no hit yet, -inf where there is none.

    A score at the level of a hit cannot be improved on, and another hit is as welcome as the first; so what a
    candidate can add is measured from the best miss.
    """
    found = np.asarray(scores, dtype=float).ravel()
    return float(np.max(found[np.isfinite(found) & (found < level)], initial=-np.inf))
