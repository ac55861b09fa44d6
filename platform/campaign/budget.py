"""What a campaign has left to spend, and how large its next batch may be; costs are measured, never estimated."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from fermiloop.platform.campaign.cost import EVALUATE, total

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fermiloop.platform.campaign.records import RoundRecord
    from fermiloop.platform.campaign.spec import BudgetSpec

SECONDS_PER_HOUR: Final = 3600.0


def spent_evaluations(rounds: Sequence[RoundRecord]) -> int:
    """Evaluations paid for, failed ones included; an open round counts what it selected."""
    return sum(max(one.selected, one.evaluated + one.failed) for one in rounds)


def evaluations_left(budget: BudgetSpec, rounds: Sequence[RoundRecord]) -> int:
    """Evaluations that may still be selected, never below 0."""
    return max(0, budget.evaluations - spent_evaluations(rounds))


def core_hours_left(budget: BudgetSpec, spent: Mapping[str, float], step: str | None = None) -> float:
    """Core-hours that may still be spent, infinite without a limit.

    Parameters
    ----------
    spent
        Core-seconds by step.
    step
        The step whose own limit is asked for; without it the limit of all together.
    """
    limit = budget.core_hours if step is None else budget.stage_core_hours.get(step)
    if limit is None:
        return math.inf
    seconds = total(spent) if step is None else spent.get(step, 0.0)
    return max(0.0, limit - seconds / SECONDS_PER_HOUR)


def exhausted_step(budget: BudgetSpec, spent: Mapping[str, float]) -> str | None:
    """First step that has used up its own core-hours."""
    return next((step for step in budget.stage_core_hours if core_hours_left(budget, spent, step) <= 0), None)


def mean_core_seconds(rounds: Sequence[RoundRecord], spent: Mapping[str, float]) -> float | None:
    """Measured cost of one evaluation in core-seconds, None before the first."""
    paid = sum(one.evaluated + one.failed for one in rounds)
    return spent.get(EVALUATE, 0.0) / paid if paid else None


def next_batch(budget: BudgetSpec, rounds: Sequence[RoundRecord], spent: Mapping[str, float]) -> int:
    """How many candidates the next round may evaluate.

    The least of ``per_round``, what is left, and, once a cost is measured, what the core-hours left
    buy at that cost; as long as any core-hours are left they buy at least one.
    """
    batch = min(budget.per_round, evaluations_left(budget, rounds))
    hours = min(core_hours_left(budget, spent), core_hours_left(budget, spent, EVALUATE))
    if hours <= 0:
        return 0
    cost = mean_core_seconds(rounds, spent)
    if cost and math.isfinite(hours):
        batch = min(batch, max(1, int(hours * SECONDS_PER_HOUR / cost)))
    return batch
