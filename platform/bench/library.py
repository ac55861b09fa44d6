"""Libraries of computed densities of states as files: one JSON record a line, plain or gzip.

A record holds ``formula``, ``structure`` (pymatgen), ``prototype`` and ``dos``: values on a grid from
-10 to 8 eV about the Fermi level in 361 points, or on the points that ``energies`` gives, or ``energies_start`` with
``energies_step`` (eV). Its ``energy`` (eV/cell), where it has one, is what formation energies and hulls are made of.
"""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from pymatgen.core import Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.representations.spectrum import DOS_GRID, SpectrumGrid
from fermiloop.platform.representations.training import TrainingSet

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

SEED_WINDOW: Final = (-10.0, 8.0, 361)
REFERENCE: Final = "reference"  # kind of a record that is an element's energy alone, such as that of a molecule


def read_library(path: Path, grid: SpectrumGrid = DOS_GRID) -> tuple[TrainingSet, list[str]]:
    """Records of a file on `grid`, and why each refused line was refused.

    Raises
    ------
    InputError
        If the file cannot be read or holds no usable record.
    """
    records, refused = read_records(path, grid)
    return as_training_set(records, grid), refused


def read_records(path: Path, grid: SpectrumGrid = DOS_GRID) -> tuple[list[dict[str, Any]], list[str]]:
    """Records of a file with ``key, structure, system, prototype, curve, energy``, and why lines were refused.

    The curve stands on `grid`; the energy is in eV/atom, NaN where the record has none.

    Raises
    ------
    InputError
        If the file cannot be read or holds no usable record.
    """
    records, refused = [], []
    for number, line in enumerate(lines_of(path), start=1):
        try:
            record = json.loads(line)
            if record.get("ok", True) and record.get("kind") != REFERENCE:
                records.append(_row(record, grid))
        except InputError as error:
            refused.append(f"line {number}: {error}")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            refused.append(f"line {number}: no record of a DOS library ({type(error).__name__}: {error})")
    if not records:
        reason = f"; the first reason: {refused[0]}" if refused else ", the file is empty"
        raise InputError(f"{path} holds no usable record{reason}.")
    return records, refused


def read_references(path: Path) -> list[tuple[str, float]]:
    """Element and energy (eV/atom) of the records of a file that are a reference alone, without a curve.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    found = []
    for line in lines_of(path):
        try:
            record = json.loads(line)
            if record.get("ok", True) and record.get("kind") == REFERENCE:
                symbols = [site["species"][0]["element"] for site in record["structure"]["sites"]]
                found.append((str(symbols[0]), float(record["energy"]) / len(symbols)))
        except (ValueError, LookupError, TypeError, AttributeError):
            continue  # told by `read_records`
    return found


def read_libraries(paths: Sequence[Path], grid: SpectrumGrid = DOS_GRID) -> tuple[TrainingSet, list[str]]:
    """Records of several files on `grid`, such as the curves of several Methods, and why lines were refused.

    Raises
    ------
    InputError
        If a file cannot be read or holds no usable record.
    """
    every: list[dict[str, Any]] = []
    refused: list[str] = []
    for path in paths:
        records, why = read_records(path, grid)
        every += records
        refused += [f"{path.name}, {one}" for one in why]
    return as_training_set(every, grid), refused


def as_training_set(records: Sequence[dict[str, Any]], grid: SpectrumGrid) -> TrainingSet:
    """Records with ``key, structure, system, prototype, curve`` as one training set."""
    return TrainingSet(
        ids=tuple(str(record["key"]) for record in records),
        structures=tuple(record["structure"] for record in records),
        crystal_systems=tuple(str(record["system"]) for record in records),
        prototypes=tuple(str(record["prototype"]) for record in records),
        grid=grid,
        curves=np.array([record["curve"] for record in records]),
    )


def lines_of(path: Path) -> Iterator[str]:
    """Lines of a file that hold something, plain or gzip.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    try:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
            yield from (line for line in file if line.strip())
    except (OSError, UnicodeDecodeError, EOFError) as error:
        raise InputError(f"{path} cannot be read: {error}.") from None


def _row(record: dict[str, Any], grid: SpectrumGrid) -> dict[str, Any]:
    structure = Structure.from_dict(record["structure"])
    density = np.asarray(record["dos"], dtype=float)
    curve = np.maximum(grid.resample(energies_of(record, density), density), 0)
    grid.normalise(curve)  # refuses a curve without area
    prototype = str(record.get("prototype", ""))
    if prototype in PROTOTYPES:
        system = PROTOTYPES[prototype].crystal_system
    else:
        system = SpacegroupAnalyzer(structure, symprec=1e-2).get_crystal_system()
    key = record.get("key") or record["formula"]
    energy = float(record["energy"]) / len(structure) if record.get("energy") is not None else np.nan
    return {
        "key": key, "structure": structure, "system": system, "prototype": prototype, "curve": curve, "energy": energy,
    }  # fmt: skip


def energies_of(record: dict[str, Any], density: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) energies of a record's curve, eV about the Fermi level.

    Raises
    ------
    InputError
        If they are told in two ways, or in half of one.
    """
    start, step = record.get("energies_start"), record.get("energies_step")
    if (start is None) != (step is None):
        raise InputError("energies_start and energies_step belong together; give both, or energies")
    if "energies" in record:
        if start is not None:
            raise InputError("energies are given twice; leave out energies, or energies_start with energies_step")
        return np.asarray(record["energies"], dtype=float)
    if start is None or step is None:
        return np.linspace(*SEED_WINDOW)
    if not (np.isfinite([float(start), float(step)]).all() and float(step) > 0):
        raise InputError(f"energies_start must be finite and energies_step above 0, not {start} and {step}")
    return np.asarray(float(start) + float(step) * np.arange(len(density)), dtype=float)
