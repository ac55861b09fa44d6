"""Where a campaign stands and what follows: the moves that both drivers make, in this process and by workers."""

from __future__ import annotations

from collections.abc import Callable

from fermiloop.flows.campaigns.ending import fail, finish
from fermiloop.flows.campaigns.steps import spec_of
from fermiloop.flows.rounds.close import close_round
from fermiloop.platform.store import campaigns, candidates
from fermiloop.schemas.campaign import Round, RoundDecision
from fermiloop.schemas.vocabulary import ENDED_ROUNDS, RoundAction, RoundState, Stage


def is_asynchronous(name: str) -> bool:
    """Whether a campaign selects without waiting for the end of a round."""
    return spec_of(name).mode == "asynchronous"


def newest_round(name: str) -> Round | None:
    """The last round that was planned."""
    rounds = campaigns.rounds(name)
    return rounds[-1] if rounds else None


def current_round(name: str) -> Round | None:
    """The round that a campaign is in, planned where the one before has closed; None where it has ended."""
    rounds = campaigns.rounds(name)
    if rounds and rounds[-1].state not in ENDED_ROUNDS:
        return rounds[-1]
    if rounds and rounds[-1].state is RoundState.FAILED:
        return None
    if rounds and rounds[-1].decision.action != RoundAction.NEXT:
        # Closed with the decision to stop, and killed before the campaign was told.
        finish(name, str(rounds[-1].decision.reason))
        return None
    number = len(rounds) + 1
    campaigns.plan_round(name, number)
    return campaigns.round_of(name, number)


def close_what_ended(current: Round, failure: Callable[[], str]) -> None:
    """Close a round whose flow ended without closing it, or fail its campaign with the reason.

    Parameters
    ----------
    failure
        Why its flow failed, where none of its steps has said so.
    """
    fresh = campaigns.round_of(current.campaign, current.number)
    if fresh.state is not RoundState.LAUNCHED:
        return
    if fresh.selected:
        close_round(current.campaign, current.number)
    elif is_asynchronous(current.campaign) and _is_screened(fresh):
        close_generation(fresh)
    else:
        fail(current.campaign, current.number, fresh.decision.failed or failure())


def _is_screened(current: Round) -> bool:
    """Whether all candidates of a round have gone through the funnel; its counts are written first."""
    proposed = candidates.of_round(current.campaign, current.number)
    return "passed" in current.counts and all(one.stage is not Stage.PROPOSED for one in proposed)


def close_generation(current: Round) -> None:
    """Close the round of an asynchronous campaign once its candidates are screened; its evaluations go on."""
    told = f"{current.counts['passed']} candidates joined the pool."
    decision = RoundDecision(action=RoundAction.NEXT, reason=told)
    campaigns.close_round(current.campaign, current.number, counts=dict(current.counts), decision=decision)
