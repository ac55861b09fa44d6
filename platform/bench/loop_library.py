"""A library of densities of states with the labels that follow from its own energies: formation and hull."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fermiloop.platform.bench.library import as_training_set, read_records, read_references
from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.spectrum import DOS_GRID, SpectrumGrid
from fermiloop.platform.screening.hull import Hulls

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from fermiloop.platform.representations.training import TrainingSet


def read_labelled(path: Path, grid: SpectrumGrid = DOS_GRID) -> tuple[TrainingSet, list[str]]:
    """Library of a file with labels, and why each refused line was refused.

    Raises
    ------
    InputError
        If the file cannot be read, holds no usable record, or gives two records one key.
    """
    records, refused = read_records(path, grid)
    keys = [str(record["key"]) for record in records]
    twice = next((key for key in keys if keys.count(key) > 1), None) if len(set(keys)) < len(keys) else None
    if twice is not None:
        raise InputError(f"{path} holds two records of the key {twice}; give each record a key of its own.")
    return replace(as_training_set(records, grid), labels=labels_of(records, read_references(path))), refused


def labels_of(
    records: Sequence[dict[str, Any]], references: Sequence[tuple[str, float]] = ()
) -> dict[str, NDArray[np.float64]]:
    """Energy, formation energy and energy above the hull of the library itself, eV/atom, NaN where they are not known.

    Parameters
    ----------
    records
        With ``structure`` and ``energy`` (eV/atom), all by one Method.
    references
        Elements with an energy (eV/atom) and no record: ground states that are none of the library's structure types.
    """
    energies = np.array([record["energy"] for record in records], dtype=float)
    compositions = [record["structure"].composition for record in records]
    pairs = zip(compositions, energies, strict=True)
    entries = [(c.get_el_amt_dict(), float(energy), "") for c, energy in pairs if np.isfinite(energy)]
    hulls = Hulls([*entries, *(({symbol: 1.0}, energy, "") for symbol, energy in references)])
    above, formation = np.full(len(records), np.nan), np.full(len(records), np.nan)
    for i, (composition, energy) in enumerate(zip(compositions, energies, strict=True)):
        elements = frozenset(element.symbol for element in composition.elements)
        if np.isfinite(energy) and not hulls.missing(elements):
            above[i], formation[i] = hulls.above(composition, float(energy))
    return {"energy_per_atom": energies, "formation_energy_per_atom": formation, "energy_above_hull": above}
