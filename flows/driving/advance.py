"""Advance: move campaigns on, by any worker that comes by; every move is made by one only.

A campaign has no process of its own. Workers call `advance` between jobs: it plans the next round when one
has closed, adds its workflow, and closes a round whose workflow came to an end without closing it. A paused
campaign stays where it is; a cancelled one is put in order once its last evaluation has ended.
"""

from __future__ import annotations

from fireworks import LaunchPad

from fermiloop.flows.campaigns.ending import close_cancelled
from fermiloop.flows.campaigns.fair_share import queue_shares
from fermiloop.flows.campaigns.resuming import LEASE_SECONDS, ROUND_KEY
from fermiloop.flows.campaigns.steps import logger, spec_of
from fermiloop.flows.driving.asynchronous import advance_asynchronous
from fermiloop.flows.driving.states import close_what_ended, current_round, is_asynchronous, newest_round
from fermiloop.flows.queue.documents import fireworks, launches, workflows
from fermiloop.flows.queue.giving_back import release
from fermiloop.flows.queue.launchpad import add_flow
from fermiloop.flows.round import flow_of
from fermiloop.platform.store import campaigns, candidates
from fermiloop.schemas.campaign import Round
from fermiloop.schemas.vocabulary import CampaignState, RoundState, Stage


def advance_all(pad: LaunchPad, worker: str) -> None:
    """Advance every running campaign, and settle the cancelled ones."""
    for campaign in campaigns.find(CampaignState.RUNNING):
        advance(pad, campaign.id, worker)
    for current in campaigns.open_rounds():
        if campaigns.get(current.campaign).state is CampaignState.CANCELLED:
            settle(pad, current)


def advance(pad: LaunchPad, name: str, worker: str) -> None:
    """Move one campaign on as far as it can go without waiting."""
    asynchronous = is_asynchronous(name)
    if asynchronous:
        advance_asynchronous(pad, name, worker)
    current = newest_round(name) if asynchronous else current_round(name)
    if current is None:
        return
    if current.state is RoundState.PLANNED:
        add_workflow(pad, current, worker)
    elif current.state is RoundState.LAUNCHED and not workflow_is_active(pad, current.id):
        close_what_ended(current, lambda: first_failure(pad, current.id))


def add_workflow(pad: LaunchPad, current: Round, worker: str) -> None:
    """Add the workflow of a planned round, once."""
    if not campaigns.claim_launch(current.campaign, current.number, worker, LEASE_SECONDS):
        return
    if not workflows.has_workflow(pad, ROUND_KEY, current.id):
        flow = flow_of(spec_of(current.campaign).mode, current.campaign, current.number)
        add_flow(pad, flow, current.campaign, {ROUND_KEY: current.id})
        logger.info("round %d of %s: workflow added", current.number, current.campaign)
    campaigns.mark_launched(current.campaign, current.number)


def workflow_is_active(pad: LaunchPad, round_id: str) -> bool:
    """Whether anything of the round's workflow runs or can be run."""
    return fireworks.is_active(pad, _nodes(pad, round_id))


def settle(pad: LaunchPad, current: Round) -> None:
    """Close a round of a cancelled campaign when nothing of it runs; what was not begun is not paid."""
    nodes = _nodes(pad, current.id)
    if current.state is RoundState.LAUNCHED and fireworks.is_held(pad, nodes):
        return
    if any(share.campaign == current.campaign for share in queue_shares(pad)):
        return
    for candidate in candidates.of_round(current.campaign, current.number):
        if candidate.stage is Stage.SELECTED:
            release(candidate)
    for fw_id in fireworks.ready_of(pad, nodes):
        pad.defuse_fw(fw_id)
    close_cancelled(current.campaign, current.number)


def first_failure(pad: LaunchPad, round_id: str) -> str:
    """Reason of the first firework of a round that failed."""
    failed = launches.first_failure(pad, _nodes(pad, round_id))
    if failed is None:
        return "its workflow ended without closing the round"
    trace = failed.trace.strip()
    return f"{failed.name} failed: {trace.splitlines()[-1][:300] if trace else 'without a message'}"


def _nodes(pad: LaunchPad, round_id: str) -> list[int]:
    return workflows.nodes_of(pad, ROUND_KEY, round_id)
