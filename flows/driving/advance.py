"""Advance: move campaigns on, by any worker that comes by; every move is made by one only.

A campaign has no process of its own. Workers call `advance` between jobs: it plans the next round when one
has closed, adds its workflow, and closes a round whose workflow came to an end without closing it. A paused
campaign stays where it is; a cancelled one is put in order once its last evaluation has ended.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

from fireworks import LaunchPad
from pydantic import ValidationError

from fermiloop.flows.campaigns.ending import break_off, close_cancelled
from fermiloop.flows.campaigns.fair_share import queue_shares
from fermiloop.flows.campaigns.methods import difference
from fermiloop.flows.campaigns.resuming import LEASE_SECONDS, ROUND_KEY
from fermiloop.flows.campaigns.steps import logger, spec_of
from fermiloop.flows.driving.asynchronous import advance_asynchronous
from fermiloop.flows.driving.states import close_what_ended, current_round, is_asynchronous, newest_round
from fermiloop.flows.queue.documents import fireworks, launches, workflows
from fermiloop.flows.queue.giving_back import AWAY, release
from fermiloop.flows.queue.launchpad import add_flow
from fermiloop.flows.round import flow_of
from fermiloop.platform.store import campaigns, candidates
from fermiloop.schemas.campaign import Round
from fermiloop.schemas.vocabulary import CampaignState, RoundState, Stage


def advance_all(pad: LaunchPad, worker: str) -> None:
    """Advance every running campaign, and settle the cancelled ones; one that cannot go on holds up no other."""
    for campaign in campaigns.find(CampaignState.RUNNING):
        _by_itself(campaign.id, functools.partial(advance, pad, campaign.id, worker))
    for current in campaigns.open_rounds():
        if campaigns.get(current.campaign).state is CampaignState.CANCELLED:
            _by_itself(current.campaign, functools.partial(settle, pad, current))


def _by_itself(name: str, move: Callable[[], object]) -> None:
    """Make a move of one campaign; where it fails, the campaign fails with the reason, unless this machine is at fault.

    What another version wrote, or needs packages that are not here, is left to other machines.
    """
    try:
        move()
    except AWAY:
        raise
    except ValidationError as error:
        _tell(name, f"it is left to other machines: {error.error_count()} keys of its file are not known here")
    except Exception as error:  # noqa: BLE001  (whatever it was, the other campaigns go on)
        reason = f"{type(error).__name__}: {' '.join(str(error).split())}"[:500]
        if (other := difference(spec_of(name))) is not None:
            _tell(name, f"it is left to other machines: {other}")
        elif not break_off(name, reason):
            _tell(name, reason)


@functools.lru_cache(maxsize=1024)
def _tell(name: str, what: str) -> None:
    """Log something of a campaign, once."""
    logger.warning("%s: %s", name, what)


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
