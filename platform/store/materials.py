"""Materials: saved once, found by elements, formula, chemical system, size and labels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pymatgen.core import Composition, Structure

from fermiloop.platform.errors import InputError, NotFoundError
from fermiloop.platform.plugins.properties import declared_property
from fermiloop.platform.representations.molecules import MOST_ATOMS, SPARSE, is_molecule
from fermiloop.platform.store import aliases, identity
from fermiloop.platform.store.batches import in_batches
from fermiloop.schemas.label import Label
from fermiloop.schemas.material import Material
from fermiloop.schemas.setting import Setting
from fermiloop.schemas.vocabulary import Origin

BATCH = 1000
LEAST_MOMENT = 0.1
"""μB at a site: what programs leave on atoms without a moment is less."""


@dataclass(frozen=True)
class MaterialQuery:
    """Filters; those left out do not filter.

    Parameters
    ----------
    elements
        All of these must be present.
    formula
        Any spelling of it.
    chemical_system
        Exactly these elements, as ``Al-Ni``.
    n_sites
        Fewest and most sites.
    properties
        Property name to its range, in its unit, by any method.
    space_group
        Number of the space group.
    sort
        Field that the rows are sorted by, ties by id; by formula unless given.
    descending
        Whether the largest comes first.
    """

    elements: tuple[str, ...] = ()
    formula: str | None = None
    chemical_system: str | None = None
    n_sites: tuple[int, int] | None = None
    properties: dict[str, tuple[float, float]] = field(default_factory=dict)
    crystal_system: str | None = None
    space_group: int | None = None
    origin: str | None = None
    ids: tuple[str, ...] | None = None
    limit: int = 50
    sort: str = "formula"
    descending: bool = False

    @property
    def order(self) -> dict[str, int]:
        """How the store sorts."""
        return {"_id" if self.sort == "id" else self.sort: -1 if self.descending else 1} | (
            {} if self.sort == "id" else {"_id": 1}
        )


def save(
    structure: Structure,
    *,
    origin: Origin,
    source: dict[str, Any],
    prototype: str | None = None,
    candidate: str | None = None,
) -> str:
    """Id of the material that a crystal is, saved where it is new; its cell is kept as a setting of it.

    What was computed per cell is of this cell: `per_cell` tells how to bring it to that of the material.

    Raises
    ------
    InputError
        If the structure is no crystal.
    """
    material = Material.from_structure(
        structure, origin=origin, source=source, prototype=prototype, candidate=candidate
    )
    material.check()
    ids, _ = identity.take_in([material])
    return ids[material.id]


def save_many(materials: Sequence[Material]) -> int:
    """Insert checked materials that the store does not hold yet; returns how many were new.

    What is saved under the id of one that was not new is moved to the material that it is.
    """
    return identity.take_in(materials)[1]


def per_cell(material_id: str, structure: Structure) -> float:
    """By what a quantity of a cell of this crystal is multiplied to be one of the material's cell."""
    return int(get(material_id).n_sites) / len(structure)


def settings(material_id: str) -> list[Setting]:
    """Cells in which a material came, the oldest first."""
    return list(Setting.objects(material=aliases.one(material_id)).order_by("created_at", "id"))


def take_in(materials: Sequence[Material]) -> tuple[dict[str, str], int]:
    """Save crystals; the id of its material by the id that each was made with, and how many materials were new."""
    return identity.take_in(materials)


def moved(ids: Iterable[str]) -> dict[str, str]:
    """Of these ids those that are materials no more, and what they have become."""
    return {former: home for former, home in aliases.resolve(ids).items() if former != home}


def name_after(sources: Iterable[tuple[str, dict[str, Any]]]) -> None:
    """Let the entry of the first key name the source of each material, of several of one source that gave it."""
    for material, source in sources:
        stored = Material.objects(id=material).only("source").first()
        same = stored is not None and stored.source.get("name") == source.get("name")
        if same and str(source.get("key")) < str(stored.source.get("key")):
            Material.objects(id=material).update(set__source=source)


def get(material_id: str) -> Material:
    """The material of an id, be it a former one, or that of a cell in which it came.

    Raises
    ------
    NotFoundError
        If the store does not hold it.
    """
    found = Material.objects(id=material_id).first() or Material.objects(id=aliases.one(material_id)).first()
    if found is None:
        raise NotFoundError(f"The store holds no material {material_id}; fermiloop materials find lists what it holds.")
    return found


