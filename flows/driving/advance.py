"""Advance: move campaigns on, by any worker that comes by; every move is made by one only.

A campaign has no process of its own. Workers call `advance` between jobs: it plans the next round when one
has closed, adds its workflow, and closes a round whose workflow came to an end without closing it. A paused
campaign stays where it is; a cancelled one is put in order once its last evaluation has ended.
"""

from __future__ import annotations

from typing import Any, Final

from fireworks import LaunchPad

from fermiloop.flows.campaigns.ending import close_cancelled, fail, finish
from fermiloop.flows.campaigns.fair_share import lots
from fermiloop.flows.campaigns.steps import logger, spec_of
from fermiloop.flows.driving.asynchronous import advance_steadily
from fermiloop.flows.queue.giving_back import release
from fermiloop.flows.queue.launchpad import add_flow, has_workflow
from fermiloop.flows.round import flow_of
from fermiloop.flows.rounds.close import close_round
from fermiloop.platform.store import campaigns, candidates
from fermiloop.schemas.campaign import Round, RoundDecision
from fermiloop.schemas.vocabulary import ENDED_ROUNDS, CampaignState, RoundAction, RoundState, Stage

ROUND_KEY: Final = "fermiloop_round"
LEASE_SECONDS: Final = 60.0
ACTIVE: Final = ("READY", "RESERVED", "RUNNING")


def advance_all(pad: LaunchPad, worker: str) -> None:
    """Advance every running campaign, and settle the cancelled ones."""
    for campaign in campaigns.find(CampaignState.RUNNING):
        advance(pad, campaign.id, worker)
    for current in campaigns.open_rounds():
        if campaigns.get(current.campaign).state is CampaignState.CANCELLED:
            settle(pad, current)


def advance(pad: LaunchPad, name: str, worker: str) -> None:
    """Move one campaign on as far as it can go without waiting."""
    steady = is_steady(name)
    if steady:
        advance_steadily(pad, name, worker)
    current = newest_round(name) if steady else current_round(name)
    if current is None:
        return
    if current.state is RoundState.PLANNED:
        add_workflow(pad, current, worker)
    elif current.state is RoundState.LAUNCHED and not workflow_is_active(pad, current.id):
        close_what_ended(pad, current)


def is_steady(name: str) -> bool:
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


def add_workflow(pad: LaunchPad, current: Round, worker: str) -> None:
    """Add the workflow of a planned round, once."""
    if not campaigns.claim_launch(current.campaign, current.number, worker, LEASE_SECONDS):
        return
    if not has_workflow(pad, ROUND_KEY, current.id):
        flow = flow_of(spec_of(current.campaign).mode, current.campaign, current.number)
        add_flow(pad, flow, current.campaign, {ROUND_KEY: current.id})
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
    if is_steady(current.campaign) and "passed" in fresh.counts:
        close_generation(fresh)
        return
    reason = fresh.decision.failed or first_failure(pad, current.id)
    fail(current.campaign, current.number, reason)


def close_generation(current: Round) -> None:
    """Close the round of an asynchronous campaign once its candidates are screened; its evaluations go on."""
    told = f"{current.counts['passed']} candidates joined the pool."
    decision = RoundDecision(action=RoundAction.NEXT, reason=told)
    campaigns.close_round(current.campaign, current.number, counts=dict(current.counts), decision=decision)


def settle(pad: LaunchPad, current: Round) -> None:
    """Close a round of a cancelled campaign when nothing of it runs; what was not begun is not paid."""
    nodes = {"fw_id": {"$in": _nodes(pad, current.id)}}
    if current.state is RoundState.LAUNCHED and pad.fireworks.find_one(
        {**nodes, "state": {"$in": ["RESERVED", "RUNNING"]}}, {"_id": 1}
    ):
        return
    if any(lot.campaign == current.campaign for lot in lots(pad)):
        return
    for candidate in candidates.of_round(current.campaign, current.number):
        if candidate.stage is Stage.SELECTED:
            release(candidate)
    for firework in pad.fireworks.find({**nodes, "state": "READY"}, {"fw_id": 1}):
        pad.defuse_fw(firework["fw_id"])
    close_cancelled(current.campaign, current.number)


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
