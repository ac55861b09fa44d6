"""``/calculations``: what was computed, what it cost, and failed ones run again or set aside."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from fermiloop.platform.api import views
from fermiloop.platform.api.access import needs
from fermiloop.platform.api.parameters import MOST_ROWS, CalculationId, CalculationPath, CampaignName
from fermiloop.platform.api.site import Here
from fermiloop.platform.app import calculations
from fermiloop.platform.app.rows import Row, fields_of
from fermiloop.schemas.vocabulary import CalculationState, Role

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
    """One calculation, with its settings and its result."""
    names = (*views.CALCULATION, "settings", "result")
    return {"data": await here.work.run(lambda: fields_of(calculations.get(calculation), names))}


@router.post("/rerun", dependencies=[launches])
async def rerun(chosen: Chosen, here: Here) -> Changed:
    """Queue failed calculations again; steps that were finished are not paid again."""
    return Changed(changed=await here.work.run(lambda: calculations.rerun(chosen.ids)))


@router.post("/ignore", dependencies=[launches])
async def ignore(chosen: Chosen, here: Here) -> Changed:
    """Set failed calculations aside, so that they are no longer shown as wanting attention."""
    return Changed(changed=await here.work.run(lambda: calculations.ignore(chosen.ids)))
