"""The atoms that a CIF lists: element, charge, place and occupancy of each, or why they are no crystal's.

A type symbol is an element with an optional charge, whole; a label without a type begins with one. What is neither is
refused, never cut down until an element is left: NH3 is no nihonium, OH1 is not an oxygen, Va no vanadium.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fermiloop.db_init.importers.crystals.cif_text import UNKNOWN, Block
from fermiloop.db_init.importers.crystals.elements import element, is_what
from fermiloop.platform.errors import InputError

NUMBER: Final = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?:\(\d+\))?")
FRACTION: Final = re.compile(r"([+-]?\d+)/(\d+)")
TYPE: Final = re.compile(r"([A-Za-z]{1,2})(?:(\d*\.?\d*)([+-])|([+-])(\d+\.?\d*)|val|_.*|\(.*\))?")
NUMBERED: Final = re.compile(r"([A-Za-z]{1,2})\d+")
MIXTURE: Final = re.compile(r"\d*\.\d+\s*[A-Z]|[A-Z][a-z]?\s*[,/+]\s*[A-Z]")
MASSES: Final = {"2H": "D", "3H": "T"}
MOLECULES: Final = frozenset({"HO", "NO"})  # more often a hydroxyl or a nitrosyl group than holmium or nobelium
GROUP_LABEL: Final = re.compile(
    r"(?:wat|h2o|o[hw]\d|oh(?![a-z])|nh\d|ch\d|hoh).*", re.IGNORECASE
)  # of atoms with hydrogens
LABEL: Final = re.compile(r"([A-Za-z]+)(.*)")
FULL: Final = 1e-3  # by which an occupancy may differ from 1 by rounding
PLACES: Final = ("_atom_site_fract_x", "_atom_site_fract_y", "_atom_site_fract_z")


@dataclass(frozen=True)
class Site:
    """An atom of the asymmetric unit.

    Parameters
    ----------
    label
        As the file names it.
    symbol
        Element; D and T are isotopes.
    charge
        Oxidation state, None where it is not given.
    place
        (3,) fractional.
    multiplicity
        Number of such atoms in the cell by the file itself, None where it does not say.
    """

    label: str
    symbol: str
    charge: float | None
    place: NDArray[np.float64]
    multiplicity: int | None


def sites(block: Block, formula: Mapping[str, float] | None, remarks: list[str]) -> list[Site]:
    """Atoms that a block lists.

    Parameters
    ----------
    block
        The block.
    formula
        Elements that it says it consists of, None where it does not.
    remarks
        Takes what was assumed.

    Raises
    ------
    InputError
        If they are no whole, ordered crystal.
    """
    rows = _rows(block)
    states = _states(block)
    found = []
    for row in rows:
        label = row.get("_atom_site_label") or row.get("_atom_site_type_symbol") or "?"
        if row.get("_atom_site_calc_flag", "").lower() == "dum":
            remarks.append(f"The site {label} is a dummy by the file's own word and was left out.")
            continue
        if _occupancy(row, label) == 0:
            remarks.append(f"The site {label} has an occupancy of 0 and was left out.")
            continue
        symbol, charge = _species(row, label, formula, remarks)
        _check_hydrogens(row, label)
        charge = states.get(row.get("_atom_site_type_symbol", ""), charge)
        found.append(Site(label, symbol, charge, _place(row, label), _multiplicity(row)))
    if not found:
        raise InputError("It lists no atoms.")
    _check_groups(found, formula)
    return found


def _check_groups(found: list[Site], formula: Mapping[str, float] | None) -> None:
    """Refuse labels of hydroxyl, water and the like where there is neither a hydrogen nor a formula to compare with."""
    if formula is not None or any(site.symbol in {"H", "D", "T"} for site in found):
        return
    for site in found:
        if site.symbol in {"O", "N", "C"} and GROUP_LABEL.fullmatch(site.label):
            raise InputError(
                f"The label {site.label} of a site of {site.symbol} speaks of hydrogens that have no position; "
                "give their positions, or the formula if there are none."
            )


def number(text: str) -> float | None:
    """A number of a CIF without its standard uncertainty; None where it is none."""
    stripped = text.strip()
    match = NUMBER.fullmatch(stripped)
    if match:
        return float(match[1])
    fraction = FRACTION.fullmatch(stripped)
    return int(fraction[1]) / int(fraction[2]) if fraction and int(fraction[2]) else None


def _rows(block: Block) -> list[dict[str, str]]:
    """The loop of atoms, row by row."""
    if not all(name in block.values for name in PLACES):
        cartesian = any(name.startswith("_atom_site_cartn") for name in block.values)
        raise InputError("It gives Cartesian coordinates only." if cartesian else "It lists no atoms with coordinates.")
    n = len(block.values[PLACES[0]])
    names = [name for name in block.values if name.startswith("_atom_site_") and len(block.values[name]) == n]
    if PLACES[0] in block.broken or not set(PLACES) <= set(names):
        raise InputError("Its list of atoms is damaged: the rows have different numbers of values.")
    if not {"_atom_site_label", "_atom_site_type_symbol"} & set(names):
        raise InputError("Its atoms have neither labels nor types.")
    return [{name: block.values[name][row].strip() for name in names} for row in range(n)]


def _occupancy(row: Mapping[str, str], label: str) -> float:
    """1 or 0; what lies between is refused."""
    text = row.get("_atom_site_occupancy", ".")
    if text in UNKNOWN:
        return 1.0  # the dictionary's own default
    value = number(text)
    if value is None or value < 0:
        raise InputError(f"The site {label} has an occupancy of {text[:20]!r}, which is no number from 0 to 1.")
    if value > 1 + FULL:
        raise InputError(f"The site {label} has an occupancy of {value:g}, more than one atom.")
    if FULL < value < 1 - FULL:
        raise InputError(
            f"The site {label} has an occupancy of {value:g}: a crystal with partial occupancy is not ordered."
        )
    return round(value)


def _species(
    row: Mapping[str, str], label: str, formula: Mapping[str, float] | None, remarks: list[str]
) -> tuple[str, float | None]:
    """Element and charge of a site by its type, else by its label."""
    name = row.get("_atom_site_type_symbol", ".")
    if name in UNKNOWN:
        return _of_label(label, formula, remarks), None
    name = MASSES.get(name.upper(), name)
    match = TYPE.fullmatch(name) or (
        NUMBERED.fullmatch(name) if formula is not None else None
    )  # the formula is checked
    symbol = _in_capitals(match[1], formula) if match else None
    if MIXTURE.search(name):
        raise InputError(
            f"The site {label} is a mixture, {name[:40]!r}: a crystal with partial occupancy is not ordered."
        )
    if match is None or symbol is None:
        bare = match[1] if match else name
        raise InputError(f"The type symbol {name[:40]!r} of the site {label} {is_what(bare)}; write the element.")
    return symbol, _charge(match) if match.re is TYPE else None


def _charge(match: re.Match[str]) -> float | None:
    """Charge of a type symbol such as Fe3+, O2-, Na+ or Fe+3."""
    sign = match[3] or match[4]
    if not sign:
        return None
    size = float(match[2] or match[5] or 1)
    return size if sign == "+" else -size


def _in_capitals(name: str, formula: Mapping[str, float] | None) -> str | None:
    """Element of a name in any case; CO is carbon and oxygen where the formula has these and no cobalt."""
    symbol = element(name)
    if symbol is None or len(name) == 1 or not name.isupper():
        return symbol
    if formula is None or symbol in formula:
        return None if formula is None and name in MOLECULES else symbol
    return None if name[0] in formula else symbol


def _of_label(label: str, formula: Mapping[str, float] | None, remarks: list[str]) -> str:
    """Element of a label without a type: Na1, O1A; the formula decides what may be two, as CA1.

    Raises
    ------
    InputError
        If it may be several or none.
    """
    match = LABEL.match(label)
    letters = match[1] if match else ""
    whole = element(letters) if len(letters) <= 2 else None
    sure = whole is not None and not (len(letters) == 1 and letters in {"T", "t"})
    if sure and whole is not None and (len(letters) == 1 or letters[1].islower()):
        return whole
    may_be = [one for one in (element(letters[:2]), element(letters[:1])) if one is not None]
    named = [one for one in may_be if formula is not None and one in formula]
    if len(named) == 1:
        remarks.append(f"The label {label} was read as {named[0]}, because the formula of the file has it.")
        return named[0]
    if formula is None and sure and whole is not None:
        remarks.append(f"The label {label} without a type was read as {whole}.")
        return whole
    shown = letters if match else label
    raise InputError(
        f"The label {label[:40]!r} has no type symbol, and {shown[:20]!r} {is_what(shown)}; "
        "give the site a type symbol."
    )


def _check_hydrogens(row: Mapping[str, str], label: str) -> None:
    attached = number(row.get("_atom_site_attached_hydrogens", "."))
    if attached:
        raise InputError(f"The site {label} has {attached:g} hydrogens attached to it that have no position.")


def _place(row: Mapping[str, str], label: str) -> NDArray[np.float64]:
    found = [number(row[name]) for name in PLACES]
    if any(value is None for value in found):
        told = ", ".join(row[name] or "nothing" for name in PLACES)
        raise InputError(f"The site {label} has no known coordinates: {told[:60]}.")
    place = np.array(found, dtype=np.float64)
    if np.abs(place).max() > 1000:
        raise InputError(f"The site {label} lies thousands of cells away: {place.tolist()}.")
    return place


def _multiplicity(row: Mapping[str, str]) -> int | None:
    """Number of such atoms in the cell by the file's own word."""
    for name in ("_atom_site_symmetry_multiplicity", "_atom_site_site_symmetry_multiplicity"):
        value = number(row.get(name, "."))
        if value is not None and value >= 1 and math.isclose(value, round(value)):
            return round(value)
    return None


def _states(block: Block) -> dict[str, float]:
    """Oxidation state of each type symbol, where the file lists them."""
    types, states = block.values.get("_atom_type_symbol", []), block.values.get("_atom_type_oxidation_number", [])
    pairs = zip(types, states, strict=False)
    return {name.strip(): value for name, state in pairs if (value := number(state)) is not None}
