"""Advance: move running campaigns on, by whoever comes by; every move is made by one only.

A campaign has no process of its own. Workers call `advance` between jobs: it plans the next round when one
has closed, adds its workflow, and closes a round whose workflow came to an end without closing it.
"""

from __future__ import annotations

from typing import Any, Final

from fireworks import LaunchPad
from jobflow.managers.fireworks import flow_to_workflow

from fermiloop.flows.close import close_round
from fermiloop.flows.launchpad import has_workflow
from fermiloop.flows.round import RoundMaker
from fermiloop.flows.steps import logger
from fermiloop.platform.store import campaigns
from fermiloop.schemas.campaign import Round
from fermiloop.schemas.vocabulary import CampaignState, RoundState

ROUND_KEY: Final = "fermiloop_round"
LEASE_SECONDS: Final = 60.0
ACTIVE: Final = ("READY", "RESERVED", "RUNNING")


def advance_all(pad: LaunchPad, worker: str) -> None:
    """Advance every running campaign."""
    for campaign in campaigns.find(CampaignState.RUNNING):
        advance(pad, campaign.id, worker)


def advance(pad: LaunchPad, name: str, worker: str) -> None:
    """Move one campaign on as far as it can go without waiting."""
    current = current_round(name)
    if current is None:
        return
    if current.state is RoundState.PLANNED:
        add_workflow(pad, current, worker)
    elif current.state is RoundState.LAUNCHED and not workflow_is_active(pad, current.id):
        close_what_ended(pad, current)


def current_round(name: str) -> Round | None:
    """The round that a campaign is in, planned where the one before has closed; None where it has ended."""
    rounds = campaigns.rounds(name)
    if rounds and rounds[-1].state not in (RoundState.CLOSED, RoundState.FAILED):
        return rounds[-1]
    if rounds and rounds[-1].state is RoundState.FAILED:
        return None
    if rounds and rounds[-1].decision.get("action") != "next":
        # Closed with the decision to stop, and killed before the campaign was told.
        campaigns.set_state(name, CampaignState.FINISHED, rounds[-1].decision.get("reason"))
        return None
    number = len(rounds) + 1
    campaigns.plan_round(name, number)
    return campaigns.round_of(name, number)


def add_workflow(pad: LaunchPad, current: Round, worker: str) -> None:
    """Add the workflow of a planned round, once."""
    if not campaigns.claim_launch(current.campaign, current.number, worker, LEASE_SECONDS):
        return
    if not has_workflow(pad, ROUND_KEY, current.id):
        flow = RoundMaker().make(current.campaign, current.number)
        pad.add_wf(flow_to_workflow(flow, store=None, metadata={ROUND_KEY: current.id}))
        logger.info("round %d of %s: workflow added", current.number, current.campaign)
    campaigns.mark_launched(current.campaign, current.number)


def workflow_is_active(pad: LaunchPad, round_id: str) -> bool:
    """Whether anything of the round's workflow runs or can be run."""
    nodes = _nodes(pad, round_id)
    return pad.fireworks.find_one({"fw_id": {"$in": nodes}, "state": {"$in": list(ACTIVE)}}, {"_id": 1}) is not None


def close_what_ended(pad: LaunchPad, current: Round) -> None:
    """Close a round whose workflow ended without closing it, or fail its campaign with the reason."""
    fresh = campaigns.round_of(current.campaign, current.number)
    if fresh.state is not RoundState.LAUNCHED:
        return
    if fresh.selected:
        close_round(current.campaign, current.number)
        return
    reason = fresh.decision.get("failed") or first_failure(pad, current.id)
    fail(current.campaign, current.number, reason)


def fail(name: str, number: int, reason: str) -> None:
    """End a campaign whose round could not be done."""
    campaigns.update_round(name, number, state=RoundState.FAILED, decision={"action": "stop", "reason": reason})
    campaigns.set_state(name, CampaignState.FAILED, reason)
    logger.info("%s failed: %s", name, reason)


def first_failure(pad: LaunchPad, round_id: str) -> str:
    """Reason of the first firework of a round that failed."""
    failed = pad.fireworks.find_one({"fw_id": {"$in": _nodes(pad, round_id)}, "state": "FIZZLED"}, sort=[("fw_id", 1)])
    if failed is None:
        return "its workflow ended without closing the round"
    launch = pad.launches.find_one({"launch_id": {"$in": failed.get("launches", [])}}) or {}
    stored: dict[str, Any] = (launch.get("action") or {}).get("stored_data") or {}
    trace = str((stored.get("_exception") or {}).get("_stacktrace", "")).strip()
    return f"{failed['name']} failed: {trace.splitlines()[-1][:300] if trace else 'without a message'}"


def _nodes(pad: LaunchPad, round_id: str) -> list[int]:
    found = pad.workflows.find_one({f"metadata.{ROUND_KEY}": round_id}, {"nodes": 1})
    return list(found["nodes"]) if found else []
