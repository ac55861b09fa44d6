"""Giving back: evaluations whose run was ended before they were done wait again; what was finished is recorded."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from typing import Final

from mongoengine.connection import ConnectionFailure
from pymongo.errors import PyMongoError

from fermiloop.flows.engines.steps import isolation, orphans
from fermiloop.flows.processes.identity import is_gone, parse, worker_name
from fermiloop.platform.errors import DatabaseError, StoppedError
from fermiloop.platform.store import calculations, candidates
from fermiloop.schemas.calculation import Calculation
from fermiloop.schemas.candidate import Candidate
from fermiloop.schemas.vocabulary import CalculationState, Stage

AWAY: Final = (PyMongoError, ConnectionFailure, DatabaseError)


def in_flight(campaign: str) -> list[tuple[Candidate, Calculation]]:
    """Selected candidates of a campaign without a result, with their calculations."""
    waiting = [c for c in candidates.outlines(campaign) if c.stage is Stage.SELECTED and c.calculation]
    known = {c.id: c for c in calculations.of_ids(c.calculation for c in waiting)}
    return [(c, known[c.calculation]) for c in waiting if c.calculation in known]


def running(campaign: str) -> list[tuple[Candidate, Calculation]]:
    """Those that run, as far as is known from here."""
    return [
        (candidate, calculation)
        for candidate, calculation in in_flight(campaign)
        if calculation.state is CalculationState.RUNNING and not is_gone(calculation.worker or "")
    ]


def of_the_lost(campaign: str) -> None:
    """Let evaluations wait again whose process of this host was killed in the middle of them."""
    for _, calculation in in_flight(campaign):
        if calculation.state is CalculationState.RUNNING and calculation.worker and is_gone(calculation.worker):
            calculations.put_back(calculation.id)


def of_killed(pids: Iterable[int]) -> None:
    """End what workers of this host left that had to be killed; their runs are the queue's to recover."""
    killed = set(pids)
    if not killed:
        return
    me = parse(worker_name())
    for calculation in calculations.find(state=CalculationState.RUNNING, limit=10_000):
        worker = parse(calculation.worker or "")
        if me is not None and worker is not None and worker.pid in killed and me.shares_pids(worker):
            end_programs(calculation.id)
            calculations.put_back(calculation.id)


def end_programs(calculation: str) -> int:
    """End all programs of this host that work at a calculation; how many there were."""
    folder = isolation.step_folder(calculation, "")
    steps = [path for path in folder.glob("*") if path.is_dir()]
    places = [*steps, *(path for step in steps for path in step.glob("*") if path.is_dir())]
    n = len(orphans.working_in(*places))
    for step in steps:
        isolation.end_orphans(step)
    orphans.end_all(places, orphans.SHORT)
    return n


def stopped(campaign: str, first: Callable[[], object] = lambda: None) -> StoppedError:
    """What a user is told of a campaign that was stopped by hand: what was given back, and how to go on.

    Parameters
    ----------
    first
        Gives back; where the database is away, launching again does.
    """
    given: list[str] = []
    with contextlib.suppress(*AWAY):
        first()
        given = [
            candidate.formula
            for candidate, calculation in in_flight(campaign)
            if calculation.state is CalculationState.WAITING and calculation.attempts
        ]
    what = (
        f"{', '.join(given)} {'were' if len(given) > 1 else 'was'} given back unfinished"
        if given
        else "no evaluation was cut off"
    )
    return StoppedError(
        f"Stopped: {what}; fermiloop campaign launch with the file of {campaign} goes on where it stopped, "
        f"fermiloop campaign cancel {campaign} ends it."
    )


def release(candidate: Candidate) -> None:
    """Give back a selection that was never begun, or that was given back; a repeat changes nothing.

    What another candidate waits for stays, and belongs to that one's campaign where nothing was paid for it yet.
    """
    found = calculations.of_ids([candidate.calculation])
    if found and found[0].state is not CalculationState.WAITING:
        return
    others = (one for one in candidates.of_calculation(candidate.calculation) if one.id != candidate.id)
    heir = next((one for one in others if one.stage is Stage.SELECTED), None)
    if heir is None:
        calculations.discard(candidate.calculation)
    else:
        calculations.pass_on(candidate.calculation, heir.id, heir.campaign)
    candidates.update(candidate.id, stage=Stage.PASSED, calculation=None)
