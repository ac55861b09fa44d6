"""Structures as pymatgen writes them into JSON, read field by field: nothing is imported or made by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from pymatgen.core import Element, Lattice, Species, Structure
from pymatgen.electronic_structure.core import Magmom

from fermiloop.db_init.importers.crystals.elements import element, is_what, isotope_remark, plain
from fermiloop.db_init.importers.crystals.found import Crystal
from fermiloop.db_init.importers.crystals.poscar import right_handed
from fermiloop.platform.errors import InputError

CLASSES: Final = frozenset({"Structure", "IStructure", "SymmetrizedStructure", ""})
FULL: Final = 1e-3
PARAMETERS: Final = ("a", "b", "c", "alpha", "beta", "gamma")


def is_structure(content: Any) -> bool:
    """Whether this looks like one."""
    return isinstance(content, Mapping) and isinstance(content.get("lattice"), Mapping) and "sites" in content


def read(content: Mapping[str, Any], what: str) -> Crystal:
    """Crystal of a structure's dictionary.

    Raises
    ------
    InputError
        If it is none, or no ordered one.
    """
    kind = str(content.get("@class") or "")
    if kind not in CLASSES or not is_structure(content):
        raise InputError(f"The {what} holds no crystal but a {kind or 'dictionary'} of pymatgen.")
    remarks: list[str] = []
    if content.get("charge"):
        remarks.append(f"The cell's charge of {content['charge']} was left out.")
    symbols: set[str] = set()
    species, places, moments = [], [], []
    for site in content["sites"]:
        symbol, one = _species(site, what)
        symbols.add(symbol)
        species.append(one)
        places.append([float(x) for x in site["abc"]])
        moments.append(_moment(site))
    if any(len(place) != 3 for place in places) or not places:
        raise InputError(f"The {what} holds no crystal: its sites have no fractional coordinates.")
    properties: dict[str, Any] = {}
    if any(moment is not None for moment in moments):
        zero: Any = next([0.0] * 3 if isinstance(moment, list) else 0.0 for moment in moments if moment is not None)
        properties["magmom"] = [zero if moment is None else moment for moment in moments]
    structure = Structure(_lattice(content["lattice"], what), species, places, site_properties=properties)
    return Crystal(right_handed(structure), (*remarks, *isotope_remark(symbols)))


def _lattice(content: Mapping[str, Any], what: str) -> Lattice:
    if not all(content.get("pbc") or (True,) * 3):
        raise InputError(f"The {what} is not periodic in three directions.")
    if "matrix" in content:
        matrix = np.array(content["matrix"], dtype=np.float64)
        if matrix.shape != (3, 3):
            raise InputError(f"The {what} has a cell of shape {matrix.shape}.")
        return Lattice(matrix)
    return Lattice.from_parameters(*(float(content[name]) for name in PARAMETERS))


def _species(site: Mapping[str, Any], what: str) -> tuple[str, Element | Species]:
    """Symbol of a site, and the element with its oxidation state."""
    held = site["species"]
    if len(held) != 1 or abs(float(held[0].get("occu", 1)) - 1) > FULL:
        told = ", ".join(f"{one.get('element')} {one.get('occu')}" for one in held)
        raise InputError(f"The {what} has sites with partial occupancy ({told[:60]}): it is not ordered.")
    name, state = str(held[0]["element"]), held[0].get("oxidation_state")
    symbol = element(name) if name == name.capitalize() else None
    if symbol is None:
        raise InputError(f"The {what} has a site of {name[:20]!r}, which {is_what(name)}.")
    return symbol, Species(plain(symbol), float(state)) if state else Element(plain(symbol))


def _moment(site: Mapping[str, Any]) -> float | list[float] | None:
    """Moment of a site in μB: a number or three components."""
    found = _plain((site.get("properties") or {}).get("magmom"))
    if isinstance(found, Mapping):  # of pymatgen's Magmom: along an axis of its own
        axis, moment = _plain(found.get("saxis")) or [0, 0, 1], _plain(found.get("moment"))
        found = moment if moment is None or list(axis) == [0, 0, 1] else Magmom(moment, axis).global_moment.tolist()
    if found is None:
        spin = (site["species"][0].get("properties") or {}).get("spin")
        return None if spin is None else float(spin)
    if isinstance(found, list):
        return [float(x) for x in found] if len(found) == 3 else None
    return float(found)


def _plain(value: Any) -> Any:
    """A value whose arrays are lists: NumPy's are written with their type beside them."""
    return value["data"] if isinstance(value, Mapping) and "data" in value and "dtype" in value else value
