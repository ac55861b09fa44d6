"""Crystals with labels out of a file, chosen for a benchmark."""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from pymatgen.core import Composition, Element, Lattice, Structure

from fermiloop.platform.bench.library import lines_of, read_library
from fermiloop.platform.bench.space_groups import SpaceGroups, cache_file
from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.spectrum import DOS_GRID, SpectrumGrid
from fermiloop.platform.representations.training import TrainingSet

if TYPE_CHECKING:
    from pathlib import Path

LABELS: Final = {
    "e_form": "formation_energy_per_atom",
    "band_gap": "band_gap",
    "e_above_hull": "energy_above_hull",
}
"""Fields of the Materials Project files, eV/atom, eV and eV/atom, by the name of the property."""
SYSTEMS: Final = (
    (2, "triclinic"), (15, "monoclinic"), (74, "orthorhombic"), (142, "tetragonal"),
    (167, "trigonal"), (194, "hexagonal"), (230, "cubic"),
)  # fmt: skip
"""Last space group of each crystal system."""


def read_crystals(path: Path, grid: SpectrumGrid = DOS_GRID, lines: int | None = None) -> tuple[TrainingSet, list[str]]:
    """Crystals of a file, and why each refused line was refused.

    Two formats: structures with labels (``cell``, ``species``, ``frac``, ``e_form``, ``band_gap``,
    ``e_above_hull``, ``spacegroup``), whose curves are NaN, and the records of a DOS library. A space group that is
    missing is computed.

    Parameters
    ----------
    lines
        Of structures with labels, how many are read; all by default.

    Raises
    ------
    InputError
        If the file cannot be read or holds no usable line.
    """
    first = next(lines_of(path), "")
    if '"cell"' not in first:
        return read_library(path, grid)
    rows, refused, groups = [], [], SpaceGroups(cache_file())
    for number, line in enumerate(islice(lines_of(path), lines), start=1):
        try:
            rows.append(_row(json.loads(line), groups))
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            refused.append(f"line {number}: no crystal ({type(error).__name__}: {error})")
    groups.keep()
    if not rows:
        raise InputError(f"{path} holds no usable crystal; the first reason: {refused[0]}.")
    return _as_training_set(rows, grid), refused


def select(
    data: TrainingSet,
    n_elements: int | None = None,
    max_sites: int | None = None,
    max_length: float | None = None,
    limit: int | None = None,
    seed: int = 0,
) -> TrainingSet:
    """The crystals that fit, in their order, or `limit` random ones.

    Parameters
    ----------
    n_elements
        Distinct elements.
    max_sites
        Most sites of the cell.
    max_length
        Longest of a, b, c, Å.
    limit
        How many at most.
    seed
        Of the random draws.

    Raises
    ------
    InputError
        If no crystal fits.
    """
    fits = [
        i
        for i, structure in enumerate(data.structures)
        if (n_elements is None or len(structure.composition) == n_elements)
        and (max_sites is None or len(structure) <= max_sites)
        and (max_length is None or max(structure.lattice.abc) <= max_length)
    ]
    if not fits:
        raise InputError(
            f"None of the {len(data)} crystals has {n_elements or 'any number of'} elements, at most "
            f"{max_sites or 'any number of'} sites and no axis above {max_length or 'any'} Å; give another --data file."
        )
    if limit is not None and len(fits) > limit:
        fits = sorted(np.random.default_rng(seed).choice(fits, limit, replace=False).tolist())
    return data.subset(fits)


def formulas(data: TrainingSet) -> list[str]:
    """Reduced formula of each crystal."""
    return [structure.composition.reduced_formula for structure in data.structures]


def crystal_of(record: dict[str, Any]) -> Structure:
    """The crystal of a line with ``cell`` (Å, degrees), ``species`` and ``frac``."""
    species = [Element(symbol) for symbol in record["species"]]
    return Structure(Lattice.from_parameters(*record["cell"]), species, record["frac"])


def _row(record: dict[str, Any], groups: SpaceGroups) -> dict[str, Any]:
    structure = crystal_of(record)
    group = int(record.get("spacegroup") or groups.of(structure))
    return {
        "id": str(record.get("material_id", structure.composition.reduced_formula)),
        "structure": structure,
        "system": next(name for last, name in SYSTEMS if group <= last),
        "prototype": f"{Composition(structure.composition).anonymized_formula}/{group}",
        "labels": {ours: float(record[theirs]) for theirs, ours in LABELS.items() if record.get(theirs) is not None},
    }


def _as_training_set(rows: list[dict[str, Any]], grid: SpectrumGrid) -> TrainingSet:
    return TrainingSet(
        ids=tuple(row["id"] for row in rows),
        structures=tuple(row["structure"] for row in rows),
        crystal_systems=tuple(row["system"] for row in rows),
        prototypes=tuple(row["prototype"] for row in rows),
        grid=grid,
        curves=np.full((len(rows), grid.n), np.nan),
        labels={name: np.array([row["labels"].get(name, np.nan) for row in rows]) for name in LABELS.values()},
    )
