"""Relaxation of a crystal by any potential."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from ase import units
from ase.constraints import FixSymmetry
from ase.filters import FrechetCellFilter
from ase.optimize import FIRE
from pymatgen.core import Lattice, Structure
from pymatgen.io.ase import AseAtomsAdaptor

from fermiloop.platform.representations.distances import shortest_distance

if TYPE_CHECKING:
    from fermiloop.platform.predictors.potential.protocol import CheapPotential

VOLUME_RATIO: Final = (0.4, 2.5)  # relaxed to given: outside, it became another substance
OVERLAP: Final = (
    0.5  # Å; of closer atoms potentials give any energy, deep ones too, and the store takes no such crystal
)


@dataclass(frozen=True)
class Relaxation:
    """A relaxed geometry; energies in eV per atom.

    Parameters
    ----------
    converged
        Whether forces and stress came below the limit, to a crystal that the potential describes.
    fault
        Why the outcome is not to be used although the optimiser may have ended: it exploded, collapsed, came apart or
        has no finite energy.
    """

    structure: Structure
    energy_per_atom: float
    converged: bool
    steps: int
    core_seconds: float
    fault: str | None = None


def relax(
    potential: CheapPotential,
    structure: Structure,
    fmax: float = 0.05,
    steps: int = 200,
    keep_symmetry: bool = True,
    trajectory: Any = None,
    pressure: float = 0.0,
) -> Relaxation:
    """Relax cell and positions; the space group is kept unless told otherwise.

    Under pressure the enthalpy is minimised; the energy of the outcome is the energy.

    Parameters
    ----------
    fmax
        Largest force in eV/Å (and generalised cell force in eV) at convergence.
    steps
        Most ionic steps; a run that needs more comes back with ``converged=False``, and so does one whose outcome
        has a fault.
    trajectory
        What ASE takes as one: its ``write`` is given the geometry after every ionic step.
    pressure
        GPa.
    """
    began = time.process_time()
    if fault := potential.fault(structure):
        return Relaxation(structure, float("nan"), False, 0, time.process_time() - began, fault)
    atoms = AseAtomsAdaptor.get_atoms(structure)
    atoms.calc = potential.calculator()
    if keep_symmetry:
        atoms.set_constraint(FixSymmetry(atoms, symprec=1e-3))
    optimiser = FIRE(
        FrechetCellFilter(atoms, scalar_pressure=pressure * units.GPa), logfile=None, trajectory=trajectory
    )
    converged = bool(optimiser.run(fmax=fmax, steps=steps))
    energy = float(atoms.get_potential_energy()) / len(atoms)
    # not by the adaptor: it would take magnetic moments of the potential along
    relaxed = Structure(Lattice(atoms.cell.array), atoms.get_chemical_symbols(), atoms.get_scaled_positions())
    fault = _fault_of(potential, structure, relaxed, energy)
    taken = time.process_time() - began
    return Relaxation(relaxed, energy, converged and fault is None, int(optimiser.nsteps), taken, fault)


def _fault_of(potential: CheapPotential, given: Structure, relaxed: Structure, energy: float) -> str | None:
    """Why a relaxation's outcome is not to be used, None where it is."""
    if not (
        np.isfinite(energy) and np.isfinite(relaxed.lattice.matrix).all() and np.isfinite(relaxed.frac_coords).all()
    ):
        return "the energy or the geometry is not finite"
    ratio = relaxed.volume / given.volume
    if not VOLUME_RATIO[0] <= ratio <= VOLUME_RATIO[1]:
        return f"the volume became {ratio:.2f} times what it was"
    if (shortest := shortest_distance(relaxed)) < OVERLAP:
        return f"atoms {shortest:.2f} Å apart overlap"
    return potential.fault(relaxed)
