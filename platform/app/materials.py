"""Materials: found, looked at, exported."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from fermiloop.platform.app.filters import MaterialFilters, everything
from fermiloop.platform.app.rows import Order, Row
from fermiloop.platform.app.texts import MOST_ROWS
from fermiloop.platform.errors import NotFoundError
from fermiloop.platform.plugins.properties import of_material
from fermiloop.platform.store import exchange_records, labels, material_rows, materials, spectra
from fermiloop.schemas.curve_kinds import SpectrumKind

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

    from fermiloop.platform.app.curves import Nearness
    from fermiloop.platform.store.exchange_records import Selection
    from fermiloop.schemas.label import Label
    from fermiloop.schemas.material import Material
    from fermiloop.schemas.setting import Setting
    from fermiloop.schemas.spectrum import Spectrum

FIELDS: Final = (
    "id", "formula", "crystal_system", "space_group", "n_sites", "prototype", "volume_per_atom", "origin", "elements",
    "chemical_system", "source", "candidate",
)  # fmt: skip


@dataclass(frozen=True)
class Known:
    """A material with its labels and the cells in which it came."""

    material: Material
    labels: list[Label]
    settings: list[Setting]


def find(filters: MaterialFilters, *, near: Nearness | None = None, order: Order | None = None) -> list[Row]:
    """Rows of the materials that pass: by formula and id, in the order asked for, or nearest first.

    Each holds the fields of `FIELDS`, the values of one Method under their names, and the value of the nearness.
    """
    query = filters.query()
    if near is not None:
        return _nearest(filters, near)
    if order is None:
        return _rows(materials.find(query))
    if order.name not in (*of_material(), "method"):
        return _rows(materials.find(replace(query, sort=order.name, descending=order.descending)))
    known = material_rows.values(materials.find_ids(replace(query, limit=MOST_ROWS)))
    first = [str(row["id"]) for row in order.sorted({"id": key, **row} for key, row in known.items())[: query.limit]]
    return _rows(materials.get_many(first).values())


def page(filters: MaterialFilters, offset: int, fields: Sequence[str]) -> list[Row]:
    """Rows of what passes after the first `offset`, by formula and id, of the fields asked for."""
    return [dict(row) for row in materials.page(filters.query(), offset, fields)]


def documents(filters: MaterialFilters) -> list[Material]:
    """Whole documents of what passes."""
    return materials.find(filters.query())


def get(identifier: str) -> Material:
    """The material of an id, be it a former one, or that of a cell in which it came.

    Raises
    ------
    NotFoundError
        If it is not in the store.
    """
    return materials.get(identifier)


def get_many(ids: Iterable[str]) -> dict[str, Material]:
    """Materials by id; unknown ids are left out."""
    return materials.get_many(ids)


def known(identifier: str) -> Known:
    """A material with all that is known of it.

    Raises
    ------
    NotFoundError
        If it is not in the store.
    """
    found = materials.get(identifier)
    return Known(found, labels.of_material(found.id), materials.settings(found.id))


def crystals(ids: Iterable[str]) -> dict[str, Structure]:
    """Crystals by id."""
    return materials.structures(ids)


def spectrum(identifier: str, kind: SpectrumKind = SpectrumKind.DOS, method: str | None = None) -> Spectrum:
    """One curve of a material; of several Methods the one asked for, or the first.

    Raises
    ------
    NotFoundError
        If the material is not in the store, or has no such curve.
    """
    found = spectra.of_material(materials.get(identifier).id, kind, method)
    if found is None:
        raise NotFoundError(f"The material {identifier} has no spectrum of the kind {kind} by this method.")
    return found


def curves(identifier: str) -> list[Spectrum]:
    """All curves of a material.

    Raises
    ------
    NotFoundError
        If it is not in the store.
    """
    return spectra.all_of_material(materials.get(identifier).id)


def export(filters: MaterialFilters) -> Selection:
    """What passes, to be written to a file or sent: with labels, curves, Methods and sources."""
    return exchange_records.of_materials(materials.find_ids(filters.query()))


def _rows(found: Iterable[Material]) -> list[Row]:
    return [dict(row) for row in material_rows.of_materials(found, FIELDS)]


def _nearest(filters: MaterialFilters, near: Nearness) -> list[Row]:
    """What passes, in the order of the similarity of its density of states to the one asked for."""
    all_of_them = filters == everything(filters.limit)
    among = None if all_of_them else materials.find_ids(replace(filters.query(), limit=MOST_ROWS))
    values = near.ranking(filters.limit, among)
    return [{**row, near.key: values[str(row["id"])]} for row in _rows(materials.get_many(values).values())]
