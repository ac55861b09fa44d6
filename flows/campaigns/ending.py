"""How a campaign ends: one place for every driver, in this process or by workers, in rounds or asynchronous."""

from __future__ import annotations

from typing import Final

from fermiloop.flows.campaigns.records import round_records
from fermiloop.flows.campaigns.steps import logger
from fermiloop.platform.campaign.stopping import outcome
from fermiloop.platform.store import campaigns, methods, snapshots
from fermiloop.schemas.campaign import RoundDecision
from fermiloop.schemas.vocabulary import CampaignState, RoundAction, RoundState

CANCELLED: Final = "The campaign was cancelled."
STATES: Final = {True: CampaignState.FINISHED, False: CampaignState.FAILED}


def finish(name: str, reason: str) -> None:
    """End a running campaign: finished where an evaluation gave a result, failed with the reason where none did."""
    found = outcome(round_records(name), reason, trained_on(name))
    if campaigns.move(name, {CampaignState.RUNNING}, STATES[found.has_results], found.reason):
        logger.info("%s %s: %s", name, STATES[found.has_results], found.reason)


def trained_on(name: str) -> str | None:
    """What the newest generators of a campaign were trained on, for people; None before the first training."""
    frozen = [one.snapshot for one in campaigns.rounds(name) if one.snapshot]
    if not frozen:
        return None
    snapshot = snapshots.get(frozen[-1])
    sources = [method.source for method in methods.of_ids([snapshot.method])]
    return f"{snapshot.n} crystals of the source {', '.join(sources) or snapshot.method} (retrain.source)"


def fail(name: str, number: int, reason: str) -> None:
    """End a campaign whose round could not be done; a cancelled one stays so."""
    if campaigns.is_cancelled(name):
        close_cancelled(name, number)
        return
    campaigns.update_round(name, number, state=RoundState.FAILED, decision=_stop(reason))
    campaigns.set_state(name, CampaignState.FAILED, reason)
    logger.info("%s failed: %s", name, reason)


def break_off(name: str, reason: str) -> bool:
    """Fail a running campaign that cannot go on, at its newest round; whether it was running."""
    if not campaigns.move(name, {CampaignState.RUNNING}, CampaignState.FAILED, reason):
        return False
    if rounds := campaigns.rounds(name):
        campaigns.update_round(name, rounds[-1].number, state=RoundState.FAILED, decision=_stop(reason))
    logger.warning("%s failed: %s", name, reason)
    return True


def close_cancelled(name: str, number: int) -> RoundDecision:
    """Close a round whose campaign was cancelled before it came to its end; a repeat changes nothing."""
    decision = _stop(CANCELLED)
    campaigns.close_round(name, number, counts=dict(campaigns.round_of(name, number).counts), decision=decision)
    return decision


def _stop(reason: str) -> RoundDecision:
    return RoundDecision(action=RoundAction.STOP, reason=reason)
