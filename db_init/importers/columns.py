"""Names of columns and keys: which property a name means, in which unit, of the cell or of an atom.

A name is taken where it leaves no doubt; what else a column holds is said by ``--column NAME=PROPERTY``. A unit in the
name is heeded: converted where it is known, refused where it is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from fermiloop.db_init.importers.numbers import number, value_of
from fermiloop.db_init.importers.options import TOTAL_ENERGY
from fermiloop.platform.errors import InputError
from fermiloop.platform.plugins.properties import PROPERTIES, Derived
from fermiloop.schemas.vocabulary import Property, Unit

ELECTRONVOLT: Final[dict[str, float]] = {  # eV of one
    "ev": 1.0, "mev": 1e-3, "kev": 1e3, "ha": 27.211386245988, "hartree": 27.211386245988, "eh": 27.211386245988,
    "au": 27.211386245988, "a.u.": 27.211386245988, "mha": 0.027211386245988, "ry": 13.605693122994,
    "rydberg": 13.605693122994, "kj/mol": 0.010364269656, "kjmol": 0.010364269656, "kjpermol": 0.010364269656,
    "kcal/mol": 0.043364104241, "kcalmol": 0.043364104241, "kcalpermol": 0.043364104241,
    "j": 6.241509074e18, "1/cm": 1.239841984e-4, "cm-1": 1.239841984e-4, "cm^-1": 1.239841984e-4, "k": 8.617333262e-5,
}  # fmt: skip
GIGAPASCAL: Final[dict[str, float]] = {
    "gpa": 1.0, "mpa": 1e-3, "kpa": 1e-6, "pa": 1e-9, "kbar": 0.1, "bar": 1e-4, "ev/a^3": 160.2176634,
    "ev/a3": 160.2176634, "ev/å³": 160.2176634, "ev/å^3": 160.2176634,
}  # fmt: skip
PER_ATOM: Final = re.compile(r"(?:/|_per_|\sper\s|_|\s)at(?:om)?s?$|/at(?:om)?$|\*?\s*at(?:om)?\^?-1$")
PER_CELL: Final = re.compile(r"(?:/|_per_|\sper\s)(?:unit[ _]?)?cell$")
PER_FORMULA: Final = re.compile(r"(?:/|_per_|\sper\s)(?:f\.?u\.?|formula([ _]unit)?)$")
BRACKETS: Final = re.compile(
    r"^(?P<name>.*?)\s*(?:\((?P<round>[^()]*)\)|\[(?P<square>[^\[\]]*)\]|,\s*(?P<comma>[^,]+))\s*$"
)
SLASHED: Final = re.compile(r"^(?P<name>.*?)\s+/\s+(?P<unit>\S.*)$")
TAIL: Final = re.compile(
    r"^(?P<name>.*?)_(?P<unit>(?:ev|mev|ha|hartree|ry|rydberg|kj(?:_per_|_|/)?mol|kcal(?:_per_|_|/)?mol|gpa|mpa|kbar)"
    r"(?:(?:_per|_|/)_?at(?:om)?)?)$"
)
BOHR_MAGNETON: Final[dict[str, float]] = {"mub": 1.0, "μb": 1.0, "µb": 1.0}
OF_UNIT: Final[dict[str, dict[str, float]]] = {
    Unit.EV_PER_ATOM: ELECTRONVOLT, Unit.EV: ELECTRONVOLT, Unit.GPA: GIGAPASCAL, Unit.MU_B_PER_CELL: BOHR_MAGNETON,
}  # fmt: skip
"""What is read of a property in a unit: factors by the names of units in lower case."""
# names whose meaning is beyond doubt, in lower case with underscores
ALIASES: Final[dict[str, str]] = {
    "e_above_hull": Property.ENERGY_ABOVE_HULL, "ehull": Property.ENERGY_ABOVE_HULL,
    "e_hull": Property.ENERGY_ABOVE_HULL, "bandgap": Property.BAND_GAP,
    "formation_energy_peratom": Property.FORMATION_ENERGY_PER_ATOM,
    "e_form_per_atom": Property.FORMATION_ENERGY_PER_ATOM,
}  # fmt: skip
NAMES: Final = Derived(lambda declared: {one.name: one.name for one in declared if one.of_material} | ALIASES)
# names that mean it only together with a unit
WITH_UNIT: Final[dict[str, str]] = {
    "formation_energy": Property.FORMATION_ENERGY_PER_ATOM, "e_form": Property.FORMATION_ENERGY_PER_ATOM,
    "energy": Property.ENERGY_PER_ATOM, "total_energy": Property.ENERGY_PER_ATOM, "gap": Property.BAND_GAP,
}  # fmt: skip


@dataclass(frozen=True)
class Column:
    """What a column holds.

    Parameters
    ----------
    name
        As it stands in the file.
    kind
        The property.
    factor
        By which its values become the property's unit.
    whole_cell
        Whether they are of the whole cell, where the property is of an atom.
    """

    name: str
    kind: str
    factor: float = 1.0
    whole_cell: bool = False

    def value(self, cell: Any, n_sites: int) -> float | None:
        """A cell's number in the unit of the property, None where it is empty.

        Raises
        ------
        InputError
            If it is no number, or one that no crystal has.
        """
        found = number(cell, self.name)
        if found is None:
            return None
        return value_of(self.kind, found * self.factor / (n_sites if self.whole_cell else 1), self.name)


def columns_of(names: Iterable[str], given: Mapping[str, str]) -> list[Column]:
    """Columns that hold properties: those of known names, and those that the options name.

    Raises
    ------
    InputError
        If the unit of one is unknown.
    """
    return [found for name in names if (found := column_of(name, given.get(name))) is not None]


def column_of(name: str, given: str | None = None) -> Column | None:
    """What a column of a name holds, by its name or by an option; None where it is no known property.

    Raises
    ------
    InputError
        If its unit is unknown.
    """
    base, unit = split(name)
    if given == TOTAL_ENERGY:
        column = _converted(name, Property.ENERGY_PER_ATOM, unit, sure=True) if unit else None
        whole = not PER_ATOM.search(unit.lower())
        return Column(name, Property.ENERGY_PER_ATOM, column.factor if column else 1.0, whole_cell=whole)
    kind = given or NAMES.get(base) or (WITH_UNIT.get(base) if unit else None)
    if kind is None and NAMES.get(plain_name(name)) is not None:
        kind, unit = NAMES[plain_name(name)], ""
    if kind is None:
        return None
    if not unit:
        return Column(name, kind)
    return _converted(name, kind, unit, sure=given is not None or base in NAMES)


def split(name: str) -> tuple[str, str]:
    """Name and unit of a heading such as ``band_gap (meV)``, ``energy [Ha]`` or ``energy_ha``."""
    match = BRACKETS.match(name)
    if match:
        return plain_name(match["name"]), (match["round"] or match["square"] or match["comma"] or "").strip()
    match = SLASHED.match(name)
    if match:
        return plain_name(match["name"]), match["unit"].strip()
    match = TAIL.match(plain_name(name))
    return (match["name"], match["unit"]) if match else (plain_name(name), "")


def plain_name(name: str) -> str:
    """A name in lower case with underscores."""
    return re.sub(r"[\s\-]+", "_", name.strip().lower())


def _converted(name: str, kind: str, unit: str, *, sure: bool) -> Column | None:
    """The column with the factor of its unit."""
    text = unit.strip().lower()
    if text == PROPERTIES[kind].unit.lower() and not _of_an_atom(kind):
        return Column(name, kind)
    if PER_FORMULA.search(text) and _of_an_atom(kind):
        raise InputError(f"The column {name!r} is per formula unit; give it per atom or per cell.")
    bare, per_atom = PER_ATOM.subn("", text)
    bare, per_cell = PER_CELL.subn("", bare)
    factor = _factor(kind, unit, bare)
    if factor is None or (per_atom and not _of_an_atom(kind)):
        if not sure:
            return None
        known = ", ".join(_factors(kind))
        raise InputError(f"The column {name!r} is in {unit!r}, in which {kind} is not read; known are {known}.")
    if "mol" in bare and _of_an_atom(kind) and not per_atom and "per_atom" not in plain_name(name):
        raise InputError(
            f"The column {name!r} is in {unit!r}, which does not say per mole of what; give it in eV/atom."
        )
    whole = _of_an_atom(kind) and not per_atom and (bool(per_cell) or not _names_atom(name))
    return Column(name, kind, factor, whole)


def _factor(kind: str, unit: str, bare: str) -> float | None:
    if unit == "Mbar" and PROPERTIES[kind].unit == Unit.GPA:
        return 100.0
    table = _factors(kind)
    return table.get(bare, table.get(bare.replace("_", "").replace(" ", "")))


def _factors(kind: str) -> dict[str, float]:
    unit = PROPERTIES[kind].unit
    return OF_UNIT.get(unit, {unit.lower(): 1.0})


def _of_an_atom(kind: str) -> bool:
    return PROPERTIES[kind].unit == Unit.EV_PER_ATOM


def _names_atom(name: str) -> bool:
    """Whether a name without a unit's help says that it is of an atom: all but plain energies are by convention."""
    base = split(name)[0]
    return "atom" in base or NAMES.get(base) is not None or (base not in {"energy", "total_energy", "formation_energy"})
