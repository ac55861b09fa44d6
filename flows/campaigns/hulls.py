"""Convex hulls of stored materials by one Method, and the labels that follow from its references.

A label of stability is of the hull as it was when it was stored: `restate` brings it up to date once an element has got
a reference, or a chemical system new phases.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from math import inf
from typing import Final

from pymatgen.core import Composition

from fermiloop.platform.plugins.properties import PROPERTIES
from fermiloop.platform.screening.hull import Hulls
from fermiloop.platform.store import labels, materials
from fermiloop.schemas.vocabulary import Property

Entry = tuple[dict[str, float], float, str]  # amounts, eV per atom, material
STABLE: Final = 1e-6  # eV/atom
SAME: Final = 1e-6  # eV/atom; noise of the hull makes no version of a label


@dataclass(frozen=True)
class Phase:
    """One material of a chemical system.

    Parameters
    ----------
    energy_per_atom, formation_energy_per_atom, energy_above_hull
        eV/atom by the Method, with its corrections; the last is 0 on the hull.
    """

    formula: str
    material: str
    prototype: str
    energy_per_atom: float
    formation_energy_per_atom: float
    energy_above_hull: float

    @property
    def is_stable(self) -> bool:
        """Whether it lies on the hull."""
        return self.energy_above_hull <= STABLE


def phases(symbols: Iterable[str], method: str) -> list[Phase]:
    """Stored materials of these elements alone by a Method, the most stable first.

    Those with an element that has no reference are left out.
    """
    entries = labels.hull_entries(symbols, method)
    hulls, found = Hulls(entries), materials.get_many(key for *_, key in entries)
    rows = []
    for amounts, energy, key in entries:
        if not hulls.missing(frozenset(amounts)):
            above, formation = hulls.above(Composition(amounts), energy)
            material = found[key]
            rows.append(Phase(material.formula, key, str(material.prototype), energy, formation, max(0.0, above)))
    return sorted(rows, key=lambda one: (one.energy_above_hull, one.formation_energy_per_atom, one.material))


def to_compute(symbols: Iterable[str], method: str) -> list[str]:
    """Materials of these elements that have no energy by a Method: the nearest to the hull by any Method first.

    Of those without such an energy the lowest formation energy, then the smallest cell comes first. Molecules in a box
    and elements, whose shipped ground states are computed, are left out.
    """
    ids = materials.within(symbols)
    known = set(labels.values(ids, Property.ENERGY_PER_ATOM, method))
    found = materials.get_many(key for key in ids if key not in known)
    open_ones = [key for key, one in found.items() if one.n_elements > 1]
    lowest = _lowest(open_ones)

    def place(key: str) -> tuple[float, float, int, str]:
        values = lowest[key]
        names = (Property.ENERGY_ABOVE_HULL, Property.FORMATION_ENERGY_PER_ATOM)
        return (*(values.get(str(name), inf) for name in names), int(found[key].n_sites), key)  # type: ignore[return-value]

    return sorted(open_ones, key=place)


def restate(symbols: Iterable[str], method: str) -> int:
    """Store formation energies and energies above the hull of what holds one of these elements; how many are new.

    Each is measured against everything else by the Method; a material with an element that has no reference gets none.
    """
    touched = set(symbols)
    entries = _entries(method)
    systems: dict[frozenset[str], list[Entry]] = defaultdict(list)
    for entry in entries:
        systems[frozenset(entry[0])].append(entry)
    stated: dict[str, dict[str, float]] = {}
    for system, members in systems.items():
        if system & touched:
            inside = [entry for entry in entries if set(entry[0]) <= system]
            stated |= {entry[2]: _stability(entry, inside) for entry in members}
    return _save(stated, method)


def _stability(entry: Entry, inside: list[Entry]) -> dict[str, float]:
    amounts, energy, key = entry
    hulls = Hulls([one for one in inside if one[2] != key])
    if hulls.missing(frozenset(amounts)):
        return {}
    above, formation = hulls.above(Composition(amounts), energy)
    values = {Property.FORMATION_ENERGY_PER_ATOM: formation, Property.ENERGY_ABOVE_HULL: above}
    return {str(name): value for name, value in values.items() if PROPERTIES[name].fault(value) is None}


def _save(stated: dict[str, dict[str, float]], method: str) -> int:
    names = (Property.FORMATION_ENERGY_PER_ATOM, Property.ENERGY_ABOVE_HULL)
    known = labels.table(stated, names, method)
    new = [
        (key, name, value)
        for key, values in stated.items()
        for name, value in values.items()
        if abs(known[name].get(key, inf) - value) > SAME
    ]
    for key, name, value in new:
        labels.save(key, name, value, method=method)
    return len(new)


def _entries(method: str) -> list[Entry]:
    """All that a Method has an energy of."""
    found = materials.get_many(labels.materials_with(Property.ENERGY_PER_ATOM, method))
    symbols = {symbol for one in found.values() for symbol in one.elements}
    return labels.hull_entries(symbols, method)


def _lowest(ids: list[str]) -> dict[str, dict[str, float]]:
    """Lowest value of each property by any Method, by material."""
    found: dict[str, dict[str, float]] = {key: {} for key in ids}
    for row in labels.of_materials(ids):
        values = found[str(row.material)]
        values[str(row.property)] = min(float(row.value), values.get(str(row.property), inf))
    return found