def structure(material_id: str) -> Structure:
    """Crystal of a material."""
    return get(material_id).to_structure()


def get_many(ids: Iterable[str]) -> dict[str, Material]:
    """Materials by id, in few queries; former ids lead to what they have become, unknown ids are left out."""
    wanted = list(dict.fromkeys(ids))
    found: dict[str, Material] = {}
    for batch in in_batches(wanted, BATCH):
        found |= {m.id: m for m in Material.objects(id__in=batch)}
    led = aliases.resolve(key for key in wanted if key not in found)
    if led:
        there = {m.id: m for m in Material.objects(id__in=sorted(set(led.values())))}
        found |= {key: there[at] for key, at in led.items() if at in there}
    return {key: found[key] for key in wanted if key in found}


def structures(ids: Iterable[str]) -> dict[str, Structure]:
    """Crystals by material id."""
    return {key: material.to_structure() for key, material in get_many(ids).items()}


def as_computed(ids: Iterable[str]) -> dict[str, Structure]:
    """Crystals by material id, with the moments that they came with.

    A material bears no moments, and computed without them it may end in another magnetic state: of one that came with
    moments (of `LEAST_MOMENT` and more) this is the cell that bears them, of several the oldest.
    """
    found = get_many(ids)
    settings: dict[str, Structure] = {}
    for batch in in_batches(sorted({str(material.id) for material in found.values()}), BATCH):
        for one in Setting.objects(material__in=batch).order_by("created_at", "id").only("material", "structure"):
            if one.material not in settings and _has_moments(one.structure):
                settings[one.material] = one.to_structure()
    return {key: settings.get(str(material.id)) or material.to_structure() for key, material in found.items()}


def _has_moments(structure: dict[str, Any]) -> bool:
    given = [(site.get("properties") or {}).get("magmom") for site in structure["sites"]]
    known = [moment for moment in given if moment is not None]
    return any(np.linalg.norm(np.atleast_1d(moment)) >= LEAST_MOMENT for moment in known)


def find(query: MaterialQuery) -> list[Material]:
    """Materials that pass every filter, in the order asked for, by formula and id unless another one is.

    Raises
    ------
    InputError
        If the limit is not positive, or the formula cannot be read.
    """
    return [Material._from_son(row) for row in _found(query, [])]  # noqa: SLF001


def find_ids(query: MaterialQuery) -> list[str]:
    """Ids of what `find` finds."""
    return [row["_id"] for row in _found(query, [{"$project": {"_id": 1}}])]


