"""Energies of a frame under the names that people use: which was taken is told, contradictions are refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from fermiloop.db_init.importers.columns import ELECTRONVOLT, NAMES, Column, column_of, plain_name, split
from fermiloop.db_init.importers.numbers import number
from fermiloop.db_init.importers.options import TOTAL_ENERGY
from fermiloop.platform.errors import InputError
from fermiloop.schemas.vocabulary import Property

ENERGY: Final = "energy"
# total energies of the cell in eV, in lower case without underscores; of several the first, where they agree
TOTALS: Final = (
    "energy", "refenergy", "dftenergy", "energyref", "energydft", "edft", "eref", "energy0", "e0", "totenergy",
    "totalenergy", "energytotal", "potentialenergy", "etot", "e", "vaspenergy", "energyvasp", "qmenergy", "energyqm",
    "correctedtotalenergy", "uncorrectedtotalenergy", "uncorrectedenergy", "correctedenergy",
    "energysigma0", "energysigmazero",
)  # fmt: skip
FREE: Final = frozenset({"freeenergy", "reffreeenergy", "dftfreeenergy", "energyfree"})  # with the electrons' entropy
PER_ATOM: Final = re.compile(r"_?per_?atom$|_?peratom$")
AMBIGUOUS: Final = frozenset(
    {"formationenergy", "eform", "formenergy", "ef", "cohesiveenergy", "bindingenergy", "gap", "homolumogap"}
)
UNITS: Final = ("energy_unit", "energy_units", "units", "unit")
LENGTHS: Final = ("length_unit", "length_units", "pos_unit", "position_unit", "positions_unit")
ANGSTROM: Final = frozenset({"angstrom", "ang", "å", "a", "angstroms", "aa"})
SAME: Final = 1e-3  # eV/atom by which two energies of one frame may differ


@dataclass(frozen=True)
class Reading:
    """Numbers of a frame.

    Parameters
    ----------
    numbers
        Property and value in its unit.
    remarks
        What concerns this frame.
    general
        What is so in every frame of such names: told once a file.
    """

    numbers: tuple[tuple[str, float], ...]
    remarks: tuple[str, ...] = ()
    general: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Energy:
    name: str
    per_atom: float  # eV
    rank: int
    free: bool = False


def read(known: Mapping[str, Any], n_sites: int, given: Mapping[str, str]) -> Reading:
    """Properties of a frame.

    Parameters
    ----------
    known
        Keys of its comment line.
    n_sites
        Number of its atoms.
    given
        Keys that the user named, to the property that they hold.

    Raises
    ------
    InputError
        If a value is no number of its property, a unit is unknown, or energies contradict each other.
    """
    factor = _unit(known)
    remarks: list[str] = []
    general: list[str] = []
    found: dict[str, float] = {}
    for name in sorted(known, key=lambda one: one not in given):
        column = None if _is_energy(name, given) else column_of(name, given.get(name))
        if column is not None and (value := _value(column, known[name], n_sites, factor)) is not None:
            if column.kind in found and name not in given:
                continue
            found[column.kind] = value
            if name in given or plain_name(name) != column.kind:
                general.append(f"{name} was taken as {given.get(name) or column.kind}.")
    general += [f"The frame has no key {name}, which --column names." for name in given if name not in known]
    if Property.ENERGY_PER_ATOM not in found:
        energy = _energy(known, n_sites, factor, remarks, general)
        if energy is not None:
            found[Property.ENERGY_PER_ATOM] = energy
    left = sorted(name for name in known if name not in given and _is_left(name))
    general += [f"{name} was left out: say what it is by --column {name}=PROPERTY." for name in left]
    return Reading(tuple(found.items()), tuple(remarks), tuple(general))


def _is_left(name: str) -> bool:
    """Whether a key speaks of an energy that is not read."""
    speaks = _squeezed(name) in AMBIGUOUS or "energy" in name.lower()
    return speaks and _energy_name(name) is None and column_of(name) is None and plain_name(name) not in UNITS


def _squeezed(name: str) -> str:
    return re.sub(r"[_\s\-]", "", name.lower())


def _is_energy(name: str, given: Mapping[str, str]) -> bool:
    """Whether a key is dealt with as a total energy, by its name alone."""
    return name not in given and _energy_name(name) is not None


def _energy_name(name: str) -> tuple[int, bool, bool] | None:
    """Rank among total energies, whether it is of an atom, whether it is a free energy; None for anything else."""
    base = split(name)[0]
    column = NAMES.get(base)
    if column is not None and column != Property.ENERGY_PER_ATOM:
        return None
    bare, per_atom = PER_ATOM.subn("", base)
    squeezed = _squeezed(bare)
    if squeezed in FREE:
        return len(TOTALS), bool(per_atom), True
    return (TOTALS.index(squeezed), bool(per_atom), False) if squeezed in TOTALS else None


def _unit(known: Mapping[str, Any]) -> float:
    """Electronvolts of the unit that a frame states for its energies; lengths must be in Å."""
    for name, value in known.items():
        text = str(value).strip().lower()
        if plain_name(name) in LENGTHS and text not in ANGSTROM:
            raise InputError(f"The lengths are in {str(value)[:20]!r} by {name}, and are read in angstrom only.")
        if plain_name(name) in UNITS and isinstance(value, str):
            if text not in ELECTRONVOLT:
                raise InputError(f"The energies are in {value[:20]!r} by {name}, a unit that is not known.")
            return ELECTRONVOLT[text]
    return 1.0


def _value(column: Column, value: Any, n_sites: int, factor: float) -> float | None:
    if isinstance(value, np.bool_ | bool):
        raise InputError(f"The value of {column.name} is {value}, which is no finite number.")
    if column.kind == Property.ENERGY_PER_ATOM:
        _finite(value, column.name)
    found = column.value(value, n_sites)
    stated = column.kind in {Property.ENERGY_PER_ATOM, Property.FORMATION_ENERGY_PER_ATOM, Property.BAND_GAP}
    return found * factor if found is not None and stated and split(column.name)[1] == "" else found


def _finite(value: Any, name: str) -> None:
    """Refuse an energy that is NaN: the calculation failed, and its crystal is not to be trusted."""
    if isinstance(value, float | np.floating) and not np.isfinite(value):
        raise InputError(f"The value of {name} is {value}, which is no finite number.")
    if isinstance(value, str) and value.strip().lower() == "nan":
        raise InputError(f"The value of {name} is {value}, which is no finite number.")


def _stem(energy: _Energy) -> str:
    """Name of an energy whether it is of the cell or of an atom."""
    return _squeezed(PER_ATOM.sub("", split(energy.name)[0]))


def _energy(
    known: Mapping[str, Any], n_sites: int, factor: float, remarks: list[str], general: list[str]
) -> float | None:
    """Total energy in eV/atom, and which key it was."""
    found = sorted(_energies(known, n_sites, factor), key=lambda one: one.rank)
    if not found:
        return None
    best = found[0]
    for one in found:
        far = next((two for two in found if _stem(one) == _stem(two) and abs(one.per_atom - two.per_atom) > SAME), None)
        if far is not None:
            raise InputError(
                f"The energies contradict each other: {one.name} is {one.per_atom:g} eV/atom, but {far.name} is "
                f"{far.per_atom:g} eV/atom."
            )
    others = [one for one in found if one.free == best.free and abs(one.per_atom - best.per_atom) > SAME]
    if others:
        told = " and ".join(f"{one.name} ({one.per_atom:g} eV/atom)" for one in (best, *others))
        remarks.append(f"{told} disagree, so no energy was taken: say which by --column {best.name}={TOTAL_ENERGY}.")
        return None
    if plain_name(best.name) not in {ENERGY, str(Property.ENERGY_PER_ATOM)}:
        general.append(f"The energy was taken from {best.name}.")
    return best.per_atom


def _energies(known: Mapping[str, Any], n_sites: int, factor: float) -> list[_Energy]:
    """Every total energy that the frame states."""
    found = []
    for name, value in known.items():
        what = _energy_name(name)
        if what is None:
            continue
        rank, per_atom, free = what
        unit = split(name)[1]
        column = column_of(name, Property.ENERGY_PER_ATOM) if unit else None
        _finite(value, name)
        if isinstance(value, np.bool_ | bool):
            raise InputError(f"The value of {name} is {value}, which is no finite number.")
        amount = number(value, name)
        if amount is None:
            continue
        scale = column.factor if column is not None else factor
        of_atom = per_atom or (column is not None and not column.whole_cell)
        found.append(_Energy(name, amount * scale / (1 if of_atom else n_sites), rank, free))
    return found
