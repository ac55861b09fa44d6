"""Calculations: planned once, claimed by compare-and-set, finished once, ingested once."""

from __future__ import annotations

import contextlib
import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from mongoengine import NotUniqueError, Q
from pymatgen.core import Structure

from fermiloop.platform.errors import InputError, NotFoundError
from fermiloop.platform.representations.canonical import written_moments
from fermiloop.platform.store import aliases, sequence
from fermiloop.schemas.base import content_id, now
from fermiloop.schemas.calculation import Calculation
from fermiloop.schemas.material import structure_id
from fermiloop.schemas.vocabulary import FINISHED_CALCULATIONS, OPEN_CALCULATIONS, CalculationState

LACKING: Final = Q(state=CalculationState.COMPLETED, result__missing__exists=True)
"""Completed, but for a property that the engine gives."""


def plan(
    candidate: str | None,
    structure: Structure,
    *,
    engine: str,
    method: str,
    settings: dict[str, Any],
    campaign: str | None = None,
    relaxed: bool = True,
) -> str:
    """Id of the calculation of this structure by this method, planned where it is new."""
    calculation_id = id_of(structure, method, relaxed=relaxed)
    known = Calculation.objects(id=calculation_id).only("id", "state", "stop_requested").first()
    if known is not None and known.stop_requested:  # of a campaign that was cancelled: now another one wants it
        put_back(calculation_id, failed_too=True)
        forget_stop(calculation_id)
    if known is None:
        calculation = Calculation(
            id=calculation_id,
            candidate=candidate,
            campaign=campaign,
            engine=engine,
            method=method,
            settings=settings,
            structure=structure.as_dict(),
            relaxed=relaxed,
            sequence=sequence.take(),
        )
        calculation.check()
        with contextlib.suppress(NotUniqueError):  # another process planned the same calculation in between
            calculation.save(force_insert=True)
    return calculation_id


def id_of(structure: Structure, method: str, *, relaxed: bool = True) -> str:
    """Id of the calculation of a structure by a Method, whether it is planned or not.

    Moments at its sites are part of it: two magnetic orders of one cell are two calculations.
    """
    more = [*([] if relaxed else ["as it is"]), *([ordered] if (ordered := written_moments(structure)) else [])]
    return content_id("calc", structure_id(structure), method, *more)


def hand_over(calculation_id: str, what: str, time_limit: float) -> None:
    """Note that a calculation is wanted for its own sake, whatever becomes of the campaign that planned it.

    Parameters
    ----------
    what
        What was handed over: the name of a file, an id.
    time_limit
        Seconds that each of its steps may take.
    """
    Calculation.objects(id=calculation_id).update(set__handed_over=what, set__time_limit=time_limit)


def handed_over(state: Iterable[CalculationState] = OPEN_CALCULATIONS) -> list[Calculation]:
    """Calculations in these states that are wanted for their own sake, oldest first."""
    found = Calculation.objects(handed_over__ne=None, state__in=sorted(state))
    return list(found.order_by("sequence", "created_at", "id"))


def change_settings(calculation_id: str, settings: dict[str, Any]) -> bool:
    """Let one that failed, or whose result lacks a property, wait again by other settings of the same Method.

    Whether it was such a one, by other settings.
    """
    if dict(get(calculation_id).settings) == settings:
        return False
    wanting = Calculation.objects(Q(state=CalculationState.FAILED) | LACKING, id=calculation_id)
    changed = wanting.update(set__settings=settings)
    return bool(changed) and put_back(calculation_id, failed_too=True, lacking_too=True)


def any_of_method(method: str) -> Calculation | None:
    """Newest calculation that is planned by a Method and handed over; None where there is none."""
    found = Calculation.objects(method=method, handed_over__ne=None).order_by("-sequence").only("engine", "settings")
    newest: Calculation | None = found.first()
    return newest


def failures(method: str) -> dict[str, str]:
    """Reasons of the calculations by a Method that failed, by id; one that is run again is no longer among them."""
    found = Calculation.objects(method=method, state=CalculationState.FAILED, stop_requested=None)
    return {one.id: one.error or "without a reason" for one in found.only("id", "error")}


