"""Energies by GPAW of a crystal with and without hydrogen, and of the molecule in a box."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from pymatgen.core import Lattice, Structure

from fermiloop.flows.engines.gpaw.dft import calculator, initial_atoms
from fermiloop.flows.engines.gpaw_hydrogen.settings import GpawHydrogenSettings
from fermiloop.flows.engines.steps.geometry import GeometryFile, last_geometry, plain, with_moments_of
from fermiloop.platform.errors import EngineError

# Differences of energies of large cells are asked for: GPAW's own 5e-4 eV an electron would be 0.1 eV in eight atoms.
CONVERGENCE: Final = {"density": 1e-4, "energy": 2e-5}  # electrons, eV, each by valence electron
BOND: Final = 0.75  # Å, of H2 by PBE, to begin with


@dataclass(frozen=True)
class Relaxed:
    """Atoms at the end of a relaxation at fixed cell.

    Parameters
    ----------
    energy
        eV per cell.
    magnetic_moment
        Bohr magnetons per cell.
    steps
        Ionic steps.
    force
        Largest that is left, eV/Å.
    """

    structure: Structure
    energy: float
    magnetic_moment: float
    steps: int
    force: float


def relaxed(structure: Structure, settings: GpawHydrogenSettings, folder: Path) -> Relaxed:
    """Relax positions at fixed cell, from where an earlier attempt in this folder came to, with the given moments.

    Raises
    ------
    EngineError
        If forces do not come below `hydrogen_fmax` in `hydrogen_steps`, or self-consistency is not reached.
    """
    from ase.optimize import BFGS
    from gpaw import ConvergenceError

    folder.mkdir(parents=True, exist_ok=True)
    earlier = last_geometry(folder, structure)
    atoms = _atoms(with_moments_of(structure, earlier) if earlier else structure, settings, folder / "gpaw.txt")
    optimiser = BFGS(atoms, logfile=str(folder / "bfgs.log"), trajectory=GeometryFile(folder))
    try:
        converged = optimiser.run(fmax=settings.hydrogen_fmax, steps=settings.hydrogen_steps)
    except ConvergenceError as error:
        raise EngineError(f"self-consistency was not reached in {settings.max_scf_steps} steps") from error
    force = float(np.linalg.norm(atoms.get_forces(), axis=1).max())
    if not converged:
        raise EngineError(
            f"positions did not converge to {settings.hydrogen_fmax:g} eV/Å in {settings.hydrogen_steps} steps: "
            f"{force:.3g} eV/Å is left"
        )
    found = Structure(structure.lattice, structure.species, atoms.get_scaled_positions())
    return Relaxed(found, float(atoms.get_potential_energy()), _moment(atoms), int(optimiser.nsteps), force)


def molecule(settings: GpawHydrogenSettings, folder: Path) -> dict[str, Any]:
    """H2 in a box: energy in eV per molecule, bond length in Å, and the crystal of it."""
    middle, half = settings.box / 2, BOND / 2
    ends = [[middle, middle, middle - half], [middle, middle, middle + half]]
    boxed = Structure(Lattice.cubic(settings.box), ["H", "H"], ends, coords_are_cartesian=True)
    found = relaxed(boxed, settings, folder)
    return {
        "energy": found.energy,
        "bond": float(found.structure.get_distance(0, 1)),
        "structure": plain(found.structure),
    }


def _atoms(structure: Structure, settings: GpawHydrogenSettings, log: Path) -> Any:
    own = settings.of_crystal(structure.symbol_set)
    atoms = initial_atoms(structure, own)
    density = settings.hydrogen_kpoint_density
    alone = structure.symbol_set == ("H",)  # the molecule: its states do not reach from box to box
    kpoints = {"size": (1, 1, 1)} if alone else {"density": density, "gamma": True}
    atoms.calc = calculator(own, kpts=kpoints, convergence=CONVERGENCE, txt=str(log))
    return atoms


def _moment(atoms: Any) -> float:
    return float(atoms.get_magnetic_moment()) if atoms.calc.get_number_of_spins() == 2 else 0.0
