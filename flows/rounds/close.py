"""Close: count the round, and decide what follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jobflow import Maker, OnMissing, job

from fermiloop.flows.campaigns.ending import close_cancelled, fail, finish
from fermiloop.flows.campaigns.records import baseline, round_records, spent
from fermiloop.flows.campaigns.steps import logger, spec_of, step
from fermiloop.platform.campaign.stopping import decide
from fermiloop.platform.store import campaigns, candidates
from fermiloop.schemas.campaign import RoundDecision
from fermiloop.schemas.vocabulary import RoundAction, RoundState, Stage


@dataclass
class CloseMaker(Maker):
    """End of one round, although some of its jobs failed."""

    name: str = "close"

    def make(self, campaign: str, number: int, previous: Any = None) -> Any:
        """Job that closes the round."""
        made = close(campaign, number, previous)
        made.name = self.name
        made.config.on_missing_references = OnMissing.NONE
        return made


@job
def close(campaign: str, number: int, previous: Any = None) -> dict[str, str]:  # noqa: ARG001  (`previous` orders the jobs)
    """What follows, and why."""
    with step(campaign, number, "close"):
        decided = close_round(campaign, number)
        return {"action": str(decided.action), "reason": str(decided.reason)}


def close_round(campaign: str, number: int) -> RoundDecision:
    """Close a round by what the store holds; a repeat changes nothing."""
    spec = spec_of(campaign)
    before = campaigns.round_of(campaign, number)
    if before.state is RoundState.CLOSED:  # the campaign may have gone on since: what was decided stays
        return _ended(campaign, before.decision)
    if not before.selected and campaigns.is_cancelled(campaign):
        return close_cancelled(campaign, number)
    if before.decision.failed and not before.selected:  # a step before the selection failed
        fail(campaign, number, before.decision.failed)
        return RoundDecision(action=RoundAction.STOP, reason=before.decision.failed)
    for candidate in candidates.of_round(campaign, number):
        if candidate.stage is Stage.SELECTED:
            candidates.update(candidate.id, stage=Stage.FAILED, reason="its evaluation ended without a record")
    rounds = [record for record in round_records(campaign) if record.number <= number]
    decision = decide(spec, rounds, spent(campaign), baseline(spec, rounds))
    told = RoundDecision(action=decision.action, reason=decision.reason)
    current = campaigns.round_of(campaign, number)
    counts = {**current.counts, "selected": len(current.selected)}
    if campaigns.close_round(campaign, number, counts=counts, decision=told):
        logger.info("round %d of %s closed: %s", number, campaign, decision.reason)
    return _ended(campaign, told)


def _ended(campaign: str, told: RoundDecision) -> RoundDecision:
    """Finish a campaign whose round decided so."""
    if told.action == RoundAction.STOP:
        finish(campaign, str(told.reason))
    return told