def get(calculation_id: str) -> Calculation:
    """The calculation of an id.

    Raises
    ------
    NotFoundError
        If it is not in the store.
    """
    found = Calculation.objects(id=calculation_id).first()
    if found is None:
        raise NotFoundError(f"The store holds no calculation {calculation_id}.")
    return found


def missing(calculation: Calculation) -> dict[str, str]:
    """Why properties that the engine gives are not in the result of a completed calculation, by their names."""
    return dict(calculation.result.get("missing") or {}) if calculation.state is CalculationState.COMPLETED else {}


def exists(calculation_id: str) -> bool:
    """Whether the store holds it."""
    return Calculation.objects(id=calculation_id).only("id").first() is not None


def start(calculation_id: str, worker: str) -> bool:
    """Mark a waiting calculation as running, and count the attempt; whether it was waiting."""
    return bool(
        Calculation.objects(id=calculation_id, state=CalculationState.WAITING, stop_requested=None).update(
            set__state=CalculationState.RUNNING, set__worker=worker, set__started_at=now(), inc__attempts=1
        )
    )


def request_stop(ids: Iterable[str], why: str) -> int:
    """Tell calculations that have no result yet to stop; how many were told.

    Parameters
    ----------
    why
        In words that go on after "stopped: ".
    """
    states = sorted(OPEN_CALCULATIONS)
    return int(Calculation.objects(id__in=sorted(set(ids)), state__in=states).update(set__stop_requested=why))


def stop_requested(calculation_id: str) -> str | None:
    """Why a calculation is to stop; None where nobody has asked for that."""
    found = Calculation.objects(id=calculation_id).only("stop_requested").first()
    return found.stop_requested if found is not None else None


def forget_stop(calculation_id: str) -> None:
    """Take back that a calculation is to stop."""
    Calculation.objects(id=calculation_id).update(unset__stop_requested=1)


def claim(calculation_id: str, worker: str, over: str | None = None) -> bool:
    """Take the right to run a calculation's steps, also over one that is lost; False where another has it."""
    free = [None, worker, *([over] if over else [])]
    return bool(Calculation.objects(id=calculation_id, claimed_by__in=free).update(set__claimed_by=worker))


def claimant(calculation_id: str) -> str | None:
    """Who has that right, None where nobody has or there is no such calculation."""
    found = Calculation.objects(id=calculation_id).only("claimed_by").first()
    return found.claimed_by if found is not None else None


def release(calculation_id: str, worker: str) -> None:
    """Give that right back."""
    Calculation.objects(id=calculation_id, claimed_by=worker).update(unset__claimed_by=1)


def put_back(
    calculation_id: str,
    *,
    failed_too: bool = False,
    lacking_too: bool = False,
    time_limit: float | None = None,
    worker: str | None = None,
) -> bool:
    """Let a calculation wait again whose run was lost, or where asked one that failed; whether it was so.

    Parameters
    ----------
    lacking_too
        One whose result lacks a property as well.
    time_limit
        Seconds that each of its steps may take from now on.
    worker
        Whose run was lost; anybody's by default.
    """
    states = [CalculationState.RUNNING, *([CalculationState.FAILED] if failed_too else [])]
    more = {} if time_limit is None else {"set__time_limit": time_limit}
    whose = {} if worker is None else {"worker": worker}
    wanted = Q(state__in=states) | LACKING if lacking_too else Q(state__in=states)
    return bool(
        Calculation.objects(wanted, id=calculation_id, **whose).update(
            set__state=CalculationState.WAITING, set__error=None, set__ignored=False, unset__worker=1, **more
        )
    )


def discard(calculation_id: str) -> bool:
    """Forget a calculation that was planned, never begun, and not handed over; whether it was one."""
    waiting = Calculation.objects(id=calculation_id, state=CalculationState.WAITING, attempts=0, handed_over=None)
    return bool(waiting.delete())


def pass_on(calculation_id: str, candidate: str, campaign: str) -> bool:
    """Let a calculation that was never begun be another campaign's, which pays for it; whether it was one."""
    waiting = Calculation.objects(id=calculation_id, state=CalculationState.WAITING, attempts=0)
    return bool(waiting.update(set__candidate=candidate, set__campaign=campaign))


