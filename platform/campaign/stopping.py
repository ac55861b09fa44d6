"""When a campaign ends: what its file says of it, and pure functions of the file and of what was measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import AfterValidator, Field

from fermiloop.platform.campaign import names
from fermiloop.platform.campaign.against_baseline import no_better_than
from fermiloop.platform.campaign.budget import core_hours_left, evaluations_left, exhausted_step
from fermiloop.platform.campaign.spec_fields import Part, Text, Whole, known

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fermiloop.platform.campaign.counting import Share
    from fermiloop.platform.campaign.records import RoundRecord
    from fermiloop.platform.campaign.spec import CampaignSpec

LEAST_TRIALS: Final = 10
"""Trials without which a baseline is no measure."""


class StopSpec(Part):
    """What ends the campaign before its budget does."""

    hits: Whole | None = Field(default=None, ge=1, description="hits that are enough")
    no_better_than: Annotated[Text, AfterValidator(known("baseline", names.BASELINES))] | None = Field(
        default=None, description="baseline that the hit rate must beat"
    )
    after: Whole = Field(default=20, ge=1, description="evaluations from which the baseline is asked")


@dataclass(frozen=True)
class Decision:
    """What follows, and why, in one sentence."""

    action: Literal["next", "stop"]
    reason: str


@dataclass(frozen=True)
class Outcome:
    """Whether a campaign that ended has a result, and why it ended, in one sentence."""

    has_results: bool
    reason: str


def outcome(rounds: Sequence[RoundRecord], reason: str, learned: str | None = None) -> Outcome:
    """What a campaign comes to that ends for a reason: without any result it says so, and why.

    Parameters
    ----------
    rounds
        All its rounds.
    reason
        Why no further round follows.
    learned
        What the generators were trained on, such as ``16 crystals of the source chgnet``; None where that is unknown.
    """
    selected, evaluated = sum(one.selected for one in rounds), sum(one.evaluated for one in rounds)
    if evaluated:
        return Outcome(True, reason)
    if selected:
        return Outcome(False, f"None of its {selected} evaluations gave a result. {reason}")
    proposed, refused = sum(one.proposed for one in rounds), sum(one.refused for one in rounds)
    if not proposed:
        trained = f", trained on {learned}," if learned else ""
        return Outcome(False, f"Nothing was evaluated, as the generators{trained} proposed nothing. {reason}")
    told = f"; the engine refuses {refused} that passed the funnel" if refused else ""
    return Outcome(False, f"Nothing was evaluated of {proposed} proposed{told}. {reason}")


def decide(
    spec: CampaignSpec, rounds: Sequence[RoundRecord], spent: Mapping[str, float], baseline: Share | None = None
) -> Decision:
    """Another round, or the end; the first reason that holds is told.

    Parameters
    ----------
    rounds
        Rounds that have closed.
    spent
        Core-seconds by step so far.
    baseline
        What the baseline of ``stop.no_better_than`` finds, where one is named.
    """
    reason = enough(spec, rounds, spent, baseline) or nothing_more(spec, rounds)
    if reason:
        return Decision("stop", reason)
    left = evaluations_left(spec.budget, rounds)
    return Decision("next", f"Round {len(rounds) + 1} follows; {left} evaluations are left.")


def enough(
    spec: CampaignSpec, rounds: Sequence[RoundRecord], spent: Mapping[str, float], baseline: Share | None = None
) -> str | None:
    """Why nothing more may be evaluated: success, a spent budget, or no gain over the baseline."""
    budget, hits = spec.budget, sum(one.hits for one in rounds)
    if spec.stop.hits is not None and hits >= spec.stop.hits:
        return f"Converged: {hits} hits were found, {spec.stop.hits} were asked for."
    if evaluations_left(budget, rounds) == 0:
        return f"All {budget.evaluations} evaluations of the budget are spent."
    if core_hours_left(budget, spent) <= 0:
        return f"All {budget.core_hours:g} core-hours of the budget are spent."
    step = exhausted_step(budget, spent)
    if step:
        return f"All {budget.stage_core_hours[step]:g} core-hours of the step {step} are spent."
    return _no_gain(spec, rounds, baseline)


def nothing_more(spec: CampaignSpec, rounds: Sequence[RoundRecord]) -> str | None:
    """Why no further round follows, although the budget would bear it."""
    if len(rounds) >= spec.budget.rounds:
        return f"All {spec.budget.rounds} rounds of the budget are done."
    if rounds and rounds[-1].selected == 0:
        last = rounds[-1]
        return (
            f"Round {last.number} left nothing new to evaluate: "
            f"of {last.proposed} proposed, {last.novel} were novel and {last.passed} passed the funnel."
        )
    return None


def _no_gain(spec: CampaignSpec, rounds: Sequence[RoundRecord], baseline: Share | None) -> str | None:
    """The campaign finds no more than its baseline would, as far as the trials can tell."""
    n, hits = sum(one.evaluated for one in rounds), sum(one.hits for one in rounds)
    if spec.stop.no_better_than is None or baseline is None or n < spec.stop.after or baseline.n < LEAST_TRIALS:
        return None
    if baseline.inside:
        n, hits = n - baseline.n, hits - baseline.hits
    holds, sentence = no_better_than(hits, n, baseline.hits, baseline.n)
    return f"Against {spec.stop.no_better_than}: {sentence}" if holds else None
