"""How well energies above the hull are judged, with bootstraps over crystals (Efron, Ann. Stat. 7, 1, 1979)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Statistic = Callable[[NDArray[np.int64]], float]

DRAWS: Final = 2000


@dataclass(frozen=True)
class Measured:
    """A value with its 95 % interval."""

    value: float
    low: float
    high: float
    n: int


def middle(found: Array, value: float, n: int) -> Measured:
    """A value with the middle 95 % of what it was over the draws, those left out for which it is not defined."""
    known = found[np.isfinite(found)]
    low, high = np.percentile(known, (2.5, 97.5)) if len(known) else (np.nan, np.nan)
    return Measured(float(value), float(low), float(high), n)


def per_cost(score: Statistic, n: int, costs: Array, seed: int, draws: int = DRAWS) -> Array:
    """(1 + draws,) a statistic of `n` crystals by the mean of costs: of all, then of crystals and costs drawn again."""
    random = np.random.default_rng(seed)
    drawn = [
        score(random.integers(0, n, n)) / costs[random.integers(0, len(costs), len(costs))].mean() for _ in range(draws)
    ]
    return np.array([score(np.arange(n)) / costs.mean(), *drawn])


def bootstrap(statistic: Statistic, n: int, seed: int, draws: int = DRAWS) -> Measured:
    """A statistic of `n` crystals, given by their places, and the middle 95 % of it over crystals drawn again."""
    random = np.random.default_rng(seed)
    found = np.array([statistic(random.integers(0, n, n)) for _ in range(draws)])
    return middle(found, statistic(np.arange(n)), n)


@dataclass(frozen=True)
class Judged:
    """Energies above the hull of the same crystals, eV/atom: by DFT, and as predicted.

    Parameters
    ----------
    truth, predicted
        (n,); NaN where nothing is predicted, which counts as not stable.
    limit
        At or below it a crystal is stable.
    """

    truth: Array
    predicted: Array
    limit: float

    def _counts(self, rows: NDArray[np.int64]) -> tuple[int, int, int]:
        """True positives, positives by DFT, positives as predicted."""
        stable, told = self.truth[rows] <= self.limit, self.predicted[rows] <= self.limit
        return int((stable & told).sum()), int(stable.sum()), int(told.sum())

    def precision(self, rows: NDArray[np.int64]) -> float:
        """Stable among those that are called so."""
        right, _, told = self._counts(rows)
        return right / told if told else np.nan

    def recall(self, rows: NDArray[np.int64]) -> float:
        """Called stable among those that are."""
        right, stable, _ = self._counts(rows)
        return right / stable if stable else np.nan

    def f1(self, rows: NDArray[np.int64]) -> float:
        """Harmonic mean of both."""
        right, stable, told = self._counts(rows)
        return 2 * right / (stable + told) if stable + told else np.nan

    def informedness(self, rows: NDArray[np.int64]) -> float:
        """Recall minus the share of unstable ones called stable (Youden): 0 by guessing, 1 without a mistake."""
        right, stable, told = self._counts(rows)
        unstable = len(rows) - stable
        return right / stable - (told - right) / unstable if stable and unstable else np.nan

    def error(self, rows: NDArray[np.int64]) -> float:
        """Mean absolute error, eV/atom, of those that are predicted at all."""
        off = np.abs(self.predicted[rows] - self.truth[rows])
        return float(np.nanmean(off)) if np.isfinite(off).any() else np.nan
