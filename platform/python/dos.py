"""Densities of states between the store and pymatgen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pymatgen.electronic_structure.core import Spin
from pymatgen.electronic_structure.dos import Dos

from fermiloop.platform.app import curves
from fermiloop.platform.errors import InputError

if TYPE_CHECKING:
    from fermiloop.schemas.spectrum import Spectrum

Bounds = tuple[float, float]
DosLike = Dos | str | Path | Sequence[Any]
"""What a density of states can be given as: pymatgen's `Dos`; a file of any known form; the id of a material, or a
formula; energies (eV, about the Fermi level) and values."""


def from_store(spectrum: Spectrum) -> Dos:
    """A stored curve as pymatgen's, its Fermi level at 0: what lies there, the store's alignment says."""
    return Dos(0.0, spectrum.points(), {Spin.up: spectrum.array()})


def curve_of(given: DosLike, window: Bounds | None = None) -> curves.Curve:
    """A density of states as searches and generators take it.

    Raises
    ------
    InputError
        If it is none, or does not cover the window.
    NotFoundError
        If no material of that id or formula has one.
    """
    if isinstance(given, Dos):
        return curves.of_columns(given.energies, _total(given.densities), float(given.efermi), window)
    if isinstance(given, Path):
        return curves.of_file(given, window)
    if isinstance(given, str):
        return curves.of(given, window)
    if isinstance(given, Sequence | np.ndarray) and len(given) == 2:
        return curves.of_columns(given[0], given[1], window=window)
    raise InputError(
        f"{type(given).__name__} is no density of states; give pymatgen's Dos, a file, a material's id, a formula, or "
        "energies and values."
    )


def _total(densities: Mapping[Any, Any]) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.sum([np.asarray(one, dtype=float) for one in densities.values()], axis=0)