def _found(query: MaterialQuery, then: list[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    """Documents that pass, in the order asked for, after further stages."""
    if query.limit < 1:
        raise InputError(f"The limit must be at least 1, not {query.limit}.")
    match = _match(query)
    ids = _ids_by_labels(query)
    if ids is not None:
        match["_id"] = {"$in": sorted(ids)}
    stages: list[dict[str, Any]] = [{"$match": match}]
    if len(query.elements) > 1:
        # $all alone scans the collection on the embedded server; the first element above uses the index.
        stages.append({"$match": {"elements": {"$all": list(query.elements)}}})
    stages += [{"$sort": query.order}, {"$limit": query.limit}, *then]
    return Material._get_collection().aggregate(stages)  # noqa: SLF001


def find_formula(formula: str, limit: int = 50) -> list[Material]:
    """Materials of one formula, lowest volume first."""
    return sorted(find(MaterialQuery(formula=formula, limit=limit)), key=lambda m: (m.volume_per_atom, m.id))


def page(query: MaterialQuery, offset: int, fields: Sequence[str]) -> list[dict[str, Any]]:
    """What `find` finds after the first `offset`, as plain rows of the fields asked for.

    Raises
    ------
    InputError
        If the formula cannot be read or a property is unknown.
    """
    match, ids = _match(query), _ids_by_labels(query)
    if ids is not None:
        match["_id"] = {"$in": sorted(ids)}
    found = Material.objects.aggregate(
        [
            {"$match": match},
            *([{"$match": {"elements": {"$all": list(query.elements)}}}] if len(query.elements) > 1 else []),
            {"$sort": query.order},
            {"$skip": offset},
            {"$limit": query.limit},
            {"$project": dict.fromkeys(fields, 1)},
        ]
    )
    return [{"id": row["_id"], **{name: row.get(name) for name in fields}} for row in found]


def of_formulas(formulas: Iterable[str]) -> list[Material]:
    """All materials of these reduced formulas."""
    return list(Material.objects(formula__in=sorted(set(formulas))).order_by("id"))


def of_systems(systems: Iterable[str], limit: int) -> list[Material]:
    """At most so many materials of these chemical systems, such as ``Al-Ni``, by formula and id."""
    query = Material.objects(chemical_system__in=sorted(set(systems)))
    return list(query.order_by("formula", "id").limit(limit))


def within(elements: Iterable[str]) -> list[str]:
    """Ids of all materials whose elements are among these."""
    allowed = set(elements)
    rows = Material.objects(elements__in=sorted(allowed)).only("elements").order_by("id")
    return [row.id for row in rows if set(row.elements) <= allowed]


def shapes(ids: Iterable[str]) -> set[tuple[str, int, int]]:
    """Crystal system, number of elements and number of sites that occur among materials."""
    wanted = sorted(set(ids))
    found: set[tuple[str, int, int]] = set()
    for batch in in_batches(wanted, BATCH):
        rows = Material.objects(id__in=batch).only("crystal_system", "n_elements", "n_sites")
        found |= {(str(row.crystal_system), int(row.n_elements), int(row.n_sites)) for row in rows}
    return found


def molecules() -> set[str]:
    """Ids of molecules in a box: references of elements, which nothing learns from."""
    sparse = Material.objects(volume_per_atom__gt=SPARSE).only("id", "n_sites", "structure")
    return {str(row.id) for row in sparse if row.n_sites <= MOST_ATOMS and is_molecule(row.to_structure())}


def count() -> int:
    """How many materials the store holds."""
    return int(Material.objects.count())


def reduced(formula: str) -> str:
    """Reduced formula of any spelling.

    Raises
    ------
    InputError
        If it is no formula.
    """
    try:
        return str(Composition(formula, strict=True).reduced_formula)
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(f"{formula!r} is no chemical formula: {error}.") from None


def made_of(
    elements: Sequence[str], formula: str | None, chemical_system: str | None, n_sites: tuple[int, int] | None
) -> dict[str, Any]:
    """What documents of such crystals match; of several elements the first, since an index begins with one."""
    match: dict[str, Any] = {}
    if elements:
        match["elements"] = elements[0]
    if formula:
        match["formula"] = reduced(formula)
    if chemical_system:
        match["chemical_system"] = "-".join(sorted(chemical_system.split("-")))
    if n_sites:
        match["n_sites"] = {"$gte": n_sites[0], "$lte": n_sites[1]}
    return match


def _match(query: MaterialQuery) -> dict[str, Any]:
    match = made_of(query.elements, query.formula, query.chemical_system, query.n_sites)
    if query.crystal_system:
        match["crystal_system"] = query.crystal_system
    if query.space_group is not None:
        match["space_group"] = query.space_group
    if query.origin:
        match["origin"] = query.origin
    return match


def _ids_by_labels(query: MaterialQuery) -> set[str] | None:
    """Materials that the property ranges and the list of ids leave, None where neither is asked."""
    ids: set[str] | None = set(query.ids) if query.ids is not None else None
    for name, (low, high) in query.properties.items():
        declared_property(name)
        within = _materials_within(name, low, high)
        ids = within if ids is None else ids & within
    return ids


def _materials_within(name: str, low: float, high: float) -> set[str]:
    """Materials whose latest value by some method lies in the range."""
    later = Label.objects(property=name, version__gt=1).only("material", "method", "version").order_by("version")
    latest = {(label.material, label.method): label.version for label in later}
    wanted = {"property": name, "value": {"$gte": low, "$lte": high}}
    rows = Label._get_collection().find(wanted, {"material": 1, "method": 1, "version": 1})  # noqa: SLF001
    return {row["material"] for row in rows if row["version"] == latest.get((row["material"], row["method"]), 1)}
