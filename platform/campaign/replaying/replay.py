"""Strategies compared: some answers are known, the others come in batches as they are asked for, and hits are counted.

The same seed asks for the same crystals, whatever strategies run beside it, and all strategies of a seed start from the
same known crystals.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from scipy.special import stdtrit

from fermiloop.platform.campaign.replaying.baselines import REPLAY_GENERATORS
from fermiloop.platform.campaign.replaying.loop import Run, replay
from fermiloop.platform.campaign.replaying.strategies import REPLAY_STRATEGIES, check_names
from fermiloop.platform.campaign.statistics import wilson
from fermiloop.platform.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from fermiloop.platform.campaign.replaying.loop import Oracle
    from fermiloop.platform.campaign.spec import CampaignSpec

    Array = NDArray[np.float64]

BASELINES: Final = ("random", "substitution", "greedy")
"""Strategies that every replay shows beside the ones asked for."""


@dataclass(frozen=True)
class Course:
    """How a replay goes.

    Parameters
    ----------
    known
        Crystals whose answers are known at the start, at random.
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

    def spent_by(self, spec: CampaignSpec) -> CampaignSpec:
        """A campaign file with the budget of this course."""
        batch = min(self.batch, self.calls)
        budget = {"rounds": -(-self.calls // batch), "evaluations": self.calls, "per_round": batch}
        return type(spec).model_validate({**spec.as_dict(), "budget": budget})

    def start(self, oracle: Oracle, seed: int) -> NDArray[np.int64]:
        """Rows that are known at the start, the same for all strategies of a seed.

        Raises
        ------
        InputError
            If fewer crystals are recorded than are known and asked for.
        """
        n = int(oracle.allowed.sum())
        if self.known + self.calls > n:
            raise InputError(
                f"A replay with {self.known} known crystals and {self.calls} calls needs as many crystals in all, "
                f"and {n} are there; ask for fewer calls."
            )
        rows = np.flatnonzero(oracle.allowed)
        return rows[np.random.default_rng(seed).choice(n, self.known, replace=False)]


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
            "strategy": self.strategy, "baseline": REPLAY_STRATEGIES[self.strategy].baseline,
            "generator": self.generator, "seeds": len(self.runs), "calls": self.calls,
            "hits": self.hits, "hits_low": self.low, "hits_high": self.high,
            "per_call": self.hits / self.calls, "per_call_low": self.low / self.calls,
            "per_call_high": self.high / self.calls,
            "times_random": against[0], "times_random_low": against[1], "times_random_high": against[2],
            "curve": list(self.curve),
        }  # fmt: skip


def score(
    oracle: Oracle,
    spec: CampaignSpec,
    strategy: str,
    course: Course,
    seeds: Sequence[int],
    generator: str = "pool",
    progress: Callable[[str, float], None] = lambda _what, _share: None,
) -> Score:
    """Repeat the search with one strategy and some seeds.

    Parameters
    ----------
    oracle
        Recorded answers.
    spec
        The campaign file that the strategy changes; its budget is the course's.
    strategy, generator
        Of `REPLAY_STRATEGIES` and `REPLAY_GENERATORS`.

    Raises
    ------
    InputError
        If a name is unknown, too little is recorded, or there is no seed.
    """
    if not seeds:
        raise InputError("A replay needs at least one seed.")
    check_names((strategy,), (generator,))
    plan, propose = REPLAY_STRATEGIES[strategy], REPLAY_GENERATORS[generator][1]
    file = course.spent_by(plan.of(spec))
    runs = []
    for place, seed in enumerate(seeds):
        progress(f"{strategy} from {generator}", place / len(seeds))
        runs.append(replay(file, oracle.target, oracle, course.start(oracle, seed), seed, plan.rule, propose))
    found = np.array([sum(run.hits) for run in runs], dtype=float)
    low, high = _interval(found, course.calls)
    curve = np.cumsum([run.hits for run in runs], axis=1).mean(axis=0)
    chance = float(oracle.hits[oracle.allowed].mean()) * course.calls
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
    oracle: Oracle,
    spec: CampaignSpec,
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
        found.append(score(oracle, spec, name, course, seeds, source, part))
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
