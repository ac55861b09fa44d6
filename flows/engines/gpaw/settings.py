"""Settings of GPAW: cutoff, k-points, smearing, +U, the grid of the density of states, and how a relaxation is run.

Two families: `gpaw` at 400 eV, and `gpaw-hard` at 600 eV for B, C, N, O and F too. The defaults of `gpaw` are those of
the seed library (`db_init/seed_method.py`): other ones are another Method, whose labels share no hull with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from pymatgen.core import Element

from fermiloop.flows.engines.curve import GRID_BOUNDS
from fermiloop.flows.engines.gpaw import hubbard as plus_u
from fermiloop.flows.engines.gpaw.declaration import GPAW, GPAW_HARD
from fermiloop.flows.engines.protocol import checked_settings, refuse_bounds

if TYPE_CHECKING:
    from numpy.typing import NDArray

# 400 eV is silently wrong (tens of GPa) for these: they need 600 eV and references of their own.
HARD_ELEMENTS: Final = frozenset({"B", "C", "N", "O", "F"})
HARD_CUTOFF: Final = 600.0  # eV
HARD_RELAX_CUTOFF: Final = 800.0  # eV: stresses at 600 are 5 GPa off in MgO, 11 in BN
WITHOUT_SETUP: Final = frozenset({"Tc", "Po", "At"})  # of gpaw-data, as are all elements after radon
LAST_SETUP: Final = 86
RELAX_FMAX: Final = 0.02  # eV/Å; for a cell filter 0.05 would be half a GPa
RELAX_STEPS: Final = 40
BOUNDS: Final = {
    "cutoff": (50.0, 3000.0),
    "kpoint_density": (0.1, 50.0),
    "smearing": (0.0, 2.0),
    "symmetry_tolerance": (1e-8, 0.1),
    **GRID_BOUNDS,
    "max_scf_steps": (1, 10_000),
    "relax_fmax": (1e-4, 1.0),
    "relax_steps": (1, 10_000),
    "relax_kpoint_density": (0.1, 50.0),
    "relax_extra_cutoff": (0.0, 2000.0),
}
"""Lowest and highest value by which a crystal can be computed."""


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
    hubbard
        U in eV by element, or ``materials_project``; None for plain PBE.
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
    hubbard: dict[str, float] | str | None = None

    @property
    def dos_energies(self) -> NDArray[np.float64]:
        """Grid of E - E_F: (n_bins,) eV."""
        n = round((self.dos_hi - self.dos_lo) / self.dos_step) + 1
        return np.round(self.dos_lo + self.dos_step * np.arange(n), 6)

    def of_crystal(self, symbols: Iterable[str]) -> GpawSettings:
        """The same for a crystal of these elements: +U of those that get one, and of no others."""
        return replace(self, hubbard=plus_u.of_crystal(symbols, self.hubbard) or None)

    def science(self) -> dict[str, Any]:
        """What is part of the Method; without +U, which came later, a Method is what it was before."""
        whole = asdict(self)
        named = {f.name: whole[f.name] for f in fields(GpawSettings)}
        return {name: value for name, value in named.items() if name != "hubbard" or value is not None}


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
    relax_extra_cutoff
        eV by which the cutoff of the relaxation lies above `cutoff`: stresses converge later than differences of
        energies, by 5 GPa between 600 and 800 eV in MgO.
    """

    relax_fmax: float = RELAX_FMAX
    relax_steps: int = RELAX_STEPS
    relax_kpoint_density: float = 3.5
    relax_extra_cutoff: float = 0.0


@dataclass(frozen=True)
class GpawHardEngineSettings(GpawEngineSettings):
    """The same with the cutoffs at which energies and stresses of every element are converged."""

    cutoff: float = HARD_CUTOFF
    relax_extra_cutoff: float = HARD_RELAX_CUTOFF - HARD_CUTOFF


KINDS: Final = {GPAW.name: GpawEngineSettings, GPAW_HARD.name: GpawHardEngineSettings}
"""Settings of each family."""
BY_HARD: Final = f"write engine: {{name: {GPAW_HARD.name}}}"
"""What to do about a hard element by any engine that does not say more."""


def of_engine(given: Mapping[str, Any], engine: str) -> GpawEngineSettings:
    """Settings of a family from what a person wrote.

    Raises
    ------
    InputError
        If a setting is unknown, or its value is none that it can have.
    """
    rest = {name: value for name, value in given.items() if name != "hubbard"}
    found = checked_settings(KINDS[engine], rest, engine)
    refuse_bounds(found, BOUNDS, engine)
    return replace(found, hubbard=plus_u.checked(given.get("hubbard"), engine))


def refusal(symbols: Iterable[str], cutoff: float, remedy: str = BY_HARD) -> str | None:
    """Why a crystal of these elements cannot be computed at a cutoff in eV, None where it can."""
    there = sorted(set(symbols))
    lacking = [symbol for symbol in there if symbol in WITHOUT_SETUP or Element(symbol).Z > LAST_SETUP]
    if lacking:
        return f"gpaw-data has no PAW setup of {', '.join(lacking)}"
    if cutoff < HARD_CUTOFF and (needy := _hard(there)):
        return f"{needy} a cutoff of {HARD_CUTOFF:g} eV, not {cutoff:g}: {remedy}"
    return None


def relax_refusal(symbols: Iterable[str], cutoff: float, remedy: str = BY_HARD) -> str | None:
    """Why the cell of a crystal of these elements cannot be relaxed at a cutoff in eV, None where it can."""
    if cutoff < HARD_RELAX_CUTOFF and (needy := _hard(symbols)):
        return (
            f"{needy} a cutoff of {HARD_RELAX_CUTOFF:g} eV where cells are relaxed, not {cutoff:g}, at which stresses "
            f"are some GPa off: {remedy}"
        )
    return None


def _hard(symbols: Iterable[str]) -> str:
    """The hard elements among these, with the verb of a sentence about them; empty where there is none."""
    hard = sorted(HARD_ELEMENTS & set(symbols))
    return f"{', '.join(hard)} {'needs' if len(hard) == 1 else 'need'}" if hard else ""