def ignore(calculation_id: str) -> bool:
    """Leave a failed calculation out of what wants attention; whether it was a failed one."""
    return bool(Calculation.objects(id=calculation_id, state=CalculationState.FAILED).update(set__ignored=True))


def finish(
    calculation_id: str,
    state: CalculationState,
    *,
    core_seconds: float,
    error: str | None = None,
    result: dict[str, Any] | None = None,
    late: bool | None = None,
) -> bool:
    """Record the end of a calculation; False where it had one already.

    A failed one that a rerun completed later becomes completed. `late` is given where the results are in the store,
    which `mark_ingested` notes else.
    """
    ended = [CalculationState.COMPLETED] if state is CalculationState.COMPLETED else list(FINISHED_CALCULATIONS)
    return bool(
        Calculation.objects(id=calculation_id, state__nin=ended).update(
            set__state=state,
            set__core_seconds=core_seconds,
            set__error=error,
            set__result=result or {},
            set__finished_at=now(),
            **({} if late is None else _ingested(late=late)),
        )
    )


def set_method(calculation_id: str, method: str) -> None:
    """Note that a calculation ran by another method than it was planned by."""
    Calculation.objects(id=calculation_id).update(set__method=method)


def mark_ingested(calculation_id: str, *, late: bool = False) -> bool:
    """Note that the results are in the store; True the first time only."""
    return bool(Calculation.objects(id=calculation_id, ingested=False).update(**_ingested(late=late)))


def _ingested(*, late: bool) -> dict[str, Any]:
    return {
        "set__ingested": True,
        "set__late": late,
        "set__ingested_at": now(),
        "set__ingested_sequence": sequence.take(),
    }


def of_campaign(name: str) -> list[Calculation]:
    """Calculations of a campaign, oldest first."""
    return list(Calculation.objects(campaign=name).order_by("sequence", "created_at", "id"))


@dataclass(frozen=True)
class Cost:
    """What an evaluation that has ended was of, and what it cost."""

    method: str
    elements: frozenset[str]
    core_seconds: float


def ended(engine: str, limit: int) -> list[Cost]:
    """Costs of the newest evaluations of an engine that have ended, failed ones included."""
    query = Calculation.objects(engine=engine, state__in=list(FINISHED_CALCULATIONS), core_seconds__gt=0)
    rows = query.order_by("-sequence", "-created_at", "id").only("method", "structure", "core_seconds").limit(limit)
    return [Cost(row.method, _elements(row.structure), float(row.core_seconds)) for row in rows]


def _elements(structure: dict[str, Any]) -> frozenset[str]:
    species = (one["element"] for site in structure["sites"] for one in site["species"])
    return frozenset(species)


def of_ids(ids: Iterable[str]) -> list[Calculation]:
    """Calculations of these ids; unknown ones are left out."""
    return list(Calculation.objects(id__in=sorted(set(ids))).order_by("id"))


def of_material(material: str) -> list[Calculation]:
    """Calculations whose result is this material."""
    found = list(Calculation.objects(result__material=material).order_by("id"))
    return found or list(Calculation.objects(result__material=aliases.one(material)).order_by("id"))


def find(
    *,
    state: CalculationState | None = None,
    campaign: str | None = None,
    error: str | None = None,
    ignored: bool | None = None,
    limit: int = 100,
) -> list[Calculation]:
    """Calculations by state, campaign and error, newest first.

    Parameters
    ----------
    error
        Regular expression that the error must hold, in any case.
    ignored
        Whether they were set aside; None gives both.

    Raises
    ------
    InputError
        If the expression is none.
    """
    query: dict[str, Any] = {}
    if state:
        query["state"] = state
    if campaign:
        query["campaign"] = campaign
    if ignored is not None:
        query["ignored"] = True if ignored else {"$ne": True}
    found = Calculation.objects(__raw__=query).order_by("-sequence", "-created_at", "id")
    if error is None:
        return list(found.limit(limit))
    pattern = _pattern(error)
    matching = (one for one in found.filter(__raw__={"error": {"$ne": None}}) if pattern.search(one.error or ""))
    return list(itertools.islice(matching, limit))


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text, re.IGNORECASE)
    except re.error as error:
        raise InputError(f"The error pattern {text!r} is no regular expression: {error}.") from None
