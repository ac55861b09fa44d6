"""Documents as JSON-ready data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from fastapi import Response
from fastapi.responses import JSONResponse
from pymatgen.core import Structure

from fermiloop.platform import jsonable
from fermiloop.platform.app.rows import Row, fields_of
from fermiloop.platform.jsonable import plain as plain
from fermiloop.platform.representations import crystal_files
from fermiloop.schemas.spectrum import Spectrum

Form = Literal["json", "cif", "cif-p1", "poscar", "extxyz"]

MATERIAL: Final = (
    "formula", "elements", "chemical_system", "n_sites", "crystal_system", "space_group", "prototype",
    "volume_per_atom", "origin", "source", "candidate", "created_at",
)  # fmt: skip
CALCULATION: Final = (
    "id", "candidate", "campaign", "engine", "method", "state", "attempts", "worker", "core_seconds", "error",
    "created_at", "started_at", "finished_at",
)  # fmt: skip
CAMPAIGN: Final = ("state", "reason", "created_at", "closed_at")
LABEL: Final = ("id", "property", "value", "unit", "method", "version", "calculation")
SPECTRUM: Final = (
    "id", "material", "kind", "method", "lo", "hi", "n", "axis_unit", "alignment", "gap", "unit", "n_electrons",
    "calculation",
)  # fmt: skip


class SafeJson(JSONResponse):
    """Response in which NaN and infinity are null."""

    def render(self, content: object) -> bytes:
        """Bytes of the content."""
        return jsonable.text(content, separators=(",", ":")).encode()


def page(rows: Sequence[Row], limit: int, offset: int) -> dict[str, object]:
    """Rows of a page, of which one more than asked was looked up, and the offset of the next, if there is one."""
    return {"data": plain(rows[:limit]), "next": offset + limit if len(rows) > limit else None}


def crystal(structure: Structure, form: Form, name: str) -> Response:
    """A crystal as pymatgen's dictionary, or as a file that bears its name."""
    if form == "json":
        return SafeJson(structure.as_dict())
    kind = crystal_files.CrystalForm(form)
    return Response(crystal_files.text(structure, kind, name), media_type=crystal_files.MEDIA_TYPE[kind])


def curve(spectrum: Spectrum) -> Row:
    """A spectrum with its numbers."""
    numbers = {"energies": plain(spectrum.points()), "values": plain(spectrum.array())}
    return {**fields_of(spectrum, SPECTRUM), **numbers}
