"""Files of crystals, with or without recorded answers: one JSON object a line, plain or gzip.

A crystal is ``structure`` (as pymatgen writes it), or ``cell`` (a, b, c in Å, α, β, γ in degrees) with ``species`` and
``frac``; ``key`` or ``material_id`` names it. Its answers are ``energy_per_atom``, or ``energy`` of the cell, in eV;
``gap`` and ``efermi`` in eV; ``magmom`` and ``nelectrons`` of the cell; and ``dos`` in states/eV/cell about the middle
of the gap: on ``energies``, or from ``energies_start`` in steps of ``energies_step``, or on the 361 points from -10 to
8 eV of the seed library. Other kinds of curves are under ``curves`` by their names, points and values of each, such as
``{"phonon_dos": {"frequencies": [...], "values": [...]}}``. Libraries in the format of the seed are such files.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from pymatgen.core import Lattice, Structure

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.canonical import canonical
from fermiloop.platform.representations.sameness import same
from fermiloop.schemas.curve_kinds import SpectrumKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from fermiloop.platform.representations.canonical import Form

    Array = NDArray[np.float64]

USUAL_ENERGIES: Final = (-10.0, 8.0, 361)
UNFIT: Final = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


@dataclass(frozen=True)
class Answer:
    """One crystal and what is recorded of it.

    Parameters
    ----------
    key
        Its name.
    structure
        The crystal.
    energy_per_atom
        eV; None where it is not recorded, as below.
    gap, fermi_level
        eV.
    magnetic_moment, n_electrons
        Of the cell.
    energies, density
        (n,) eV, and (n,) states/eV/cell.
    curves
        Points and values of other kinds of curves, (n,) each, by their names.
    """

    key: str
    structure: Structure
    energy_per_atom: float | None = None
    gap: float | None = None
    fermi_level: float | None = None
    magnetic_moment: float | None = None
    n_electrons: float | None = None
    energies: Array | None = None
    density: Array | None = None
    curves: Mapping[str, tuple[Array, Array]] = field(default_factory=dict)


def read_answers(path: Path) -> list[Answer]:
    """Crystals of a file, in their order.

    Raises
    ------
    InputError
        If the file cannot be read, or a line is no crystal: its number and the reason.
    """
    found = []
    for number, line in enumerate(_lines(path), 1):
        try:
            found.append(_answer(json.loads(line)))
        except UNFIT as error:
            raise InputError(f"Line {number} of {path} is no crystal ({type(error).__name__}: {error}).") from None
    if not found:
        raise InputError(f"{path} holds no crystal.")
    return found


class Register:
    """Finds a crystal among others, whatever cell it is written in.

    Parameters
    ----------
    structures
        The others.
    """

    def __init__(self, structures: Sequence[Structure] = ()) -> None:
        self._of_formula: dict[str, list[tuple[int, Structure]]] = {}
        self._forms: dict[int, Form] = {}
        self._n = 0
        for structure in structures:
            self.add(structure)

    def add(self, structure: Structure) -> None:
        """One more."""
        self._of_formula.setdefault(structure.composition.reduced_formula, []).append((self._n, structure))
        self._n += 1

    def find(self, structure: Structure) -> int | None:
        """Place of the first that is the same crystal, None where there is none.

        Raises
        ------
        InputError
            If it has no symmetry that spglib finds, or is disordered.
        """
        rivals = self._of_formula.get(structure.composition.reduced_formula, [])
        if not rivals:
            return None
        form = canonical(structure)
        return next((place for place, rival in rivals if same(form, self._form(place, rival))), None)

    def _form(self, place: int, structure: Structure) -> Form:
        if place not in self._forms:
            self._forms[place] = canonical(structure)
        return self._forms[place]


def _lines(path: Path) -> Iterator[str]:
    try:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
            yield from (line for line in file if line.strip())
    except (OSError, UnicodeDecodeError, EOFError) as error:
        raise InputError(f"{path} cannot be read: {error}.") from None


def _answer(row: dict[str, Any]) -> Answer:
    structure = _structure(row)
    energy = row.get("energy_per_atom")
    if energy is None and row.get("energy") is not None:
        energy = float(row["energy"]) / len(structure)
    density = None if row.get("dos") is None else np.asarray(row["dos"], dtype=float)
    key = row.get("key") or row.get("material_id") or structure.composition.reduced_formula
    return Answer(
        key=str(key),
        structure=structure,
        energy_per_atom=_number(energy),
        gap=_number(row.get("gap", row.get("band_gap"))),
        fermi_level=_number(row.get("efermi")),
        magnetic_moment=_number(row.get("magmom")),
        n_electrons=_number(row.get("nelectrons")),
        energies=None if density is None else _energies(row, len(density)),
        density=density,
        curves={name: _curve(name, one) for name, one in (row.get("curves") or {}).items()},
    )


def _structure(row: dict[str, Any]) -> Structure:
    if "structure" in row:
        return Structure.from_dict(row["structure"])
    return Structure(Lattice.from_parameters(*row["cell"]), list(row["species"]), row["frac"])


def _energies(row: dict[str, Any], n: int) -> Array:
    if "energies" in row:
        found = np.asarray(row["energies"], dtype=float)
    elif "energies_start" in row:
        found = float(row["energies_start"]) + float(row["energies_step"]) * np.arange(n)
    else:
        found = np.linspace(*USUAL_ENERGIES)
    if len(found) != n:
        raise ValueError(f"{n} values of dos on {len(found)} energies")
    return found


def _curve(name: str, row: Mapping[str, Any]) -> tuple[Array, Array]:
    points = row[SpectrumKind(name).declared.points]
    return np.asarray(points, dtype=float), np.asarray(row["values"], dtype=float)


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
