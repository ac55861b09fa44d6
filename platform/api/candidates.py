"""``/candidates``: what was proposed, where it came from, and what became of it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from fermiloop.platform.api import streaming, views
from fermiloop.platform.api.access import needs
from fermiloop.platform.api.parameters import (
    CandidateExport,
    CandidateFilters,
    CandidatePath,
    MethodId,
)  # fmt: skip
from fermiloop.platform.api.site import Here
from fermiloop.platform.app import candidates
from fermiloop.platform.store.candidate_columns import NAMES
from fermiloop.platform.store.geometry import Geometry
from fermiloop.schemas.candidate import Candidate
from fermiloop.schemas.vocabulary import Role

router = APIRouter(prefix="/candidates", tags=["candidates"], dependencies=[Depends(needs(Role.READ))])


@router.get("")
async def find(filters: Annotated[CandidateFilters, Query()], here: Here) -> dict[str, object]:
    """Candidates that pass every filter, by campaign, round and id."""
    wanted = filters.filters(filters.limit + 1)  # one more tells whether there is a next page
    found = await here.work.run(lambda: candidates.page(wanted, filters.offset, NAMES))
    return views.page(found, filters.limit, filters.offset)


@router.get("/export", response_class=Response)
async def export(filters: Annotated[CandidateExport, Query()], here: Here) -> Response:
    """What the list finds, all of it, with lineage, verdicts, scores and the materials that they became."""
    wanted = filters.filters(filters.limit)
    found = await here.work.run(lambda: candidates.export(wanted))
    return await streaming.export(here, found, filters.format)


@router.get("/{candidate}")
async def show(candidate: CandidatePath, here: Here) -> dict[str, object]:
    """One candidate, with its crystals, proposed and computed, and its lineage."""

    def found() -> dict[str, object]:
        one = candidates.get(candidate)
        known = {"id": one.id, **candidates.row(one, NAMES)}
        return {"data": {**known, **_crystals(one), "lineage": _lineage(candidate)}}

    return await here.work.run(found)


@router.get("/{candidate}/lineage")
async def explain(candidate: CandidatePath, here: Here) -> dict[str, object]:
    """Candidate, seed, checkpoint, snapshot, labels, calculations, and what learned from them."""
    return {"data": await here.work.run(lambda: _lineage(candidate))}


@router.get("/{candidate}/structure")
async def structure(
    candidate: CandidatePath,
    here: Here,
    format: views.Form = "json",  # noqa: A002
    geometry: Geometry | None = None,
) -> Response:
    """The crystal, as pymatgen's dictionary or as a file; the computed one once there is one, unless asked otherwise.

    The header `X-Geometry` says which it is.
    """

    def found() -> Response:
        kind, crystal = candidates.crystal(candidate, geometry)
        answer = views.crystal(crystal, format, f"{candidate}-{kind}")
        answer.headers["X-Geometry"] = str(kind)
        return answer

    return await here.work.run(found)


@router.get("/{candidate}/dos")
async def dos(candidate: CandidatePath, here: Here, method: MethodId | None = None) -> dict[str, object]:
    """The computed density of states, energies in eV about the Fermi level."""
    return {"data": await here.work.run(lambda: views.curve(candidates.dos(candidate, method)))}


def _crystals(one: Candidate) -> dict[str, object]:
    """The crystal that stands for a candidate, which it is, and the proposed one."""
    kind, crystal = candidates.crystal(one.id)
    return {
        "geometry": str(kind),
        "structure": views.plain(crystal.as_dict()),
        "proposed_structure": views.plain(one.structure),
    }


def _lineage(candidate: str) -> object:
    return views.plain(candidates.explain(candidate))
