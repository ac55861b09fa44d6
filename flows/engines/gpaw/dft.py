"""GPAW calculators and the density of states on the store's grid.

Plane-wave PBE, or PBE+U, with the PAW setups of ``gpaw-data``. The density of states is integrated by linear
tetrahedra on a 0.01 eV grid (Blöchl, Jepsen and Andersen, Phys. Rev. B 49, 16223, 1994), broadened
by a Gaussian and sampled on the asked grid, both spins summed, zero at the Fermi level of a metal and in the middle
of any gap, by the eigenvalues.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from scipy.ndimage import gaussian_filter1d

from fermiloop.flows.engines.gpaw import hubbard
from fermiloop.flows.engines.gpaw.settings import GpawSettings
from fermiloop.platform.representations.alignment import Edges, zero_level

if TYPE_CHECKING:
    from ase import Atoms
    from numpy.typing import NDArray
    from pymatgen.core import Structure

# Initial moments in Bohr magnetons; without one GPAW finds the unpolarised solution.
INITIAL_MOMENTS: Final = {"Cr": 2.0, "Mn": 3.0, "Fe": 2.5, "Co": 1.8, "Ni": 0.8}
# Setups with so many semicore states that eleven bands an atom do not reach the top of the window.
MANY_BANDS: Final = {"La": 11, "Ba": 10, "Cs": 9}
# Tried in turn: GPAW only notices at its last step that the bands end below the top of the window, so
# that all but the last try get few steps.
BANDS_PER_ATOM: Final = (11, 15, 20)
SINGLE_ATOM_EXTRA: Final = 5
SHORT_SCF: Final = 30
FINE_STEP: Final = 0.01  # eV, the grid on which tetrahedra are evaluated


@dataclass(frozen=True)
class StaticDos:
    """What one static calculation gives.

    Parameters
    ----------
    energy
        Total energy, eV per cell, relative to GPAW's reference atoms.
    fermi_level
        eV; of an insulator the middle of its gap.
    gap
        Fundamental gap by the eigenvalues, eV; 0 for a metal.
    energies
        (n_bins,) eV about the Fermi level.
    density
        (n_bins,) states/eV/cell, both spins summed.
    magnetic_moment
        Bohr magnetons per cell.
    hubbard_u
        U in eV by element.
    """

    energy: float
    fermi_level: float
    gap: float
    energies: NDArray[np.float64]
    density: NDArray[np.float64]
    n_electrons: float
    electrons_in_window: float
    magnetic_moment: float
    n_kpoints: int
    n_bands: int
    hubbard_u: dict[str, float] = field(default_factory=dict)


def initial_moments(symbols: list[str], settings: GpawSettings) -> list[float]:
    """Moments that GPAW begins with, Bohr magnetons: those of magnetic elements, and of elements with U."""
    with_u = hubbard.of_crystal(symbols, settings.hubbard)
    return [INITIAL_MOMENTS.get(symbol, hubbard.MOMENT if symbol in with_u else 0.0) for symbol in symbols]


def initial_atoms(structure: Structure, settings: GpawSettings) -> Atoms:
    """Convert to ASE atoms, with initial moments where a magnetic element is present."""
    from pymatgen.io.ase import AseAtomsAdaptor  # ASE: who asks for settings needs none

    atoms = AseAtomsAdaptor.get_atoms(structure)
    moments = initial_moments(atoms.get_chemical_symbols(), settings)
    if any(moments) and "magmom" not in structure.site_properties:
        atoms.set_initial_magnetic_moments(moments)
    return atoms


def n_bands(symbols: list[str], per_atom: int) -> int:
    """Bands that reach the top of the window for these atoms."""
    semicore = sum(MANY_BANDS.get(symbol, 0) for symbol in symbols)
    single = SINGLE_ATOM_EXTRA if len(symbols) == 1 else 0
    return max(per_atom * len(symbols) + single, semicore + per_atom * len(symbols) // 2 + single)


def calculator(settings: GpawSettings, **overrides: Any) -> Any:
    """GPAW calculator for energies, forces and stresses under the settings of a crystal."""
    from gpaw import GPAW, PW, FermiDirac  # compiled at installation; optional extra

    arguments = {
        "mode": PW(settings.cutoff),
        "xc": "PBE",
        "kpts": {"density": settings.kpoint_density, "gamma": True},
        "occupations": FermiDirac(settings.smearing),
        "symmetry": {"tolerance": settings.symmetry_tolerance},
        "convergence": {"density": 1e-4},
        "maxiter": settings.max_scf_steps,
        "txt": None,
        "setups": hubbard.setups(settings.hubbard),
    }
    return GPAW(**{**arguments, **overrides})


def static_dos(structure: Structure, settings: GpawSettings, log: str | None = None) -> StaticDos:
    """Static energy and density of states at fixed geometry.

    Raises
    ------
    RuntimeError
        If no number of bands reaches the top of the window, or self-consistency fails
        (GPAW's ``KohnShamConvergenceError``).
    """
    from gpaw.dos import DOSCalculator

    settings = settings.of_crystal(structure.symbol_set)
    atoms = initial_atoms(structure, settings)
    calc = _converged(atoms, settings, log)
    polarised = calc.get_number_of_spins() == 2
    dos, edges = DOSCalculator.from_calculator(calc, shift_fermi_level=True), band_edges(calc)
    zero = zero_level(0.0, edges)  # eV above the Fermi level, which lies anywhere in a wide gap
    grid = settings.dos_energies
    fine = np.arange(settings.dos_lo - 1.0, settings.dos_hi + 0.3, FINE_STEP)
    # On an unpolarised run spin=None sums both channels; spin=0 would give half the states.
    raw = sum(dos.raw_dos(fine + zero, spin=s, width=0.0) for s in ((0, 1) if polarised else (None,)))
    density = np.interp(grid, fine, gaussian_filter1d(raw, settings.dos_broadening / FINE_STEP))
    occupied = grid <= 0
    return StaticDos(
        energy=float(atoms.get_potential_energy()),
        fermi_level=float(calc.get_fermi_level()) + zero,
        gap=edges.gap,
        energies=grid,
        density=density,
        n_electrons=float(calc.get_number_of_electrons()),
        electrons_in_window=float(np.trapezoid(density[occupied], grid[occupied])),
        magnetic_moment=float(atoms.get_magnetic_moment()) if polarised else 0.0,
        n_kpoints=len(calc.get_ibz_k_points()),
        n_bands=int(calc.get_number_of_bands()),
        hubbard_u=hubbard.of_crystal(structure.symbol_set, settings.hubbard),
    )


def static_energy(structure: Structure, settings: GpawSettings, kpoint_density: float) -> float:
    """Total energy at fixed geometry, eV per cell, with another density of k-points than `settings` (per Å⁻¹)."""
    own = settings.of_crystal(structure.symbol_set)
    atoms = initial_atoms(structure, own)
    atoms.calc = calculator(own, kpts={"density": kpoint_density, "gamma": True})
    return float(atoms.get_potential_energy())


def _converged(atoms: Atoms, settings: GpawSettings, log: str | None) -> Any:
    """Converge the density and the bands up to the top of the window, adding bands as needed."""
    for per_atom in BANDS_PER_ATOM:
        atoms.calc = calculator(
            settings,
            nbands=n_bands(atoms.get_chemical_symbols(), per_atom),
            convergence={"density": 1e-4, "bands": f"CBM+{settings.dos_hi + 0.2:g}"},
            maxiter=settings.max_scf_steps if per_atom == BANDS_PER_ATOM[-1] else SHORT_SCF,
            txt=log,
        )
        try:
            atoms.get_potential_energy()
        except Exception as error:  # GPAW's errors of convergence have no common public base
            name = type(error).__name__
            if per_atom == BANDS_PER_ATOM[-1] or not ("Bands" in name or "Convergence" in name):
                raise
        else:
            return atoms.calc
    raise RuntimeError(f"{BANDS_PER_ATOM[-1]} bands an atom do not reach {settings.dos_hi} eV above the Fermi level")


def band_edges(calc: Any) -> Edges:
    """Band edges in eV about the Fermi level from the eigenvalues, none for a metal."""
    fermi = calc.get_fermi_level()
    spins = range(calc.get_number_of_spins())
    levels = np.array([calc.get_eigenvalues(kpt=k, spin=s) for s in spins for k in range(len(calc.get_ibz_k_points()))])
    below, above = levels <= fermi, levels > fermi
    counts = below.sum(axis=1).reshape(len(spins), -1)
    if (counts.min(axis=1) != counts.max(axis=1)).any():
        return Edges()  # a band of one spin crosses the Fermi level
    return Edges(float(levels[below].max() - fermi), float(levels[above].min() - fermi))
