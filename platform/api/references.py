"""``/references`` and ``/hulls``: energies of the elements and known phases of a chemical system, by an engine."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from fermiloop.platform.api import views
from fermiloop.platform.api.access import needs
from fermiloop.platform.api.parameters import MOST_ROWS, Elements
from fermiloop.platform.api.site import Here
from fermiloop.platform.app import computing, queue, references, texts
from fermiloop.schemas.vocabulary import Role

if TYPE_CHECKING:
    from fermiloop.flows.driving.referencing import Built

MOST_SECONDS: Final = 30 * 86_400.0
MOST_ELEMENTS: Final = 118
EngineName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
Symbol = Annotated[str, StringConstraints(pattern=r"^[A-Z][a-z]?$")]
Pair = Annotated[str, StringConstraints(max_length=200)]

router = APIRouter(prefix="/references", tags=["references"])
hulls = APIRouter(prefix="/hulls", tags=["hulls"])
reads, launches = Depends(needs(Role.READ)), Depends(needs(Role.LAUNCH))


class OfEngine(BaseModel):
    """By which engine."""

    model_config = ConfigDict(extra="forbid")

    engine: EngineName = Field(description="Such as gpaw-hard.")
    settings: list[Pair] = Field(default=[], max_length=40, description="NAME=VALUE of the engine; repeatable.")


class OfElements(OfEngine):
    """References, of some elements or of all."""

    elements: Elements | None = Field(default=None, description="These: O,Ti; all that are shipped by default.")


class OfSystem(OfEngine):
    """The hull of a chemical system."""

    elements: Elements = Field(description="The system: V,O.")


class Asked(BaseModel):
    """What is computed, and by what."""

    model_config = ConfigDict(extra="forbid")

    engine: EngineName
    settings: dict[str, Any] = Field(default={}, description="Of the engine.")
    time_limit: float = Field(default=computing.TIME_LIMIT, ge=1, le=MOST_SECONDS, description="Seconds of a step.")


class ElementsAsked(Asked):
    """Elements whose ground states are computed; all that the engine computes where none is named."""

    elements: list[Symbol] | None = Field(default=None, min_length=1, max_length=MOST_ELEMENTS)


class SystemAsked(Asked):
    """A chemical system whose elements and stored phases are computed."""

    elements: list[Symbol] = Field(min_length=1, max_length=MOST_ELEMENTS)
    limit: int = Field(default=50, ge=1, le=MOST_ROWS, description="Most phases, the most stable by any Method first.")


class BuiltSoFar(BaseModel):
    """What came of each crystal so far, who takes up what is queued, and what the engine refuses."""

    data: list[dict[str, object]]
    method: str
    refused: dict[str, str]
    restated: int
    workers: int
    told: str


@router.get("", dependencies=[reads])
async def find(asked: Annotated[OfElements, Query()], here: Here) -> dict[str, object]:
    """Reference energy of each element by an engine, null where there is none."""

    def found() -> list[object]:
        settings = references.settings_from_network(asked.engine, asked.settings)
        wanted = None if asked.elements is None else texts.elements(asked.elements)
        return [views.plain(asdict(one)) for one in references.known(asked.engine, settings, wanted)]

    return {"data": await here.work.run(found)}


@router.post("", status_code=201, dependencies=[launches])
async def build(asked: ElementsAsked, here: Here) -> BuiltSoFar:
    """Queue the ground states of the elements; what was computed before is not paid again."""
    how = references.from_network(asked.engine, asked.settings, asked.time_limit)
    return await here.work.run(lambda: _told(references.build(how, asked.elements)))


@hulls.get("", dependencies=[reads])
async def show(asked: Annotated[OfSystem, Query()], here: Here) -> dict[str, object]:
    """Stored materials of a chemical system with formation energy and energy above the hull, stable ones first."""

    def found() -> list[object]:
        settings = references.settings_from_network(asked.engine, asked.settings)
        rows = references.hull(asked.engine, settings, texts.elements(asked.elements))
        return [views.plain(asdict(one)) for one in rows]

    return {"data": await here.work.run(found)}


@hulls.post("", status_code=201, dependencies=[launches])
async def build_hull(asked: SystemAsked, here: Here) -> BuiltSoFar:
    """Queue the stored phases of a chemical system and its elements."""
    how = references.from_network(asked.engine, asked.settings, asked.time_limit)
    return await here.work.run(lambda: _told(references.build_hull(how, asked.elements, asked.limit)))


def _told(built: Built) -> BuiltSoFar:
    heard = len(queue.listeners())
    return BuiltSoFar(
        data=[views.plain(asdict(one)) for one in built.outcomes], method=built.method, refused=built.refused,
        restated=built.restated, workers=heard, told=computing.sentence(built.outcomes, heard),
    )  # fmt: skip
