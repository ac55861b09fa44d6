"""Whether a campaign goes on: a pure function of its file and its rounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from fermiloop.platform.campaign.budget import core_hours_left, evaluations_left

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fermiloop.platform.campaign.records import RoundRecord
    from fermiloop.platform.campaign.spec import CampaignSpec


@dataclass(frozen=True)
class Decision:
    """What follows, and why, in one sentence."""

    action: Literal["next", "stop"]
    reason: str


def decide(spec: CampaignSpec, rounds: Sequence[RoundRecord], core_seconds: float) -> Decision:
    """Another round, or the end; the first reason that holds is told.

    Parameters
    ----------
    rounds
        Rounds that have closed.
    core_seconds
        Processor time spent so far.
    """
    reason = _reason_to_stop(spec, rounds, core_seconds)
    if reason:
        return Decision("stop", reason)
    left = evaluations_left(spec.budget, rounds)
    return Decision("next", f"Round {len(rounds) + 1} follows; {left} evaluations are left.")


def _reason_to_stop(spec: CampaignSpec, rounds: Sequence[RoundRecord], core_seconds: float) -> str | None:
    budget, hits = spec.budget, sum(one.hits for one in rounds)
    if spec.stop.hits is not None and hits >= spec.stop.hits:
        return f"Converged: {hits} hits were found, {spec.stop.hits} were asked for."
    if evaluations_left(budget, rounds) == 0:
        return f"All {budget.evaluations} evaluations of the budget are spent."
    if len(rounds) >= budget.rounds:
        return f"All {budget.rounds} rounds of the budget are done."
    if core_hours_left(budget, core_seconds) <= 0:
        return f"All {budget.core_hours:g} core-hours of the budget are spent."
    if rounds and rounds[-1].selected == 0:
        last = rounds[-1]
        return (
            f"Round {last.number} left nothing new to evaluate: "
            f"of {last.proposed} proposed, {last.novel} were novel and {last.passed} passed the funnel."
        )
    return None
