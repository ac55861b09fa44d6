"""What a campaign has left to spend, and how large its next batch may be."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fermiloop.platform.campaign.records import RoundRecord
    from fermiloop.platform.campaign.spec import BudgetSpec

SECONDS_PER_HOUR = 3600.0


def spent_evaluations(rounds: Sequence[RoundRecord]) -> int:
    """Evaluations paid for, failed ones included; an open round counts what it selected."""
    return sum(max(one.selected, one.evaluated + one.failed) for one in rounds)


def evaluations_left(budget: BudgetSpec, rounds: Sequence[RoundRecord]) -> int:
    """Evaluations that may still be selected, never below 0."""
    return max(0, budget.evaluations - spent_evaluations(rounds))


def core_hours_left(budget: BudgetSpec, core_seconds: float) -> float:
    """Core-hours that may still be spent, infinite without a limit."""
    if budget.core_hours is None:
        return math.inf
    return max(0.0, budget.core_hours - core_seconds / SECONDS_PER_HOUR)


def mean_core_seconds(rounds: Sequence[RoundRecord], core_seconds: float) -> float | None:
    """Measured cost of one evaluation in core-seconds, None before the first."""
    paid = sum(one.evaluated + one.failed for one in rounds)
    return core_seconds / paid if paid else None


def next_batch(budget: BudgetSpec, rounds: Sequence[RoundRecord], core_seconds: float) -> int:
    """How many candidates the next round may evaluate.

    The least of ``per_round``, what is left, and, once a cost is measured, what the core-hours left
    buy at that cost; as long as any core-hours are left they buy at least one.
    """
    batch = min(budget.per_round, evaluations_left(budget, rounds))
    hours = core_hours_left(budget, core_seconds)
    if hours <= 0:
        return 0
    cost = mean_core_seconds(rounds, core_seconds)
    if cost and math.isfinite(hours):
        batch = min(batch, max(1, int(hours * SECONDS_PER_HOUR / cost)))
    return batch
