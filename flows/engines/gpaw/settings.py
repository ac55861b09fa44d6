"""Settings of GPAW: cutoff, k-points, smearing, the grid of the density of states, and how a relaxation is run.

The defaults are those of the seed library (`db_init/seed_method.py`): other ones are another Method, whose labels and
curves share no hull and no training set with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# 400 eV is silently wrong (tens of GPa) for these: they need 600 eV and references of their own.
HARD_ELEMENTS: Final = frozenset({"B", "C", "N", "O", "F"})
HARD_CUTOFF: Final = 600.0  # eV
RELAX_FMAX: Final = 0.02  # eV/Å; for a cell filter 0.05 would be half a GPa
RELAX_STEPS: Final = 40


@dataclass(frozen=True)
class GpawSettings:
    """Everything that makes two GPAW results comparable.

    Parameters
    ----------
    cutoff
        Plane-wave cutoff in eV.
    kpoint_density
        k-points per Å⁻¹, Gamma included.
    smearing
        Fermi-Dirac width in eV.
    dos_lo, dos_hi, dos_step
        Grid of E - E_F in eV.
    dos_broadening
        Standard deviation of the Gaussian in eV.
    max_scf_steps
        Self-consistency steps before the run is given up.
    """

    cutoff: float = 400.0
    kpoint_density: float = 5.0
    smearing: float = 0.1
    symmetry_tolerance: float = 1e-4
    dos_lo: float = -10.0
    dos_hi: float = 8.0
    dos_step: float = 0.05
    dos_broadening: float = 0.1
    max_scf_steps: int = 80

    @property
    def dos_energies(self) -> NDArray[np.float64]:
        """Grid of E - E_F: (n_bins,) eV."""
        n = round((self.dos_hi - self.dos_lo) / self.dos_step) + 1
        return np.round(self.dos_lo + self.dos_step * np.arange(n), 6)


@dataclass(frozen=True)
class GpawEngineSettings(GpawSettings):
    """`GpawSettings`, and how the relaxation is run, which is no part of the Method.

    Parameters
    ----------
    relax_fmax
        eV/Å.
    relax_steps
        Most ionic steps.
    relax_kpoint_density
        k-points per Å⁻¹ of the relaxation; energy and DOS always take `kpoint_density`.
    """

    relax_fmax: float = RELAX_FMAX
    relax_steps: int = RELAX_STEPS
    relax_kpoint_density: float = 3.5
