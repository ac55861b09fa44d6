"""What an asynchronous campaign does next: a pure function of where it stands.

There is no barrier: as soon as a result frees a place, the acquisition chooses again among all candidates that
passed; and a new generation is trained and proposed while evaluations of earlier ones still run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fermiloop.platform.campaign.budget import mean_core_seconds, next_batch
from fermiloop.platform.campaign.cost import EVALUATE
from fermiloop.platform.campaign.counting import Share
from fermiloop.platform.campaign.stopping import enough

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fermiloop.platform.campaign.records import RoundRecord
    from fermiloop.platform.campaign.spec import CampaignSpec


@dataclass(frozen=True)
class Standing:
    """Where a campaign stands.

    Parameters
    ----------
    rounds
        Generations so far, open ones included.
    spent
        Core-seconds by step.
    pool
        Candidates that passed the funnel and were not selected.
    in_flight
        Evaluations that were selected and have no result.
    open_round
        Whether a generation is being trained, proposed or screened.
    new_results
        Results since the newest generation was planned.
    baseline
        Of ``stop.no_better_than``.
    """

    rounds: Sequence[RoundRecord]
    spent: Mapping[str, float]
    pool: int
    in_flight: int
    open_round: bool
    new_results: int
    baseline: Share | None = None


@dataclass(frozen=True)
class Move:
    """What to do: select so many, plan a generation, or finish for a reason."""

    select: int = 0
    plan: bool = False
    finish: str | None = None


def next_move(spec: CampaignSpec, now: Standing) -> Move:
    """The move that the standing asks for; an empty one waits.

    Parameters
    ----------
    spec
        Its ``budget.per_round`` bounds the evaluations in flight.
    """
    over = enough(spec, now.rounds, now.spent, now.baseline)
    idle = now.in_flight == 0 and not now.open_round
    if over:
        return Move(finish=over) if idle else Move()
    places = max(0, spec.budget.per_round - now.in_flight)
    select = min(places, now.pool, next_batch(spec.budget, now.rounds, _with_running(now)))
    if select:
        return Move(select=select)
    if not now.open_round and now.pool < spec.budget.per_round and _another(spec, now):
        return Move(plan=True)
    return Move(finish=_barren(spec, now)) if idle and now.pool == 0 else Move()


def _with_running(now: Standing) -> dict[str, float]:
    """Core-seconds by step, with those that the evaluations in flight will cost by what was measured."""
    running = now.in_flight * (mean_core_seconds(now.rounds, now.spent) or 0.0)
    return {**now.spent, EVALUATE: now.spent.get(EVALUATE, 0.0) + running}


def _another(spec: CampaignSpec, now: Standing) -> bool:
    """Whether a further generation is allowed and worth it."""
    if len(now.rounds) >= spec.budget.rounds:
        return False
    learned = now.new_results >= max(1, spec.retrain.min_new_labels)
    # With nothing in flight there is nothing more to learn from; a generation that passed nothing ends it.
    return not now.rounds or learned or (now.in_flight == 0 and now.pool == 0 and now.rounds[-1].passed > 0)


def _barren(spec: CampaignSpec, now: Standing) -> str:
    if len(now.rounds) >= spec.budget.rounds:
        return f"All {spec.budget.rounds} rounds of the budget are done."
    last = now.rounds[-1]
    return (
        f"Round {last.number} left nothing new to evaluate: "
        f"of {last.proposed} proposed, {last.novel} were novel and {last.passed} passed the funnel."
    )
