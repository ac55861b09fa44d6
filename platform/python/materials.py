"""Materials: what is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

from fermiloop.platform.app import curves, filters, texts
from fermiloop.platform.app import materials as app
from fermiloop.platform.app.rows import Order, Row
from fermiloop.platform.plugins.properties import of_material
from fermiloop.platform.python.connecting import connected
from fermiloop.platform.python.dos import Bounds, DosLike, curve_of, from_store
from fermiloop.platform.python.found import Entry, Found
from fermiloop.platform.representations.spectral_search import Metric
from fermiloop.platform.store import material_rows

if TYPE_CHECKING:
    from pymatgen.core import Structure
    from pymatgen.electronic_structure.dos import Dos


COLUMNS: Final = (*app.FIELDS[1:], "method")  # then what is known of materials, with the properties of plug-ins


class Material(Entry):
    """A material: its values by name, its crystal, its density of states."""


class Materials(Found[Material]):
    """Materials that were found."""


def find(
    *,
    elements: str | Iterable[str] | None = None,
    formula: str | None = None,
    chemical_system: str | None = None,
    sites: tuple[int | None, int | None] | None = None,
    ranges: Mapping[str, Bounds] | None = None,
    crystal_system: str | None = None,
    space_group: str | int | None = None,
    dos_like: DosLike | None = None,
    metric: str = "cosine",
    window: Bounds | None = None,
    sort: str | None = None,
    descending: bool = False,
    limit: int = 20,
) -> Materials:
    """Materials by what they are made of, by their properties, or by a density of states that they resemble.

    Parameters
    ----------
    elements
        Symbols that must all be there, such as ``["Pd", "Ni"]``.
    formula
        Formula, its elements in any order.
    chemical_system
        Exactly these elements, such as ``"Al-Ni"``.
    sites
        Fewest and most sites of the primitive cell; None leaves a side open.
    ranges
        Property to lowest and highest value in its unit, such as ``{"band_gap": (0.5, 2.0)}``.
    crystal_system, space_group
        Such as ``"cubic"``, and a number or a symbol.
    dos_like
        A density of states; the most similar materials come first. See `similar`.
    metric
        ``"cosine"``, ``"wasserstein"`` (eV) or ``"fingerprint"``.
    window
        Energies that are compared, eV about the store's zero.
    sort, descending
        Column that the rows are sorted by.
    limit
        Most materials.

    Raises
    ------
    InputError
        If a filter is invalid, in one sentence.
    NotFoundError
        If `dos_like` names a material without a density of states.
    """
    connected()
    chosen = filters.of_materials(
        elements=elements, formula=formula, chemical_system=chemical_system, sites=sites, ranges=ranges,
        crystal_system=crystal_system, space_group=space_group, limit=limit,
    )  # fmt: skip
    near = None if dos_like is None else _nearness(dos_like, metric, window)
    order = None if sort is None else Order(sort, descending)
    return Materials(
        [_entry(row) for row in app.find(chosen, near=near, order=order)], "materials", (*COLUMNS, *of_material())
    )


def similar(dos: DosLike, *, metric: str = "cosine", window: Bounds | None = None, limit: int = 10) -> Materials:
    """Materials with the most similar density of states, the most similar first.

    Parameters
    ----------
    dos
        pymatgen's ``Dos``; a file of any known form; a material's id; a formula; or energies (eV, about the Fermi
        level) and values.
    metric
        ``"cosine"``, ``"wasserstein"`` (eV) or ``"fingerprint"``; the value is the column ``dos_similarity``, or
        ``dos_distance``.
    window
        Energies that are compared, eV.
    limit
        Most materials.

    Raises
    ------
    InputError
        If the curve cannot be used, or the metric is unknown.
    NotFoundError
        If no material of that id or formula has a density of states.
    """
    return find(dos_like=dos, metric=metric, window=window, limit=limit)


def get(identifier: str) -> Material:
    """The material of an id.

    Raises
    ------
    NotFoundError
        If it is not in the store.
    """
    connected()
    return _entry(dict(material_rows.of_materials([app.get(identifier)], app.FIELDS)[0]))


def _nearness(dos_like: DosLike, metric: str, window: Bounds | None) -> curves.Nearness:
    how = Metric(texts.one_of("metric", metric, Metric))
    return curves.Nearness(curve_of(dos_like, window), how)


def _entry(row: Row) -> Material:
    return Material(row, _crystal, _curve)


def _crystal(identifier: str) -> Structure:
    connected()
    return app.get(identifier).to_structure()


def _curve(identifier: str) -> Dos:
    connected()
    return from_store(app.spectrum(identifier))
