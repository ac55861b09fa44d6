"""Libraries of computed densities of states as files: one JSON record a line, plain or gzip.

A record holds ``formula``, ``structure`` (pymatgen), ``prototype`` and ``dos``: values on a grid from
-10 to 8 eV about the Fermi level in 361 points, or on the points that ``energies`` gives.
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

SEED_WINDOW: Final = (-10.0, 8.0, 361)


def read_library(path: Path, grid: SpectrumGrid = DOS_GRID) -> tuple[TrainingSet, list[str]]:
    """Records of a file on `grid`, and why each refused line was refused.

    Raises
    ------
    InputError
        If the file cannot be read or holds no usable record.
    """
    records, refused = [], []
    for number, line in enumerate(lines_of(path), start=1):
        try:
            record = json.loads(line)
            if record.get("ok", True):
                records.append(_row(record, grid))
        except InputError as error:
            refused.append(f"line {number}: {error}")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            refused.append(f"line {number}: no record of a DOS library ({type(error).__name__}: {error})")
    if not records:
        reason = f"; the first reason: {refused[0]}" if refused else ", the file is empty"
        raise InputError(f"{path} holds no usable record{reason}.")
    return as_training_set(records, grid), refused


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
    energies = np.asarray(record["energies"], dtype=float) if "energies" in record else np.linspace(*SEED_WINDOW)
    curve = np.maximum(grid.resample(energies, density), 0)
    grid.normalise(curve)  # refuses a curve without area
    prototype = str(record.get("prototype", ""))
    if prototype in PROTOTYPES:
        system = PROTOTYPES[prototype].crystal_system
    else:
        system = SpacegroupAnalyzer(structure, symprec=1e-2).get_crystal_system()
    key = record.get("key", record["formula"])
    return {"key": key, "structure": structure, "system": system, "prototype": prototype, "curve": curve}
