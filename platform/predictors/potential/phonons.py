"""Phonons by finite displacements (Togo and Tanaka, Scr. Mater. 108, 1, 2015): phonopy with a potential's forces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from fermiloop.platform.representations.grids import PHONON_GRID
from fermiloop.platform.representations.phonon_curves import of_modes
from fermiloop.platform.representations.supercells import matrix_for, primitive

if TYPE_CHECKING:
    from ase.calculators.calculator import Calculator

SYMPREC: Final = 1e-3  # Å, as in relaxations


@dataclass(frozen=True)
class Modes:
    """Phonons of a crystal on a mesh of q-points.

    Parameters
    ----------
    frequencies
        (q, 3N) THz of the N atoms of the primitive cell, imaginary ones negative.
    weights
        (q,) how many points of the mesh each stands for.
    atoms
        Of the supercell.
    displacements
        How many supercells were computed.
    """

    frequencies: NDArray[np.float64]
    weights: NDArray[np.float64]
    atoms: int
    displacements: int


def modes_of(calculator: Calculator, crystal: Structure, separation: float, displacement: float, mesh: float) -> Modes:
    """Phonons of a relaxed crystal.

    Parameters
    ----------
    calculator
        ASE calculator with forces.
    separation
        Å between a displaced atom and its own images: the smallest supercell that does so is taken.
    displacement
        Å by which an atom is displaced.
    mesh
        Å; as many q-points along each reciprocal axis as this length has of its inverse lengths.

    Raises
    ------
    EngineError
        If it takes more than 64 primitive cells to keep the images apart.
    """
    from ase import Atoms
    from phonopy import Phonopy
    from phonopy.structure.atoms import PhonopyAtoms

    cell = primitive(SpacegroupAnalyzer(crystal, symprec=SYMPREC).get_refined_structure())
    atoms = PhonopyAtoms(
        symbols=[site.specie.symbol for site in cell], cell=cell.lattice.matrix, scaled_positions=cell.frac_coords
    )
    # axes of phonopy's supercells are columns
    phonons = Phonopy(atoms, matrix_for(cell, separation).T, primitive_matrix="P", symprec=SYMPREC)
    phonons.generate_displacements(distance=displacement)
    large = phonons.supercells_with_displacements
    forces = [
        calculator.get_forces(Atoms(one.symbols, cell=one.cell, scaled_positions=one.scaled_positions, pbc=True))
        for one in large
    ]
    phonons.forces = forces
    phonons.produce_force_constants(show_drift=False)
    phonons.symmetrize_force_constants(show_drift=False)
    sampled = phonons.run_mesh(mesh)
    return Modes(
        np.asarray(sampled.frequencies, dtype=float),
        np.asarray(sampled.weights, dtype=float),
        len(phonons.supercell),
        len(large),
    )


def curve_of(found: Modes, n_sites: int, broadening: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Phonon density of states, over all that is compared.

    Parameters
    ----------
    n_sites
        Atoms of the cell that it is of.
    broadening
        Standard deviation of the Gaussian of each mode, THz.

    Returns
    -------
    frequencies, density
        (n,) THz in steps of 0.1, and (n,) states/THz/cell whose integral is three times `n_sites`.
    """
    points, values = of_modes(found.frequencies, found.weights, broadening, PHONON_GRID.lo, PHONON_GRID.hi)
    return points, values * (3 * n_sites / found.frequencies.shape[1])  # modes are those of the primitive cell
