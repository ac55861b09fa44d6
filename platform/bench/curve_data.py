"""Crystals with phonon densities of states, or with measured absorption, out of files.

Which it is, the first line says. Phonon densities of states are those of JARVIS with their crystals; of an absorption
table the crystal is that of its formula with the lowest energy above the hull in ``mp_structures.jsonl.gz`` beside it,
of an element the one of lowest energy in ``mp_element_references.json.gz``, where that is there.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from pymatgen.core import Composition, Structure

from fermiloop.platform.bench.crystal_data import SYSTEMS, crystal_of
from fermiloop.platform.bench.library import lines_of
from fermiloop.platform.bench.space_groups import space_group
from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.absorption import absorption_curve, sample_refusal, usual
from fermiloop.platform.representations.grids import GRIDS
from fermiloop.platform.representations.phonon_curves import JARVIS_WAVENUMBERS, imaginary_part, of_wavenumbers, refusal
from fermiloop.platform.representations.training import TrainingSet
from fermiloop.schemas.curve_kinds import SpectrumKind

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Found = tuple[str, Structure, Array]

ELEMENTS: Final = "mp_element_references.json.gz"
CRYSTALS: Final = "mp_structures.jsonl.gz"
NEAR_THE_HULL: Final = 0.1  # eV/atom
UNFIT: Final = (ArithmeticError, InputError, LookupError, TypeError, ValueError)


def kind_of(path: Path) -> SpectrumKind:
    """What the curves of a file are; powder patterns, which are computed, where it holds crystals alone."""
    first = next(lines_of(path), "")
    if '"phonon_dos"' in first:
        return SpectrumKind.PHONON_DOS
    return SpectrumKind.ABSORPTION if '"energy_eV"' in first else SpectrumKind.XRD


def read_curves(path: Path, kind: SpectrumKind) -> tuple[TrainingSet, int]:
    """Crystals of a file with their curves on the grid of the kind, and how many lines were refused.

    Raises
    ------
    InputError
        If the file cannot be read, or no line is of use.
    """
    found, refused = (_phonons if kind is SpectrumKind.PHONON_DOS else _absorption)(path)
    if not found:
        raise InputError(f"{path} holds no {kind.declared.title} of a crystal that is of use; give another file.")
    groups = [space_group(structure) for _, structure, _ in found]
    data = TrainingSet(
        ids=tuple(key for key, _, _ in found),
        structures=tuple(structure for _, structure, _ in found),
        crystal_systems=tuple(next(name for last, name in SYSTEMS if group <= last) for group in groups),
        prototypes=tuple(
            f"{structure.composition.anonymized_formula}/{group}"
            for (_, structure, _), group in zip(found, groups, strict=True)
        ),
        grid=GRIDS[kind],
        curves=np.stack([curve for _, _, curve in found]),
    )
    return data, refused


def _phonons(path: Path) -> tuple[list[Found], int]:
    """Crystals without imaginary modes; of several that are one crystal only the first."""
    found: dict[tuple[str, float], Found] = {}
    refused = 0
    for line in lines_of(path):
        try:
            row = json.loads(line)
            structure = Structure.from_str(row["poscar"], fmt="poscar")
            x, y = of_wavenumbers(JARVIS_WAVENUMBERS, row["phonon_dos"], len(structure))
            if told := refusal(imaginary_part(x, y)):
                raise InputError(told)
            curve = GRIDS[SpectrumKind.PHONON_DOS].resample(x, y)
        except UNFIT:
            refused += 1
            continue
        same = (structure.composition.reduced_formula, round(structure.volume / len(structure), 2))
        found.setdefault(same, (str(row.get("jid")), structure, curve))
    return list(found.values()), refused


def _absorption(path: Path) -> tuple[list[Found], int]:
    """The usual table of each formula that has a crystal."""
    tables: dict[str, list[Array]] = {}
    refused = 0
    for line in lines_of(path):
        try:
            row = json.loads(line)
            if told := sample_refusal(f"{row['page']} {row.get('comment') or ''}"):
                raise InputError(told)
            formula = Composition(row["material"]).reduced_formula
            curve = GRIDS[SpectrumKind.ABSORPTION].resample(*absorption_curve(row["energy_eV"], row["k"]))
        except UNFIT:
            refused += 1
            continue
        tables.setdefault(formula, []).append(curve)
    crystals = _lowest(path.parent / CRYSTALS, set(tables)) | _elements(path.parent / ELEMENTS)
    known = [name for name in tables if name in crystals]
    return [(name, crystals[name], tables[name][usual(np.stack(tables[name]))]) for name in known], refused


def _lowest(path: Path, formulas: set[str]) -> dict[str, Structure]:
    """The crystal of lowest energy above the hull of each of these reduced formulas, where that is near the hull."""
    best: dict[str, tuple[float, dict[str, Any]]] = {}
    for line in lines_of(path):
        row = json.loads(line)
        formula = Composition.from_dict(_amounts(row["species"])).reduced_formula
        above = row.get("e_above_hull")
        if formula in formulas and above is not None and above <= min(NEAR_THE_HULL, best.get(formula, (1.0, {}))[0]):
            best[formula] = (float(above), row)
    return {formula: crystal_of(row) for formula, (_, row) in best.items()}


def _elements(path: Path) -> dict[str, Structure]:
    """The crystal of lowest energy of each element by its reduced formula; none where there is no such file."""
    if not path.exists():
        return {}
    known = json.loads("".join(lines_of(path)))
    lowest = (
        min(zip(one["energy_per_atom"], one["structure"], strict=True), key=lambda pair: float(pair[0]))
        for one in known.values()
    )
    crystals = [Structure.from_dict(structure) for _, structure in lowest]
    return {crystal.composition.reduced_formula: crystal for crystal in crystals}


def _amounts(species: list[str]) -> dict[str, int]:
    return {symbol: species.count(symbol) for symbol in set(species)}
