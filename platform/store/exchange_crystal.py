"""A crystal as plain JSON that pymatgen reads: its cell, and element and coordinates of each site.

What pymatgen's own dictionary holds beside these follows from them. On the way in nothing is handed to a decoder
that makes objects by name: only numbers, symbols and names are taken.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from pymatgen.core import Element, Lattice, Species, Structure

from fermiloop.platform.errors import InputError
from fermiloop.platform.store import border
from fermiloop.schemas.fields import MAX_SITES

CLASS: Final = {"@module": "pymatgen.core.structure", "@class": "Structure"}
OF_SITE: Final = frozenset({"species", "abc", "properties", "label"})
OF_SPECIES: Final = frozenset({"element", "occu", "oxidation_state", "spin"})
MOST_PROPERTIES: Final = 50  # of a site
LONGEST_LABEL: Final = 100  # characters


def write(structure: Mapping[str, Any]) -> dict[str, Any]:
    """Record of pymatgen's dictionary of an ordered crystal."""
    matrix = [[float(x) for x in row] for row in structure["lattice"]["matrix"]]
    found = {**CLASS, "lattice": {"matrix": matrix}, "sites": [_site_out(site) for site in structure["sites"]]}
    return found | ({"properties": structure["properties"]} if structure.get("properties") else {})


def read(record: Any) -> Structure:
    """Crystal of a record.

    Raises
    ------
    InputError
        If it has other fields, or what is no cell, no element, no coordinate or no property of a site.
    """
    found = _only(record, {*CLASS, "lattice", "sites", "properties"}, "the crystal")
    if any(found.get(name, known) != known for name, known in CLASS.items()):
        raise InputError("the crystal is of a class that is not pymatgen's Structure")
    rows = _only(found.get("lattice"), {"matrix"}, "the cell").get("matrix")
    if not isinstance(rows, list) or len(rows) != 3:
        raise InputError("the cell has no matrix of three vectors")
    sites = border.rows(MAX_SITES)(found.get("sites"))
    if not sites:
        raise InputError("the crystal has no sites")
    names = sorted({name for site in sites for name in _properties(site)})
    properties = {name: [_properties(site).get(name) for site in sites] for name in names}
    try:
        return Structure(
            Lattice([border.triple(row) for row in rows]),
            [_species(site) for site in sites],
            [border.triple(site.get("abc")) for site in sites],
            site_properties=properties,
            labels=[_label(site) for site in sites],
            properties=border.mapping(found.get("properties") or {}),
        )
    except (ArithmeticError, ValueError) as error:
        raise InputError(f"it is no crystal: {error}") from None


def _site_out(site: Mapping[str, Any]) -> dict[str, Any]:
    species = [_species_out(one) for one in site["species"]]
    found: dict[str, Any] = {"species": species, "abc": [float(x) for x in site["abc"]]}
    if site.get("properties"):
        found["properties"] = dict(site["properties"])
    if site.get("label") not in (None, str(_species(found))):  # what pymatgen calls it by itself
        found["label"] = site["label"]
    return found


def _species_out(species: Mapping[str, Any]) -> dict[str, Any]:
    found = {"element": species["element"], "occu": 1}
    numbers = {name: species.get(name) for name in ("oxidation_state", "spin")}
    return found | {name: float(value) for name, value in numbers.items() if value is not None}


def _species(site: Mapping[str, Any]) -> Element | Species:
    listed = border.rows(1)(_only(site, OF_SITE, "a site").get("species") or [])
    if not listed:
        raise InputError("a site has no species")
    one = _only(listed[0], OF_SPECIES, "a species")
    symbol = one.get("element")
    if not isinstance(symbol, str) or not re.fullmatch("[A-Z][a-z]?", symbol) or not Element.is_valid_symbol(symbol):
        raise InputError(f"{str(symbol)[:20]!r} is no element")
    if border.number(one.get("occu", 1)) != 1.0:
        raise InputError(f"{symbol} has an occupancy of {one['occu']}, and only ordered crystals are kept")
    charge, spin = (None if one.get(name) is None else border.number(one[name]) for name in ("oxidation_state", "spin"))
    return Element(symbol) if charge is None and spin is None else Species(symbol, charge, spin=spin)


def _label(site: Mapping[str, Any]) -> str | None:
    label = site.get("label")
    return None if label is None else str(border.text(LONGEST_LABEL)(label))


def _properties(site: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers, words and lists of them that stand with a site."""
    found = site.get("properties") or {}
    if not isinstance(found, Mapping) or len(found) > MOST_PROPERTIES:
        raise InputError(f"the properties of a site are no mapping of at most {MOST_PROPERTIES} names")
    plain: dict[str, Any] = border.mapping(found)
    for name, value in plain.items():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, list | Mapping):
                raise InputError(f"the property {name[:40]} of a site is neither a number nor a list of numbers")
    return plain


def _only(record: Any, names: frozenset[str] | set[str], what: str) -> Mapping[str, Any]:
    if not isinstance(record, Mapping):
        raise InputError(f"{what} is no mapping")
    strange = [str(name) for name in record if name not in names]
    if strange:
        raise InputError(f"{what} has the unknown field {strange[0][:60]!r}")
    return record
