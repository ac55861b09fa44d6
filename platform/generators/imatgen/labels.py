"""Which virtual crystals count as stable.

The paper computes formation energies by DFT and calls a crystal stable up to 0.5 eV/atom (Noh et al., 2019). Here
a cheap potential gives single-point energies at the scaled volume, unrelaxed, and the reference is the line through
the energies of the virtual set itself; or a virtual crystal takes the formation energy of its parent. Neither is
DFT, and the labels say no more than which of these crystals are the better ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.optimize import least_squares

from fermiloop.platform.plugins.potentials import potential as declared

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from pymatgen.core import Structure

    from fermiloop.platform.generators.protocol import TrainingSet

    Array = NDArray[np.float64]

ENERGY: Final = "formation_energy_per_atom"
PORTION: Final = 50
"""Crystals between two reports of progress."""


def parent_labels(data: TrainingSet, parents: NDArray[np.int64], stable_below: float) -> Array:
    """(n,) 1 where the parent's formation energy, eV/atom, is at most `stable_below`, else 0; NaN if unknown."""
    energies = np.asarray(data.labels.get(ENERGY, np.full(len(data), np.nan)), dtype=float)[parents]
    return np.where(np.isnan(energies), np.nan, energies <= stable_below)


def potential_labels(
    structures: Sequence[Structure],
    element: str,
    potential: str,
    most: int,
    stable_below: float,
    rng: np.random.Generator,
    progress: Callable[[str, float], None],
) -> Array:
    """(n,) 1 where a crystal's energy is at most `stable_below` above the line through all, 0 above, NaN if not asked.

    Parameters
    ----------
    structures
        Of one pair of elements.
    element
        Either of them.
    potential
        Name of the potential.
    most
        How many are computed, at random.
    stable_below
        eV/atom.
    rng
        Of the random draws.
    progress
        Told the share done.
    """
    labels = np.full(len(structures), np.nan)
    chosen = np.sort(rng.permutation(len(structures))[:most])
    if not len(chosen):
        return labels
    oracle = declared(potential).build()
    energies: list[float] = []
    for first in range(0, len(chosen), PORTION):
        energies += oracle.energies([structures[i] for i in chosen[first : first + PORTION]])
        progress("energies of virtual crystals", len(energies) / len(chosen))
    share = np.array([structures[i].composition.get_atomic_fraction(element) for i in chosen])
    found = np.array(energies)
    known = np.isfinite(found)  # of the others the potential gives no energy: they stay unlabelled
    if known.any():
        labels[chosen[known]] = above_line(found[known], share[known]) <= stable_below
    return labels


def above_line(energies: Array, share: Array) -> Array:
    """(n,) energies above a straight line in the (n,) share of an element; far outliers do not bend it."""
    middle = float(np.median(energies))

    def residuals(line: Array) -> Array:
        return np.asarray(energies - line[0] - line[1] * share)

    line = least_squares(residuals, [middle, 0.0], loss="soft_l1", f_scale=0.3).x
    return residuals(line)
