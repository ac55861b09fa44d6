"""Labels: one value per material, property, method and version; hull entries from them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from mongoengine import NotUniqueError
from pymatgen.core import Composition

from fermiloop.platform.errors import InputError
from fermiloop.platform.plugins.properties import declared_property
from fermiloop.platform.store import aliases, merging, methods
from fermiloop.platform.store.batches import in_batches
from fermiloop.platform.store.inserting import insert_new
from fermiloop.platform.store.materials import BATCH
from fermiloop.schemas.label import Label
from fermiloop.schemas.material import Material
from fermiloop.schemas.vocabulary import Property

SAME = 1e-9  # values closer than this are the same value


def save(
    material: str,
    name: str,
    value: float,
    *,
    method: str,
    calculation: str | None = None,
    entry: str | None = None,
) -> str:
    """Id of the label; another value than the latest becomes the next version.

    Raises
    ------
    InputError
        If the value is not finite or lies outside of the property's bounds, or the property is unknown.
    """
    name = _refuse_beyond(material, name, value)
    while True:
        stored = latest(material, name, method)
        if stored is not None and abs(stored.value - value) <= SAME:
            return str(stored.id)
        version = stored.version + 1 if stored else 1
        label = Label.make(material, name, value, method=method, calculation=calculation, version=version, entry=entry)
        label.check()
        try:
            label.save(force_insert=True)
        except NotUniqueError:
            continue  # another writer took this version: look again
        return merging.brought_home([label.material]).get(label.id, str(label.id))


def save_all(material: str, values: Mapping[str, float], *, method: str, calculation: str | None = None) -> None:
    """Save what one result says of a material, each value as `save` does, in the fewest queries.

    Raises
    ------
    InputError
        If a value is not finite or lies outside of its property's bounds, or the property is unknown.
    """
    for name, value in values.items():
        _refuse_beyond(material, name, value)
    stored = {row.property: row for row in Label.objects(material=material, method=method).order_by("version")}
    same = {name for name, row in stored.items() if name in values and abs(row.value - values[name]) <= SAME}
    changed = {name: value for name, value in values.items() if name not in same}
    made = []
    for name, value in changed.items():
        version = stored[name].version + 1 if name in stored else 1
        made.append(Label.make(material, name, value, method=method, calculation=calculation, version=version))
        made[-1].check()
    if insert_new(made) == len(made):
        merging.brought_home([material])
        return
    for name, value in changed.items():  # another writer took one of these versions
        save(material, name, value, method=method, calculation=calculation)


def save_many(labels: Iterable[Label]) -> int:
    """Insert checked first versions; returns how many were new.

    A value unlike every version that is stored becomes the next one; one that was ever stored
    changes nothing, so that a file that is loaded again adds nothing.
    """
    unique = {label.id: label for label in labels}
    new = insert_new(unique.values())
    stored: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    for row in Label.objects(material__in=sorted({label.material for label in unique.values()})):
        stored[row.material, row.property, row.method].append(row.value)
    for label in unique.values():
        there = stored[label.material, label.property, label.method]
        if all(abs(value - label.value) > SAME for value in there):
            save(
                label.material, label.property, label.value,
                method=label.method, calculation=label.calculation, entry=label.entry,
            )  # fmt: skip
            new += 1
    merging.brought_home(label.material for label in unique.values())
    return new


def values(
    material_ids: Iterable[str], name: str, method: str, *, among: Collection[str] | None = None
) -> dict[str, float]:
    """Latest value by material, of one property and method; those without are left out.

    `among` are the ids of the labels that count, where not all do: those of a snapshot.
    """
    return table(material_ids, (name,), method, among=among)[str(name)]


def table(
    material_ids: Iterable[str], names: Iterable[str], method: str, *, among: Collection[str] | None = None
) -> dict[str, dict[str, float]]:
    """Latest value by property and material, by one method; see `values`.

    Raises
    ------
    InputError
        If a property is unknown.
    """
    wanted = list(dict.fromkeys(material_ids))
    found: dict[str, dict[str, float]] = {declared_property(str(name)).name: {} for name in names}
    for batch in in_batches(wanted, BATCH):
        # $in beside other conditions is 20 times slower on the embedded server: they are looked at here
        rows = Label.objects(material__in=batch).order_by("version").as_pymongo()
        for row in rows:
            if row["method"] == method and row["property"] in found and (among is None or row["_id"] in among):
                found[row["property"]][row["material"]] = row["value"]
    return found


def of_material(material: str) -> list[Label]:
    """All labels of a material."""
    found = list(Label.objects(material=material).order_by("property", "method", "version"))
    at = aliases.one(material) if not found else material
    return of_material(at) if at != material else found


def of_materials(ids: Iterable[str]) -> list[Label]:
    """All labels of these materials, the first version first."""
    wanted = sorted(set(ids))
    return [
        label
        for chunk in in_batches(wanted, BATCH)
        for label in Label.objects(material__in=chunk).order_by("version", "id")
    ]


def withdraw(ids: Iterable[str]) -> None:
    """Take labels back that an unfinished load added, and that the rest of it contradicts."""
    wanted = sorted(set(ids))
    if wanted:
        Label.objects(id__in=wanted).delete()


def of_calculations(calculations: Iterable[str]) -> list[Label]:
    """All labels that these calculations gave."""
    return list(Label.objects(calculation__in=list(calculations)).order_by("id"))


def hull_entries(elements: Iterable[str], method: str) -> list[tuple[dict[str, float], float, str]]:
    """Composition, energy (eV/atom) and material id of all that lies in a chemical space, by one method.

    Energies of elements are with the corrections of the method, where it has any.
    """
    allowed = set(elements)
    rows = Material.objects(elements__in=sorted(allowed)).only("elements", "formula").order_by("id")
    inside = {m.id: m.formula for m in rows if set(m.elements) <= allowed}
    energies = values(inside, Property.ENERGY_PER_ATOM, method)
    by_element = methods.corrections(method)
    rows = ((_amounts(inside[key]), energy, key) for key, energy in energies.items())
    return [(amounts, energy + correction(amounts, by_element), key) for amounts, energy, key in rows]


def correction(amounts: Iterable[str], by_element: Mapping[str, float]) -> float:
    """What a method's corrections add to the energy of a composition, eV per atom: of an element alone."""
    symbols = list(amounts)
    return by_element.get(symbols[0], 0.0) if len(symbols) == 1 else 0.0


def materials_with(name: str, method: str) -> list[str]:
    """Ids of materials that have a value of a property by a method, sorted."""
    rows = Label.objects(method=method, property=declared_property(str(name)).name).only("material").as_pymongo()
    return sorted({row["material"] for row in rows})


def _refuse_beyond(material: str, name: str, value: float) -> str:
    """Refuse a value that no material has; the property's name as plain text."""
    declared = declared_property(str(name))
    if fault := declared.fault(value):
        raise InputError(f"The {declared.title} of {material} {fault}.")
    return declared.name


def _amounts(formula: str) -> dict[str, float]:
    return {str(k): float(v) for k, v in Composition(formula).get_el_amt_dict().items()}


def latest(material: str, name: str, method: str) -> Label | None:
    """The latest version of a label of a material; None where there is none."""
    return Label.objects(material=material, property=name, method=method).order_by("-version").first()


def count(method: str) -> int:
    """How many labels there are by a method."""
    return int(Label.objects(method=method).count())
