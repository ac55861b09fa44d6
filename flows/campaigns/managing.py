"""Campaigns by name: paused, resumed (`resuming` has those that failed), cancelled, cloned.

All of it is a state in the store; workers look at it before they take a job (`flows.campaigns.fair_share`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

import yaml

from fermiloop.flows.campaigns import resuming
from fermiloop.flows.campaigns.steps import spec_of
from fermiloop.flows.engines.steps import isolation
from fermiloop.flows.processes.identity import is_gone
from fermiloop.flows.queue import giving_back, running
from fermiloop.flows.queue.running import Running
from fermiloop.platform.campaign.spec import CampaignSpec, parse_spec
from fermiloop.platform.errors import UserError
from fermiloop.platform.store import calculations, campaigns, candidates, connection
from fermiloop.schemas.calculation import Calculation
from fermiloop.schemas.candidate import Candidate
from fermiloop.schemas.vocabulary import LIVE_CAMPAIGNS, CalculationState, CampaignState, Stage

CANCELLED: Final = "its campaign was cancelled"
LOOK_EVERY: Final = 1.0  # s


def pause(name: str) -> None:
    """Take no new work from a campaign; evaluations that have begun go on to their end.

    Raises
    ------
    NotFoundError
        If there is no such campaign.
    UserError
        If it is not running.
    """
    _move(name, {CampaignState.RUNNING}, CampaignState.PAUSED, "Paused by hand.", "is not running, so it is not paused")


def resume(name: str) -> None:
    """Let a paused campaign go on where it was, and one that failed in the middle of a round at that round.

    Raises
    ------
    NotFoundError
        If there is no such campaign.
    UserError
        If it is not paused, and has not failed so.
    """
    if resuming.begin_again(name):
        return
    _move(name, {CampaignState.PAUSED}, CampaignState.RUNNING, None, "is neither paused nor failed in a round")


def cancel(name: str, *, wait: bool = False) -> list[Running]:
    """End a campaign; all results are kept.

    Parameters
    ----------
    wait
        Let the evaluations that run come to their end, in place of telling them to stop.

    Returns
    -------
    running
        Evaluations that still run: told to stop, which takes some seconds, or on their way to their end.

    Raises
    ------
    NotFoundError
        If there is no such campaign.
    UserError
        If it has ended.
    """
    _move(name, LIVE_CAMPAIGNS, CampaignState.CANCELLED, "Cancelled by hand.", "has ended, so it is not cancelled")
    found = giving_back.in_flight(name)
    own = [(candidate, calculation) for candidate, calculation in found if not _is_wanted(calculation, name)]
    chosen = [calculation.id for _, calculation in own if not wait or calculation.attempts == 0]
    calculations.request_stop(chosen, CANCELLED)
    if not wait:
        for candidate, calculation in own:
            _end_of_the_lost(candidate, calculation)
    return running.of_campaign(name)


def await_end(name: str, progress: Callable[[str, float], None], timeout: float | None = None) -> int:
    """Wait until no evaluation of a campaign runs.

    Parameters
    ----------
    progress
        Told what runs, and the share of it that has ended.
    timeout
        Seconds to wait at most; None waits without end.

    Returns
    -------
    left
        How many still run.
    """
    begun, most = time.monotonic(), 0
    while True:
        rows: list[Running] = connection.retrying(lambda: running.of_campaign(name))
        most = max(most, len(rows))
        if not rows or (timeout is not None and time.monotonic() - begun >= timeout):
            return len(rows)
        doing = "; ".join(f"{one.formula} {one.progress.sentence or 'runs'}" for one in rows)
        progress(doing, 1 - len(rows) / most)
        time.sleep(LOOK_EVERY if timeout is None else min(LOOK_EVERY, timeout))


def _is_wanted(calculation: Calculation, name: str) -> bool:
    """Whether another campaign that goes on waits for the same calculation, or it was handed over by itself."""
    if calculation.handed_over:
        return True
    others = {c.campaign for c in candidates.of_calculation(calculation.id) if c.stage is Stage.SELECTED} - {name}
    return any(one.state in LIVE_CAMPAIGNS for one in campaigns.of_names(others))


def _end_of_the_lost(candidate: Candidate, calculation: Calculation) -> None:
    """End what a killed worker of this host left running, and record that."""
    if calculation.state is CalculationState.RUNNING and is_gone(calculation.worker or ""):
        giving_back.end_programs(calculation.id)
        cost, reason = isolation.core_seconds(calculation.id), f"stopped: {CANCELLED}"
        if calculations.finish(calculation.id, CalculationState.FAILED, core_seconds=cost, error=reason):
            candidates.update(candidate.id, stage=Stage.FAILED, reason=reason)


def clone(name: str, new_name: str) -> str:
    """Campaign file of a campaign under another name; a curve file's numbers stand in it.

    Raises
    ------
    NotFoundError
        If there is no such campaign.
    SpecError
        If the new name is none.
    """
    tree = {**_without_defaults(spec_of(name)), "name": new_name}
    text = yaml.safe_dump(tree, sort_keys=False, allow_unicode=True)
    parse_spec(text, source=f"The clone of {name}")
    return text


def _without_defaults(spec: CampaignSpec) -> dict[str, Any]:
    return spec.model_dump(mode="json", exclude_defaults=True)


def _move(name: str, expected: set[CampaignState] | frozenset[CampaignState], state: CampaignState, reason: str | None,
          refusal: str) -> None:  # fmt: skip
    if not campaigns.move(name, expected, state, reason):
        raise UserError(f"The campaign {name} {refusal}; its state is {campaigns.get(name).state}.")
