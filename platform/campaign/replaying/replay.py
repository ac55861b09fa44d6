"""A replay: some answers are known, the others come in batches as they are asked for, and hits are counted.

The same seed asks for the same crystals, whatever strategies run beside it, and all strategies of a seed start from the
same known crystals.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from scipy.special import stdtrit

from fermiloop.platform.campaign.replaying.strategies import REPLAY_STRATEGIES, check_names, choose, propose
from fermiloop.platform.campaign.statistics import wilson
from fermiloop.platform.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from fermiloop.platform.campaign.replaying.pool import Goal, Pool

    Array = NDArray[np.float64]

BASELINES: Final = ("random", "substitution", "greedy")
"""Strategies that every replay shows beside the ones asked for."""


@dataclass(frozen=True)
class Course:
    """How a replay goes.

    Parameters
    ----------
    known
        Crystals whose answers are known at the start, by lot.
    calls
        Answers asked for in all.
    batch
        At a time.
    """

    known: int = 25
    calls: int = 250
    batch: int = 25

    def __post_init__(self) -> None:
        if self.known < 2 or self.calls < 1 or self.batch < 1:
            raise InputError(
                "A replay needs at least 2 known crystals, 1 call and a batch of 1, "
                f"not {self.known}, {self.calls} and {self.batch}."
            )

    def check(self, pool: Pool) -> None:
        """Refuse a pool that is too small.

        Raises
        ------
        InputError
            If it does not hold as many crystals as are known and asked for.
        """
        if self.known + self.calls > len(pool):
            raise InputError(
                f"A replay with {self.known} known crystals and {self.calls} calls needs as many crystals in all, "
                f"and {len(pool)} are there; ask for fewer calls."
            )


@dataclass(frozen=True)
class Run:
    """One strategy with one seed.

    Parameters
    ----------
    seed
        Of it.
    known, asked
        Ids, in their order.
    hits
        Of each batch.
    """

    seed: int
    known: tuple[str, ...]
    asked: tuple[str, ...]
    hits: tuple[int, ...]


@dataclass(frozen=True)
class Score:
    """What a strategy found over some seeds.

    Parameters
    ----------
    strategy, generator
        Names.
    calls
        Of each run.
    hits, low, high
        Mean over the runs, with its 95 % interval: Student's over the runs, Wilson's over the calls of a single one.
    chance
        Hits that as many random calls are expected to find.
    curve
        Mean hits after each batch.
    runs
        One a seed.
    """

    strategy: str
    generator: str
    calls: int
    hits: float
    low: float
    high: float
    chance: float
    curve: tuple[float, ...]
    runs: tuple[Run, ...]

    def row(self) -> dict[str, Any]:
        """As a row of a table: hits, hits per call and times random, each with its interval."""
        against = [value / self.chance if self.chance else None for value in (self.hits, self.low, self.high)]
        return {
            "strategy": self.strategy, "generator": self.generator, "seeds": len(self.runs), "calls": self.calls,
            "hits": self.hits, "hits_low": self.low, "hits_high": self.high,
            "per_call": self.hits / self.calls, "per_call_low": self.low / self.calls,
            "per_call_high": self.high / self.calls,
            "times_random": against[0], "times_random_low": against[1], "times_random_high": against[2],
            "curve": list(self.curve),
        }  # fmt: skip


def replay(pool: Pool, goal: Goal, strategy: str, course: Course, seed: int, generator: str = "pool") -> Run:
    """Repeat the search with one strategy.

    Parameters
    ----------
    pool
        What may be asked for.
    goal
        What the strategy is told of the target.
    strategy, generator
        Of `REPLAY_STRATEGIES` and `REPLAY_GENERATORS`.
    seed
        Of the known crystals and of the strategy.

    Raises
    ------
    InputError
        If a name is unknown or the pool too small.
    """
    check_names((strategy,), (generator,))
    course.check(pool)
    plan = REPLAY_STRATEGIES[strategy]
    start = np.random.default_rng(seed).choice(len(pool), course.known, replace=False)
    rng = np.random.default_rng([seed, zlib.crc32(f"{strategy}/{generator}".encode())])
    surrogate = plan.surrogate() if plan.surrogate else None
    known, hits = start, []
    while (n := min(course.batch, course.known + course.calls - len(known))) > 0:
        left = np.setdiff1d(np.arange(len(pool)), known)
        slate = propose(generator, pool, goal, known, left, rng)
        chosen = choose(plan, surrogate, pool, goal, known, slate, n, rng) if len(slate) else []
        if len(chosen) < n:  # the generator has no more: the rest of the batch by lot, as it must be spent
            chosen += [int(i) for i in rng.choice(np.setdiff1d(left, chosen), n - len(chosen), replace=False)]
        hits.append(int(pool.hits[chosen].sum()))
        known = np.concatenate([known, chosen])
    names = [pool.ids[i] for i in known]
    return Run(seed, tuple(names[: course.known]), tuple(names[course.known :]), tuple(hits))


def score(
    pool: Pool,
    goal: Goal,
    strategy: str,
    course: Course,
    seeds: Sequence[int],
    generator: str = "pool",
    progress: Callable[[str, float], None] = lambda _what, _share: None,
) -> Score:
    """Repeat the search with one strategy and some seeds.

    Raises
    ------
    InputError
        If a name is unknown, the pool too small, or there is no seed.
    """
    if not seeds:
        raise InputError("A replay needs at least one seed.")
    runs = []
    for place, seed in enumerate(seeds):
        progress(f"{strategy} from {generator}", place / len(seeds))
        runs.append(replay(pool, goal, strategy, course, seed, generator))
    found = np.array([sum(run.hits) for run in runs], dtype=float)
    low, high = _interval(found, course.calls)
    curve = np.cumsum([run.hits for run in runs], axis=1).mean(axis=0)
    chance = float(pool.hits.mean()) * course.calls
    mean = float(found.mean())
    return Score(strategy, generator, course.calls, mean, low, high, chance, tuple(curve.tolist()), tuple(runs))


def _part_of(progress: Callable[[str, float], None], start: float, share: float) -> Callable[[str, float], None]:
    """Progress of a part of some work."""
    return lambda what, done: progress(what, start + done * share)


def _interval(found: Array, calls: int) -> tuple[float, float]:
    """95 % interval of the mean hits of some runs, within what is possible."""
    n = len(found)
    if n == 1:
        low, high = wilson(int(found[0]), calls)
        return low * calls, high * calls
    mean, half = float(found.mean()), float(stdtrit(n - 1, 0.975) * found.std(ddof=1) / np.sqrt(n))
    return max(0.0, mean - half), min(float(calls), mean + half)


def compare(
    pool: Pool,
    goal: Goal,
    strategies: Sequence[str],
    course: Course,
    seeds: Sequence[int],
    generator: str = "pool",
    progress: Callable[[str, float], None] = lambda _what, _share: None,
) -> list[Score]:
    """Scores of the strategies asked for, choosing among a generator's, and of the baselines, choosing from all.

    Raises
    ------
    InputError
        If a name is unknown, the pool too small, or there is no seed.
    """
    pairs = list(dict.fromkeys([(name, generator) for name in strategies] + [(name, "pool") for name in BASELINES]))
    found = []
    for place, (name, source) in enumerate(pairs):
        part = _part_of(progress, place / len(pairs), 1 / len(pairs))
        found.append(score(pool, goal, name, course, seeds, source, part))
    progress("done", 1.0)
    return found


def course_for(n: int, known: int | None, calls: int | None, batch: int | None) -> Course:
    """What was asked for, and for what was not the usual course, or a smaller one that suits `n` crystals.

    Raises
    ------
    InputError
        If a number is too small.
    """
    start = known if known is not None else min(25, max(2, n // 10))
    asked = calls if calls is not None else min(250, max(1, (n - start) // 2))
    return Course(start, asked, batch if batch is not None else min(25, max(1, asked // 10)))
