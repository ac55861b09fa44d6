"""Resuming: a campaign that failed in the middle of a round does that round again.

A training that ran out of memory, a full disk, a package that was missing: once the reason is gone, what the campaign
has paid for is kept, and its round goes on. One that ended with its budget has no round left to do.
"""

from __future__ import annotations

from typing import Final

from fermiloop.flows.processes.identity import worker_name
from fermiloop.platform.errors import UserError
from fermiloop.platform.store import campaigns
from fermiloop.schemas.vocabulary import CampaignState

ROUND_KEY: Final = "fermiloop_round"
"""Under which the metadata of a round's workflow name it."""
LEASE_SECONDS: Final = 60.0
"""Of who adds a round's workflow, or begins it again."""


def begin_again(name: str) -> bool:
    """Let a failed campaign do the round again in which it broke off; False where there is none. Safe to repeat.

    Raises
    ------
    NotFoundError
        If there is no such campaign.
    UserError
        If another process does so now.
    """
    broken = campaigns.broken_round(name)
    if broken is None:
        return False
    was_queued = bool(broken.launched)  # else it was run in a process of its own, which begins it again
    if not campaigns.reopen_round(name, broken.number, broken.state):
        raise UserError(f"The campaign {name} is being resumed by another process.")
    if was_queued:
        _begin_in_queue(name, broken.number)
    else:
        campaigns.move(name, {CampaignState.FAILED}, CampaignState.RUNNING)
    return True


def _begin_in_queue(name: str, number: int) -> None:
    """Put the failed jobs of a round back into the queue, with all that follow them.

    Workers leave the round alone meanwhile, as if its workflow were being added. Killed in the middle of it, the
    campaign is found failed as before.
    """
    from fermiloop.flows.queue.documents import fireworks, workflows  # FireWorks takes half a second
    from fermiloop.flows.queue.launchpad import launchpad

    if not campaigns.claim_launch(name, number, worker_name(), LEASE_SECONDS):
        raise UserError(f"The campaign {name} is being resumed by another process.")
    pad = launchpad()
    try:
        campaigns.move(name, {CampaignState.FAILED}, CampaignState.RUNNING)
        nodes = workflows.nodes_of(pad, ROUND_KEY, campaigns.round_id(name, number))
        while (failed := fireworks.first_failed(pad, nodes)) is not None:
            pad.rerun_fw(failed.fw_id)
        if nodes:
            campaigns.mark_launched(name, number)
        else:  # the queue was emptied by hand
            campaigns.plan_again(name, number)
    finally:
        pad.connection.close()
