"""``/candidates``: what was proposed, where it came from, and what became of it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from fermiloop.platform.api import streaming, views
from fermiloop.platform.api.access import needs
from fermiloop.platform.api.actions import Site, site
from fermiloop.platform.api.parameters import (
    CandidateExport,
    CandidateFilters,
    CandidatePath,
    MethodId,
    windows,
)  # fmt: skip
from fermiloop.platform.errors import NotFoundError
from fermiloop.platform.store import candidate_rows, candidates, exchange_records, lineage, spectra
from fermiloop.platform.store.geometry import Geometry, crystal_of
from fermiloop.schemas.candidate import Candidate
from fermiloop.schemas.scores import SCORES
from fermiloop.schemas.vocabulary import Role

router = APIRouter(prefix="/candidates", tags=["candidates"], dependencies=[Depends(needs(Role.READ))])
Here = Annotated[Site, Depends(site)]


@router.get("")
async def find(filters: Annotated[CandidateFilters, Query()], here: Here) -> dict[str, Any]:
    """Candidates that pass every filter, by campaign, round and id."""
    query = candidates.CandidateQuery(
        campaign=filters.campaign,
        round=filters.round,
        stage=filters.stage,
        generator=filters.generator,
        scores=windows(filters.range, SCORES),
        **filters.crystal(),
    )

    def rows() -> list[dict[str, Any]]:
        return [candidate_rows.flat(row) for row in candidates.page(query, filters.offset, views.CANDIDATE)]

    return await here.work.run(lambda: views.page(rows, filters.limit, filters.offset))


@router.get("/export", response_class=Response)
async def export(filters: Annotated[CandidateExport, Query()], here: Here) -> Response:
    """What the list finds, all of it, with lineage, verdicts, scores and the materials that they became."""
    query = candidates.CandidateQuery(
        campaign=filters.campaign,
        round=filters.round,
        stage=filters.stage,
        generator=filters.generator,
        scores=windows(filters.range, SCORES),
        limit=filters.limit,
        **filters.atoms(),
    )
    found = await here.work.run(lambda: exchange_records.of_candidates(row["id"] for row in candidates.rows(query, ())))
    return await streaming.export(here, found, filters.format)


@router.get("/{candidate}")
async def show(candidate: CandidatePath, here: Here) -> dict[str, Any]:
    """One candidate, with its crystals, proposed and computed, and its lineage."""

    def found() -> dict[str, Any]:
        one = candidates.get(candidate)
        known = {"id": one.id, **candidate_rows.flat(views.fields(one, views.CANDIDATE))}
        return {"data": {**known, **_crystals(one), "lineage": _lineage(candidate)}}

    return await here.work.run(found)


@router.get("/{candidate}/lineage")
async def explain(candidate: CandidatePath, here: Here) -> dict[str, Any]:
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
        kind, crystal = crystal_of(candidates.get(candidate), geometry)
        answer = views.crystal(crystal, format, f"{candidate}-{kind}")
        answer.headers["X-Geometry"] = str(kind)
        return answer

    return await here.work.run(found)


@router.get("/{candidate}/dos")
async def dos(candidate: CandidatePath, here: Here, method: MethodId | None = None) -> dict[str, Any]:
    """The computed density of states, energies in eV about the Fermi level."""

    def found() -> dict[str, Any]:
        material = candidates.get(candidate).material
        spectrum = spectra.of_material(material, method=method) if material else None
        if spectrum is None:
            raise NotFoundError(f"The candidate {candidate} has no computed density of states.")
        return {"data": views.curve(spectrum)}

    return await here.work.run(found)


def _crystals(one: Candidate) -> dict[str, Any]:
    """The crystal that stands for a candidate, which it is, and the proposed one."""
    kind, crystal = crystal_of(one)
    return {
        "geometry": str(kind),
        "structure": views.plain(crystal.as_dict()),
        "proposed_structure": views.plain(one.structure),
    }


def _lineage(candidate: str) -> dict[str, Any]:
    chain = lineage.explain(candidate)
    chain["descendants"] = [lineage.descendants(one["id"]) for one in chain["calculations"]]
    return dict(views.plain(chain))
