"""``/calculations``: crystals handed over, what was computed and what it cost, failed ones run again or set aside."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from fermiloop.platform.api import views
from fermiloop.platform.api.access import needs
from fermiloop.platform.api.parameters import MOST_ROWS, CalculationId, CalculationPath, CampaignName
from fermiloop.platform.api.site import Here
from fermiloop.platform.app import calculations, computing, queue
from fermiloop.platform.app.rows import Row, fields_of
from fermiloop.schemas.vocabulary import CalculationState, Role

MOST_SECONDS: Final = 30 * 86_400.0
StoredId = Annotated[str, StringConstraints(pattern=r"^[mc]-[0-9a-f]{16}$")]

router = APIRouter(prefix="/calculations", tags=["calculations"])
reads, launches = Depends(needs(Role.READ)), Depends(needs(Role.LAUNCH))


class CalculationFilters(BaseModel):
    """Filters of calculations."""

    model_config = ConfigDict(extra="forbid")

    campaign: CampaignName | None = Field(default=None, description="Of this campaign.")
    state: CalculationState | None = Field(default=None, description="In this state.")
    error: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = Field(
        default=None, description="Text that the error holds, in any case."
    )
    limit: int = Field(default=50, ge=1, le=MOST_ROWS, description="Most rows.")


class Chosen(BaseModel):
    """Calculations to do something with."""

    model_config = ConfigDict(extra="forbid")

    ids: list[CalculationId] = Field(min_length=1, max_length=1000)


class Changed(BaseModel):
    """How many were changed."""

    changed: int


class CrystalText(BaseModel):
    """The text of a structure file; its name says what it is, such as ``NiAl.cif``."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, StringConstraints(min_length=1, max_length=120)]
    text: Annotated[str, StringConstraints(min_length=1)]


class Asked(BaseModel):
    """Crystals to compute, as texts of files or as ids of materials or candidates, and what computes them."""

    model_config = ConfigDict(extra="forbid")

    crystals: list[CrystalText] = Field(default=[], max_length=MOST_ROWS)
    ids: list[StoredId] = Field(default=[], max_length=MOST_ROWS)
    engine: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
    settings: dict[str, Any] = Field(default={}, description="Of the engine.")
    relax: bool = Field(default=True, description="Whether cell and positions are relaxed first.")
    time_limit: float = Field(default=computing.TIME_LIMIT, ge=1, le=MOST_SECONDS, description="Seconds of a step.")


class Computed(BaseModel):
    """What came of each crystal so far, and who takes up what is queued."""

    data: list[dict[str, object]]
    workers: int
    told: str


@router.post("", status_code=201, dependencies=[launches])
async def compute(asked: Asked, here: Here) -> Computed:
    """Queue crystals for an engine; workers take them up. What was computed before is not paid again."""

    def launched() -> Computed:
        computing.refuse_programs(asked.engine, asked.settings)
        given = [one for file in asked.crystals for one in computing.of_text(file.name, file.text)]
        given += computing.of_store(asked.ids)
        ids = computing.launch(given, asked.engine, asked.settings, relax=asked.relax, time_limit=asked.time_limit)
        found, heard = computing.outcomes(ids), len(queue.listeners())
        return Computed(
            data=[views.plain(asdict(one)) for one in found], workers=heard, told=computing.sentence(found, heard)
        )

    return await here.work.run(launched)


@router.get("", dependencies=[reads])
async def find(filters: Annotated[CalculationFilters, Query()], here: Here) -> dict[str, object]:
    """Calculations by campaign, state and error, newest first."""

    def found() -> list[Row]:
        rows = calculations.find(
            campaign=filters.campaign, state=filters.state, error=filters.error, limit=filters.limit
        )
        return [fields_of(one, views.CALCULATION) for one in rows]

    return {"data": await here.work.run(found)}


@router.get("/{calculation}", dependencies=[reads])
async def show(calculation: CalculationPath, here: Here) -> dict[str, object]:
    """One calculation, with its settings, its result, and its outcome as `POST /calculations` gives it."""
    names = (*views.CALCULATION, "handed_over", "relaxed", "settings", "result")

    def shown() -> Row:
        row = fields_of(calculations.get(calculation), names)
        return {**row, "outcome": views.plain(asdict(computing.outcomes([calculation])[0]))}

    return {"data": await here.work.run(shown)}


@router.post("/rerun", dependencies=[launches])
async def rerun(chosen: Chosen, here: Here) -> Changed:
    """Queue failed calculations again; steps that were finished are not paid again."""
    return Changed(changed=await here.work.run(lambda: calculations.rerun(chosen.ids)))


@router.post("/cancel", dependencies=[launches])
async def cancel(chosen: Chosen, here: Here) -> Changed:
    """Cancel calculations that have no result yet: those that run stop within some seconds."""
    return Changed(changed=await here.work.run(lambda: calculations.cancel(chosen.ids)))


@router.post("/ignore", dependencies=[launches])
async def ignore(chosen: Chosen, here: Here) -> Changed:
    """Set failed calculations aside, so that they are no longer shown as wanting attention."""
    return Changed(changed=await here.work.run(lambda: calculations.ignore(chosen.ids)))
