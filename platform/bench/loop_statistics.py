"""How much sooner, and how much more, a closed loop finds than random choice: factors with their intervals.

Acceleration factor: calls that random choice needs to reach what the loop reached, over the calls that the loop took.
Enhancement factor: what the loop has found over what random choice has found after equal calls. Both as Rohr et al.
(Chem. Sci. 11, 2696, 2020) and the review of autonomous laboratories by Adesiji et al. (Digital Discovery, 2025,
10.1039/d5dd00337g) define them; the median acceleration published there is 6. What counts as found is the number of
hits, so random choice is known exactly: it draws without replacement, and its hits are hypergeometric. Intervals are
percentiles of a bootstrap over groups (Efron, Ann. Stat. 7, 1, 1979): all runs of one target stay together.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Statistic = Callable[[Array], Array]

RESAMPLES: Final = 4000
SEED: Final = 0  # of the resamples, the same for all strategies: their differences are paired
LEVEL: Final = 0.95


@dataclass(frozen=True)
class Outcome:
    """What one run found.

    Parameters
    ----------
    group
        What stays together in the bootstrap: the target, or the run where there is one target alone.
    target, seed
        Of the run.
    left, hits
        Candidates that could be asked for at the start, and hits among them.
    found
        Of each call in order, whether it was a hit.
    ends
        Calls after each batch; answers come at the end of a batch.
    hypervolume
        Share of the pool's that known crystals and answers reached, 0 to 1, mean over the ends of all batches; None
        where nothing is traded off.
    """

    group: str
    target: str
    seed: int
    left: int
    hits: int
    found: tuple[bool, ...]
    ends: tuple[int, ...]
    hypervolume: float | None = None

    @property
    def calls(self) -> int:
        """Calls in all."""
        return len(self.found)

    @property
    def total(self) -> int:
        """Hits in all."""
        return sum(self.found)

    @property
    def expected(self) -> float:
        """Hits that as many random calls find on average."""
        return expected_hits(self.left, self.hits, self.calls)

    @property
    def areas(self) -> tuple[float, float]:
        """Hits so far summed over the ends of all batches, ours and those of random choice."""
        ours = sum(sum(self.found[:n]) for n in self.ends)
        return float(ours), sum(expected_hits(self.left, self.hits, n) for n in self.ends)

    @property
    def needed(self) -> tuple[float, float]:
        """Calls that random choice needs on average for as many hits, and calls of ours.

        Ours are all calls, not those up to the last hit: a run that is stopped where it was lucky looks faster than it
        is, even a random one. Only where every hit was found do the calls end with the batch of the last of them. A run
        without a hit has reached nothing: random choice needs no call for that.
        """
        ours = self.calls
        if 0 < self.hits == self.total:
            last = max(i for i, hit in enumerate(self.found) if hit)
            ours = min(n for n in self.ends if n > last)
        return expected_calls(self.left, self.hits, self.total), float(ours)

    def first(self, calls: int) -> Outcome:
        """The same run stopped after some calls."""
        calls = min(calls, self.calls)
        return replace(self, found=self.found[:calls], ends=(*(n for n in self.ends if n < calls), calls))


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval; NaN ends where there is only one group."""

    value: float
    low: float
    high: float


def expected_hits(n: int, hits: int, calls: int) -> float:
    """Mean of the hypergeometric distribution: hits in `calls` draws without replacement from `n` with `hits` hits."""
    return hits * min(calls, n) / n if n else 0.0


def expected_calls(n: int, hits: int, k: int) -> float:
    """Mean of the negative hypergeometric distribution: draws without replacement until the `k`-th hit.

    It is k (n + 1) / (hits + 1); see Johnson, Kemp and Kotz, Univariate Discrete Distributions, section 6.2.2.
    """
    return k * (n + 1) / (hits + 1)


def times_random(outcomes: Sequence[Outcome]) -> Estimate:
    """Hits over those of random choice, both summed over all runs."""
    return _ratio(outcomes, lambda one: (one.total, one.expected))


def acceleration(outcomes: Sequence[Outcome]) -> Estimate:
    """Acceleration factor: calls that random choice needs for the same hits over ours, both summed over all runs."""
    return _ratio(outcomes, lambda one: one.needed)


def enhancement(outcomes: Sequence[Outcome]) -> Estimate:
    """Enhancement factor averaged over the course: areas under the curves of hits after each batch, ours over random.

    After the last batch alone it is `times_random`.
    """
    return _ratio(outcomes, lambda one: one.areas)


def reached(outcomes: Sequence[Outcome]) -> Estimate:
    """Mean share of the pool's hypervolume, over the ends of all batches."""
    return _ratio(outcomes, lambda one: (np.nan if one.hypervolume is None else one.hypervolume, 1.0))


def difference(ours: Sequence[Outcome], theirs: Sequence[Outcome]) -> Estimate:
    """Mean difference in hits of runs of the same group and seed.

    Raises
    ------
    ValueError
        If the runs are not the same ones.
    """
    rows = [(float(a - b), 1.0) for a, b in _pairs(ours, theirs)]
    return _resampled(np.array(rows), [one.group for one in ours], _quotient)


def ratio(ours: Sequence[Outcome], theirs: Sequence[Outcome]) -> Estimate:
    """Hits over those of another strategy in the same runs, both summed.

    Raises
    ------
    ValueError
        If the runs are not the same ones.
    """
    return _resampled(np.array(_pairs(ours, theirs), dtype=float), [one.group for one in ours], _quotient)


def _pairs(ours: Sequence[Outcome], theirs: Sequence[Outcome]) -> list[tuple[int, int]]:
    other = {(one.group, one.seed): one.total for one in theirs}
    if set(other) != {(one.group, one.seed) for one in ours} or len(ours) != len(theirs):
        raise ValueError("Paired differences need the same runs of both strategies.")
    return [(one.total, other[one.group, one.seed]) for one in ours]


def _ratio(outcomes: Sequence[Outcome], parts: Callable[[Outcome], tuple[float, ...]]) -> Estimate:
    return _resampled(np.array([parts(one) for one in outcomes]), [one.group for one in outcomes], _quotient)


def _quotient(sums: Array) -> Array:
    """(...,) first over second of sums (..., 2), NaN where the second is 0."""
    found = np.full(sums.shape[:-1], np.nan)
    np.divide(sums[..., 0], sums[..., 1], out=found, where=sums[..., 1] > 0)
    return found


def _resampled(rows: Array, groups: Sequence[str], statistic: Statistic) -> Estimate:
    """A statistic of the sums of rows (n, 2), with its interval under resampling of groups."""
    names, place = np.unique(np.asarray(groups), return_inverse=True)
    sums = np.zeros((len(names), rows.shape[1]))
    np.add.at(sums, place, rows)
    value = float(statistic(sums.sum(axis=0)))
    if len(names) < 2:
        return Estimate(value, np.nan, np.nan)
    drawn = np.random.default_rng(SEED).integers(len(names), size=(RESAMPLES, len(names)))
    spread = statistic(sums[drawn].sum(axis=1))
    if np.isnan(spread).all():
        return Estimate(value, np.nan, np.nan)
    low, high = np.nanquantile(spread, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(value, float(low), float(high))
