"""Calculations in bulk: failed ones run again or set aside, and such that have no result yet cancelled.

Those whose result lacks a property are run again as well.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from fermiloop.flows.engines.steps import isolation
from fermiloop.flows.evaluations import asking
from fermiloop.flows.processes.identity import is_gone
from fermiloop.flows.queue import giving_back
from fermiloop.flows.queue.launchpad import launchpad
from fermiloop.flows.rounds.evaluations import add_evaluation
from fermiloop.platform.errors import UserError
from fermiloop.platform.store import calculations, campaigns, candidates
from fermiloop.schemas.calculation import Calculation
from fermiloop.schemas.candidate import Candidate
from fermiloop.schemas.vocabulary import (
    FINISHED_CALCULATIONS,
    LIVE_CAMPAIGNS,
    CalculationState,
    CampaignState,
    Stage,
)

CANCELLED: Final = "it was cancelled by hand"


def rerun(ids: Iterable[str], time_limit: float | None = None) -> int:
    """Queue calculations again that failed or lack a property; steps that were finished are not paid again. How many.

    Parameters
    ----------
    time_limit
        Seconds that each may take, in place of its campaign's.

    Raises
    ------
    NotFoundError
        If a calculation is not in the store.
    UserError
        If one has not failed and lacks nothing, or its campaign was cancelled.
    """
    chosen = [calculations.get(one) for one in dict.fromkeys(ids)]
    for calculation in chosen:
        _check(calculation)
    pad = launchpad()
    try:
        for calculation in chosen:
            waiting = _wanting(calculation)
            isolation.forget_failure(calculation.id)
            isolation.forget_lacking(calculation.id)
            for candidate in waiting:
                candidates.update(candidate.id, stage=Stage.SELECTED, reason=None)
            # last: killed before that, the calculation is still what it was, and is asked for again
            calculations.put_back(calculation.id, failed_too=True, lacking_too=True, time_limit=time_limit)
            calculations.forget_stop(calculation.id)  # of one that was cancelled
            for candidate in waiting:
                add_evaluation(pad, candidate)
            if calculation.handed_over:
                asking.add(pad, calculation.id)
    finally:
        pad.connection.close()
    return len(chosen)


def ignore(ids: Iterable[str]) -> int:
    """Set failed calculations aside, so that they are no longer shown as wanting attention; how many were.

    Raises
    ------
    NotFoundError
        If a calculation is not in the store.
    """
    return sum(calculations.ignore(calculations.get(one).id) for one in dict.fromkeys(ids))


def cancel(ids: Iterable[str]) -> int:
    """Cancel calculations that have no result yet; how many. Handing the crystal over again goes on.

    One that waits has failed at once; one that runs is told to stop, and fails within some seconds. What its finished
    steps left is kept.

    Raises
    ------
    NotFoundError
        If a calculation is not in the store.
    UserError
        If one has ended, or is an evaluation of a campaign that goes on.
    """
    chosen = [calculations.get(one) for one in dict.fromkeys(ids)]
    for calculation in chosen:
        _check_open(calculation)
    told = calculations.request_stop([one.id for one in chosen], CANCELLED)
    for calculation in calculations.of_ids(one.id for one in chosen):
        lost = calculation.state is CalculationState.RUNNING and is_gone(calculation.worker or "")
        if lost:
            giving_back.end_programs(calculation.id)
        if lost or calculation.state is CalculationState.WAITING:  # none starts once it is told to stop
            cost, reason = isolation.core_seconds(calculation.id), f"stopped: {CANCELLED}"
            calculations.finish(calculation.id, CalculationState.FAILED, core_seconds=cost, error=reason)
    return told


def _check_open(calculation: Calculation) -> None:
    if calculation.state in FINISHED_CALCULATIONS:
        raise UserError(f"The calculation {calculation.id} is {calculation.state}, so there is nothing to cancel.")
    waiting = {one.campaign for one in _wanting(calculation) if one.stage is Stage.SELECTED}
    live = sorted(str(one.id) for one in campaigns.of_names(waiting) if one.state in LIVE_CAMPAIGNS)
    if live:
        raise UserError(
            f"The calculation {calculation.id} is an evaluation of the campaign {live[0]}; fermiloop campaign cancel "
            f"{live[0]} ends that with its evaluations."
        )


def _check(calculation: Calculation) -> None:
    if calculation.state is not CalculationState.FAILED and not calculations.missing(calculation):
        raise UserError(
            f"The calculation {calculation.id} is {calculation.state}; only failed ones are run again, and those whose "
            "result lacks a property."
        )
    own = calculation.campaign if not calculation.handed_over else None  # that one is wanted without its campaign
    if own and campaigns.get(own).state is CampaignState.CANCELLED and not _wanting(calculation):
        raise UserError(
            f"The calculation {calculation.id} belongs to {own}, which was cancelled; clone the campaign to go on."
        )


def _wanting(calculation: Calculation) -> list[Candidate]:
    """Candidates that a calculation is the evaluation of, in campaigns that were not cancelled."""
    found = candidates.of_calculation(calculation.id)
    return [one for one in found if not campaigns.is_cancelled(one.campaign)]
