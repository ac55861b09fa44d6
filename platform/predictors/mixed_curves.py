"""What density of states the elements of a crystal would make if bonds only shifted and widened their bands.

A prior that needs no training. Each element brings its own curve g_Z(E), of one atom about its own Fermi level
(`element_curves`). In a compound

* its bands are as wide as their second moment says: stretched about their centre by w_Z = √(μ / μ₀), μ the mean
  coupling of its sites and μ₀ that of the lattice it was computed in (`crystal_inputs`; Friedel, in The Physics of
  Metals, 1969; Cyrot-Lackmann, Adv. Phys. 16, 393, 1967);
* levels of the more electronegative element lie deeper: it is shifted by -SHIFT · (χ_Z - Σ f χ), with Pauling's
  electronegativities χ and atomic fractions f (Pettifor, Bonding and Structure of Molecules and Solids, 1995, ch. 7);
* the mixture, Σ f_Z g_Z in states/eV/atom, is filled with the electrons that its atoms bring, and the level up to
  which it is full is zero: rigid bands (Friedel, Adv. Phys. 3, 446, 1954).

What bonds do beyond that is left to be learned.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np

from fermiloop.platform.predictors.element_curves import ENERGIES, element_curves
from fermiloop.platform.predictors.element_table import ELECTRONEGATIVITY, element_table
from fermiloop.platform.representations.element_features import ELEMENTS_KNOWN

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fermiloop.platform.representations.spectrum import SpectrumGrid

    Array = NDArray[np.float64]

SHIFT: Final = 0.5
"""eV by unit of electronegativity."""
NARROWEST, WIDEST = 0.25, 2.0
"""Bounds of the stretch of bands."""
STEP: Final = 0.1
BANDS: Final = np.arange(-30.0, 22.0, STEP)
"""eV about the common level before filling: wide enough for every stretch and shift that matters."""


def mixed_curves(fractions: Array, coupling: Array, grid: SpectrumGrid) -> Array:
    """(n, grid.n) curves of the elements of crystals, stretched, shifted, mixed and filled: states/eV/atom.

    Parameters
    ----------
    fractions, coupling
        (n, 83) of `CrystalInputs`.
    grid
        In eV, zero at the Fermi level.
    """
    rows = zip(fractions, coupling, strict=True)
    return np.array([_mixed(*row, grid.points) for row in rows]).reshape(len(fractions), grid.n)


@cache
def state_weights(grid: SpectrumGrid) -> Array:
    """(83,) norm of the curve of each element on a grid: how much of the curve of a compound an atom of it makes."""
    each = np.eye(len(ELEMENTS_KNOWN))
    weights = np.linalg.norm(mixed_curves(each, each * element_curves().coupling, grid), axis=1)
    return np.maximum(weights, 0.05 * weights.mean())


def _mixed(fractions: Array, coupling: Array, points: Array) -> Array:
    there, table = np.flatnonzero(fractions), element_curves()
    share = fractions[there]
    electronegativity = element_table()[there + 1, ELECTRONEGATIVITY]
    shift = -SHIFT * (electronegativity - share @ electronegativity)
    width = np.clip(np.sqrt(coupling[there] / table.coupling[there]), NARROWEST, WIDEST)
    bands = np.zeros_like(BANDS)
    for place, part, moved, wide in zip(there, share, shift, width, strict=True):
        curve, centre = table.density[place], table.centre[place]
        unstretched = (BANDS - moved - centre) / wide + centre
        bands += part / wide * np.interp(unstretched, ENERGIES, curve, left=0.0, right=curve[-1])
    level = float(np.interp(share @ table.electrons[there], np.cumsum(bands) * STEP, BANDS))
    return np.asarray(np.interp(points, BANDS - level, bands))
