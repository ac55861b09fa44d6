"""``/materials``: what is known, with its labels and spectra."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Response

from fermiloop.platform.api import streaming, views
from fermiloop.platform.api.access import needs
from fermiloop.platform.api.parameters import (
    MaterialExport,
    MaterialFilters,
    MaterialPath,
    MethodId,
)  # fmt: skip
from fermiloop.platform.api.site import Here
from fermiloop.platform.app import labels, materials
from fermiloop.platform.app.rows import Row, fields_of
from fermiloop.schemas.curve_kinds import SpectrumKind
from fermiloop.schemas.label import Label
from fermiloop.schemas.setting import Setting
from fermiloop.schemas.vocabulary import Role

router = APIRouter(prefix="/materials", tags=["materials"], dependencies=[Depends(needs(Role.READ))])
SETTING: Final = ("n_sites", "origin", "source", "candidate", "created_at")


@router.get("")
async def find(filters: Annotated[MaterialFilters, Query()], here: Here) -> dict[str, object]:
    """Materials that pass every filter, by formula and id."""
    wanted = filters.filters(filters.limit + 1)  # one more tells whether there is a next page
    found = await here.work.run(lambda: materials.page(wanted, filters.offset, views.MATERIAL))
    return views.page(found, filters.limit, filters.offset)


@router.get("/export", response_class=Response)
async def export(filters: Annotated[MaterialExport, Query()], here: Here) -> Response:
    """What the list finds, all of it, with labels, curves, Methods and sources: what `fermiloop db load` reads back."""
    wanted = filters.filters(filters.limit)
    found = await here.work.run(lambda: materials.export(wanted))
    return await streaming.export(here, found, filters.format)


@router.get("/{material}")
async def show(material: MaterialPath, here: Here) -> dict[str, object]:
    """One material, with its crystal and its labels."""

    def found() -> dict[str, object]:
        one = materials.known(material)
        known = {"id": one.material.id, **fields_of(one.material, views.MATERIAL)}
        rows = {"labels": _labels(one.labels), "settings": _settings(one.settings)}
        return {"data": {**known, "structure": views.plain(one.material.structure), **rows}}

    return await here.work.run(found)


@router.get("/{material}/labels")
async def show_labels(material: MaterialPath, here: Here) -> dict[str, object]:
    """Every label, each with its unit and its method."""
    return {"data": await here.work.run(lambda: _labels(labels.of_material(material)))}


@router.get("/{material}/structure")
async def structure(material: MaterialPath, here: Here, format: views.Form = "json") -> Response:  # noqa: A002
    """The crystal, as pymatgen's dictionary or as a file."""
    return await here.work.run(lambda: views.crystal(materials.get(material).to_structure(), format, material))


@router.get("/{material}/spectra")
async def show_spectra(material: MaterialPath, here: Here) -> dict[str, object]:
    """Which spectra there are, without their numbers."""

    def found() -> dict[str, object]:
        return {"data": [fields_of(one, views.SPECTRUM) for one in materials.curves(material)]}

    return await here.work.run(found)


@router.get("/{material}/spectra/{kind}")
async def spectrum(
    material: MaterialPath, kind: SpectrumKind, here: Here, method: MethodId | None = None
) -> dict[str, object]:
    """One spectrum; of several methods the one asked for, or the first."""
    return await here.work.run(lambda: _spectrum(material, kind, method))


@router.get("/{material}/dos")
async def dos(material: MaterialPath, here: Here, method: MethodId | None = None) -> dict[str, object]:
    """The density of states, energies in eV about the Fermi level."""
    return await here.work.run(lambda: _spectrum(material, SpectrumKind.DOS, method))


def _settings(cells: list[Setting]) -> list[Row]:
    """Cells in which the material came, with their moments and charges."""
    return [{"id": cell.id, **fields_of(cell, SETTING), "structure": views.plain(cell.structure)} for cell in cells]


def _labels(found: list[Label]) -> list[Row]:
    return [fields_of(label, views.LABEL) for label in found]


def _spectrum(material: str, kind: SpectrumKind, method: str | None) -> dict[str, object]:
    return {"data": views.curve(materials.spectrum(material, kind, method))}
