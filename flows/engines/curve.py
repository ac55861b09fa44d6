"""A program's density of states on the grid of the store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from fermiloop.platform.errors import EngineError

FINE_STEP: Final = 0.01  # eV
GRID_BOUNDS: Final = {
    "dos_lo": (-100.0, 0.0),
    "dos_hi": (0.0, 100.0),
    "dos_step": (1e-3, 0.5),
    "dos_broadening": (1e-2, 2.0),
}
"""Lowest and highest value of each setting of a grid, eV."""


@dataclass(frozen=True)
class DosGrid:
    """Grid of E - E_F and broadening, all in eV; the same as GPAW's, so that curves can be compared."""

    dos_lo: float = -10.0
    dos_hi: float = 8.0
    dos_step: float = 0.05
    dos_broadening: float = 0.1

    @property
    def energies(self) -> NDArray[np.float64]:
        """Grid of E - E_F: (n_bins,) eV."""
        n = round((self.dos_hi - self.dos_lo) / self.dos_step) + 1
        return np.round(self.dos_lo + self.dos_step * np.arange(n), 6)


def on_grid(energies: Any, density: Any, zero: float, grid: DosGrid) -> NDArray[np.float64]:
    """Density of states broadened and sampled on a grid: (n_bins,) states/eV/cell.

    Parameters
    ----------
    energies
        (n,) rising energies as the program counts them, eV.
    density
        (n,) states/eV/cell, both spins summed.
    zero
        Energy that lies at zero of the grid, eV.

    Raises
    ------
    EngineError
        If it ends below the top of the grid, or holds what is no number.
    """
    x, y = np.asarray(energies, dtype=float) - zero, np.asarray(density, dtype=float)
    if x.shape != y.shape or x.ndim != 1 or not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise EngineError(f"the density of states is no curve: {x.shape} energies and {y.shape} values")
    if x[-1] < grid.dos_hi:
        raise EngineError(f"the density of states ends {x[-1]:.2f} eV above the Fermi level, below {grid.dos_hi:g} eV")
    margin = 4 * grid.dos_broadening
    fine = np.arange(grid.dos_lo - margin, min(x[-1], grid.dos_hi + margin) + FINE_STEP / 2, FINE_STEP)
    raw = np.interp(fine, x, y, left=0.0)
    return np.interp(grid.energies, fine, gaussian_filter1d(raw, grid.dos_broadening / FINE_STEP, mode="nearest"))
