"""Powder diffraction patterns of crystals, as curves.

Peaks and intensities are pymatgen's (kinematic, with Lorentz and polarisation factors, no thermal motion), for
Cu Kα, 1.5418 Å. Each peak is spread as a normal distribution over 2θ, so that patterns of nearly equal cells are
nearly equal curves, and the whole has unit area.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.grids import XRD_GRID

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from pymatgen.analysis.diffraction.xrd import XRDCalculator
    from pymatgen.core import Structure

    from fermiloop.platform.representations.spectrum import SpectrumGrid

RADIATION: Final = "CuKa"
WIDTH: Final = 0.4
"""Standard deviation of a peak, degrees of 2θ: wider than a diffractometer's, as wide as 1 % of strain at 60°."""


def xrd_pattern(structure: Structure, grid: SpectrumGrid = XRD_GRID, width: float = WIDTH) -> NDArray[np.float64]:
    """(grid.n,) powder pattern of unit area over 2θ.

    Parameters
    ----------
    structure
        Any cell of the crystal.
    grid
        2θ in degrees.
    width
        Standard deviation of a peak, degrees.

    Raises
    ------
    InputError
        If no reflection lies on the grid, as of a cell that is too small.
    """
    margin = 4 * width
    low, high = max(grid.lo - margin, 0.1), min(grid.hi + margin, 179.9)
    try:
        peaks = _calculator()(RADIATION).get_pattern(structure, scaled=False, two_theta_range=(low, high))
    except ValueError as error:  # no reflection at all
        raise InputError(f"{structure.formula} has no diffraction pattern ({error}).") from None
    places, heights = np.asarray(peaks.x, dtype=float), np.asarray(peaks.y, dtype=float)
    curve = (heights * np.exp(-0.5 * ((grid.points[:, None] - places) / width) ** 2)).sum(axis=1)
    return grid.normalise(curve)


def xrd_patterns(
    structures: Sequence[Structure],
    grid: SpectrumGrid = XRD_GRID,
    width: float = WIDTH,
    progress: Callable[[str, float], None] = lambda _what, _share: None,
) -> NDArray[np.float64]:
    """(n, grid.n) patterns; a row of NaN for a crystal that has none."""
    found = np.full((len(structures), grid.n), np.nan)
    for i, structure in enumerate(structures):
        try:
            found[i] = xrd_pattern(structure, grid, width)
        except InputError:
            continue
        if i % 100 == 0:
            progress("diffraction patterns", (i + 1) / len(structures))
    return found


def _calculator() -> type[XRDCalculator]:
    from pymatgen.analysis.diffraction.xrd import XRDCalculator  # brings pyplot: a second, for powder patterns alone

    return XRDCalculator
