"""``/materials``: what is known, with its labels and spectra."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Response

from fermiloop.platform.api import streaming, views
from fermiloop.platform.api.access import needs
from fermiloop.platform.api.actions import Site, site
from fermiloop.platform.api.parameters import (
    MaterialExport,
    MaterialFilters,
    MaterialPath,
    MethodId,
    windows,
)  # fmt: skip
from fermiloop.platform.errors import NotFoundError
from fermiloop.platform.plugins.properties import PROPERTIES
from fermiloop.platform.store import exchange_records, labels, materials, spectra
from fermiloop.schemas.vocabulary import Role, SpectrumKind

router = APIRouter(prefix="/materials", tags=["materials"], dependencies=[Depends(needs(Role.READ))])
SETTING: Final = ("n_sites", "origin", "source", "candidate", "created_at")
Here = Annotated[Site, Depends(site)]


@router.get("")
async def find(filters: Annotated[MaterialFilters, Query()], here: Here) -> dict[str, Any]:
    """Materials that pass every filter, by formula and id."""
    query = materials.MaterialQuery(
        properties=windows(filters.range, PROPERTIES),
        crystal_system=filters.crystal_system,
        origin=filters.origin,
        **filters.crystal(),
    )

    def rows() -> list[dict[str, Any]]:
        return materials.page(query, filters.offset, views.MATERIAL)

    return await here.work.run(lambda: views.page(rows, filters.limit, filters.offset))


@router.get("/export", response_class=Response)
async def export(filters: Annotated[MaterialExport, Query()], here: Here) -> Response:
    """What the list finds, all of it, with labels, curves, Methods and sources: what `fermiloop db load` reads back."""
    query = materials.MaterialQuery(
        properties=windows(filters.range, PROPERTIES),
        crystal_system=filters.crystal_system,
        origin=filters.origin,
        limit=filters.limit,
        **filters.atoms(),
    )
    found = await here.work.run(lambda: exchange_records.of_materials(materials.find_ids(query)))
    return await streaming.export(here, found, filters.format)


@router.get("/{material}")
async def show(material: MaterialPath, here: Here) -> dict[str, Any]:
    """One material, with its crystal and its labels."""

    def found() -> dict[str, Any]:
        one = materials.get(material)
        known = {"id": one.id, **views.fields(one, views.MATERIAL), "structure": views.plain(one.structure)}
        return {"data": {**known, "labels": _labels(material), "settings": _settings(one.id)}}

    return await here.work.run(found)


@router.get("/{material}/labels")
async def show_labels(material: MaterialPath, here: Here) -> dict[str, Any]:
    """Every label, each with its unit and its method."""

    def found() -> dict[str, Any]:
        materials.get(material)
        return {"data": _labels(material)}

    return await here.work.run(found)


@router.get("/{material}/structure")
async def structure(material: MaterialPath, here: Here, format: views.Form = "json") -> Response:  # noqa: A002
    """The crystal, as pymatgen's dictionary or as a file."""
    return await here.work.run(lambda: views.crystal(materials.structure(material), format, material))


@router.get("/{material}/spectra")
async def show_spectra(material: MaterialPath, here: Here) -> dict[str, Any]:
    """Which spectra there are, without their numbers."""

    def found() -> dict[str, Any]:
        materials.get(material)
        return {"data": [views.fields(one, views.SPECTRUM) for one in spectra.all_of_material(material)]}

    return await here.work.run(found)


@router.get("/{material}/spectra/{kind}")
async def spectrum(
    material: MaterialPath, kind: SpectrumKind, here: Here, method: MethodId | None = None
) -> dict[str, Any]:
    """One spectrum; of several methods the one asked for, or the first."""
    return await here.work.run(lambda: _spectrum(material, kind, method))


@router.get("/{material}/dos")
async def dos(material: MaterialPath, here: Here, method: MethodId | None = None) -> dict[str, Any]:
    """The density of states, energies in eV about the Fermi level."""
    return await here.work.run(lambda: _spectrum(material, SpectrumKind.DOS, method))


def _settings(material: str) -> list[dict[str, Any]]:
    """Cells in which the material came, with their moments and charges."""
    cells = materials.settings(material)
    return [{"id": cell.id, **views.fields(cell, SETTING), "structure": views.plain(cell.structure)} for cell in cells]


def _labels(material: str) -> list[dict[str, Any]]:
    return [views.fields(label, views.LABEL) for label in labels.of_material(material)]


def _spectrum(material: str, kind: SpectrumKind, method: str | None) -> dict[str, Any]:
    found = spectra.of_material(materials.get(material).id, kind, method)
    if found is None:
        raise NotFoundError(f"The material {material} has no spectrum of the kind {kind} by this method.")
    return {"data": views.curve(found)}
