"""Calculations: planned once, claimed by compare-and-set, finished once, ingested once."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import Any

from mongoengine import NotUniqueError
from pymatgen.core import Structure

from fermiloop.platform.errors import NotFoundError
from fermiloop.schemas.base import content_id, now
from fermiloop.schemas.calculation import Calculation
from fermiloop.schemas.material import structure_id
from fermiloop.schemas.vocabulary import FINISHED_CALCULATIONS, CalculationState, Engine


def plan(
    candidate: str | None,
    structure: Structure,
    *,
    engine: Engine | str,
    method: str,
    settings: dict[str, Any],
    campaign: str | None = None,
) -> str:
    """Id of the calculation of this structure by this method, planned where it is new."""
    calculation_id = content_id("calc", structure_id(structure), method)
    if not Calculation.objects(id=calculation_id).only("id").first():
        calculation = Calculation(
            id=calculation_id,
            candidate=candidate,
            campaign=campaign,
            engine=Engine(engine),
            method=method,
            settings=settings,
            structure=structure.as_dict(),
        )
        calculation.check()
        with contextlib.suppress(NotUniqueError):  # another process planned the same calculation in between
            calculation.save(force_insert=True)
    return calculation_id


def get(calculation_id: str) -> Calculation:
    """The calculation of an id.

    Raises
    ------
    NotFoundError
        If the store does not hold it.
    """
    found = Calculation.objects(id=calculation_id).first()
    if found is None:
        raise NotFoundError(f"The store holds no calculation {calculation_id}.")
    return found


def start(calculation_id: str, worker: str) -> bool:
    """Count an attempt and mark it running, unless it is finished; whether it is to be run."""
    return bool(
        Calculation.objects(id=calculation_id, state__nin=list(FINISHED_CALCULATIONS)).update(
            set__state=CalculationState.RUNNING, set__worker=worker, set__started_at=now(), inc__attempts=1
        )
    )


def finish(
    calculation_id: str,
    state: CalculationState,
    *,
    core_seconds: float,
    error: str | None = None,
    result: dict[str, Any] | None = None,
) -> bool:
    """Record the end of a calculation; False where it had one already.

    A failed one that a rerun completed later becomes completed.
    """
    ended = [CalculationState.COMPLETED] if state is CalculationState.COMPLETED else list(FINISHED_CALCULATIONS)
    return bool(
        Calculation.objects(id=calculation_id, state__nin=ended).update(
            set__state=state,
            set__core_seconds=core_seconds,
            set__error=error,
            set__result=result or {},
            set__finished_at=now(),
        )
    )


def mark_ingested(calculation_id: str, *, late: bool = False) -> bool:
    """Note that the results are in the store; True the first time only."""
    return bool(
        Calculation.objects(id=calculation_id, ingested=False).update(
            set__ingested=True, set__late=late, set__ingested_at=now()
        )
    )


def of_campaign(name: str) -> list[Calculation]:
    """Calculations of a campaign, oldest first."""
    return list(Calculation.objects(campaign=name).order_by("created_at", "id"))


def of_ids(ids: Iterable[str]) -> list[Calculation]:
    """Calculations of these ids; unknown ones are left out."""
    return list(Calculation.objects(id__in=sorted(set(ids))).order_by("id"))


def of_material(material: str) -> list[Calculation]:
    """Calculations whose result is this material."""
    return list(Calculation.objects(result__material=material).order_by("id"))


def find(*, state: CalculationState | None = None, campaign: str | None = None, limit: int = 100) -> list[Calculation]:
    """Calculations by state and campaign, newest first."""
    query: dict[str, Any] = {}
    if state:
        query["state"] = state
    if campaign:
        query["campaign"] = campaign
    return list(Calculation.objects(**query).order_by("-created_at", "id").limit(limit))
