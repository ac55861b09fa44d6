"""What a campaign would cost, from what evaluations like its own have cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fermiloop.platform.campaign.spec import CampaignSpec

FEWEST: Final = 3
"""Measured evaluations below which no spread is told."""
QUANTILES: Final = (0.1, 0.9)
HOUR: Final = 3600.0


@dataclass(frozen=True)
class Measured:
    """Costs of evaluations that have ended.

    Parameters
    ----------
    seconds
        (n,) core-seconds of each, failed ones included: they are paid too.
    source
        What they have in common with the campaign, in words.
    """

    seconds: Sequence[float]
    source: str


@dataclass(frozen=True)
class Estimate:
    """Median and the range of the middle 80 %; all None where too little was measured."""

    median: float | None = None
    low: float | None = None
    high: float | None = None

    def times(self, factor: float) -> Estimate:
        """The same in another unit."""
        values = (self.median, self.low, self.high)
        return Estimate(*(None if value is None else value * factor for value in values))

    def as_dict(self) -> dict[str, float | None]:
        """JSON-ready."""
        return {"median": self.median, "low": self.low, "high": self.high}


@dataclass(frozen=True)
class Plan:
    """What the rounds of a campaign would do.

    Parameters
    ----------
    rounds
        Evaluations of each round, at most.
    proposals
        Candidates proposed each round.
    training
        Crystals that the first round learns from.
    per_evaluation
        Core-seconds.
    total
        Core-seconds of all evaluations together.
    overhead
        Core-seconds of training, sampling and screening in all rounds.
    workers
        Evaluations at a time.
    measured, source
        How many evaluations the costs come from, and which.
    """

    rounds: tuple[int, ...]
    proposals: int
    training: int
    per_evaluation: Estimate
    total: Estimate
    overhead: Estimate
    workers: int
    measured: int
    source: str

    @property
    def wall(self) -> Estimate:
        """Seconds by the clock, with every worker busy: the steps before the evaluations run one after the other."""
        parts = [(self.total, 1 / self.workers), (self.overhead, 1.0)]
        known = [part.times(factor) for part, factor in parts if part.median is not None]
        if self.total.median is None:
            return Estimate()
        return Estimate(*(sum(getattr(one, name) for one in known) for name in ("median", "low", "high")))

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready, hours in place of seconds for sums."""
        return {
            "rounds": [
                {"number": i, "evaluations": n, "proposals": self.proposals} for i, n in enumerate(self.rounds, 1)
            ],
            "evaluations": sum(self.rounds),
            "training": self.training,
            "workers": self.workers,
            "measured": self.measured,
            "source": self.source,
            "core_seconds_per_evaluation": self.per_evaluation.as_dict(),
            "core_hours": self.total.times(1 / HOUR).as_dict(),
            "overhead_core_hours": self.overhead.times(1 / HOUR).as_dict(),
            "wall_hours": self.wall.times(1 / HOUR).as_dict(),
        }


def plan(
    spec: CampaignSpec, measured: Measured, overheads: Sequence[float], training: int, workers: int, seed: int = 0
) -> Plan:
    """What a campaign would do and cost.

    Parameters
    ----------
    measured
        Costs of evaluations like its own.
    overheads
        (m,) core-seconds of all steps but the evaluations of rounds like its own.
    training
        Crystals that the first round learns from.
    workers
        Evaluations at a time.
    seed
        Of the draws by which sums are estimated.
    """
    rounds = batches(spec)
    rng = np.random.default_rng(seed)
    return Plan(
        rounds=rounds,
        proposals=sum(generator.proposals for generator in spec.generators),
        training=training,
        per_evaluation=spread(measured.seconds),
        total=spread_of_sum(measured.seconds, sum(rounds), rng),
        overhead=spread_of_sum(overheads, len(rounds), rng),
        workers=workers,
        measured=len(measured.seconds),
        source=measured.source,
    )


def batches(spec: CampaignSpec) -> tuple[int, ...]:
    """Evaluations of each round, where every round finds enough to evaluate.

    In the mode ``asynchronous`` what the last generation proposed is evaluated until the budget ends.
    """
    left, found = spec.budget.evaluations, []
    for _ in range(spec.budget.rounds):
        if left == 0:
            break
        found.append(min(left, spec.budget.per_round))
        left -= found[-1]
    if spec.mode == "asynchronous":
        found[-1] += left
    return tuple(found)


def spread(seconds: Sequence[float]) -> Estimate:
    """Median and middle 80 % of what was measured."""
    if len(seconds) < FEWEST:
        return Estimate()
    low, high = np.quantile(seconds, QUANTILES)
    return Estimate(float(np.median(seconds)), float(low), float(high))


def spread_of_sum(seconds: Sequence[float], n: int, rng: np.random.Generator, draws: int = 2000) -> Estimate:
    """Median and middle 80 % of the sum of `n` costs drawn from those measured (bootstrap)."""
    if len(seconds) < FEWEST or n == 0:
        return Estimate()
    return spread(rng.choice(np.asarray(seconds, dtype=float), size=(draws, n)).sum(axis=1).tolist())
