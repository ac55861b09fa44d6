"""What every potential must do, as a test of its own package calls it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np
from pymatgen.core import Lattice, Structure
from pymatgen.io.ase import AseAtomsAdaptor

from fermiloop.platform.representations.prototypes import PROTOTYPES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ase import Atoms

    from fermiloop.platform.plugins.potentials import PotentialDeclaration
    from fermiloop.platform.predictors.potential.protocol import CheapPotential

SAME: Final = 1e-4  # eV/atom: of one crystal alone, in a batch, and as a supercell
STEP: Final = 0.01  # Å, and half of it as a strain
RELATIVE: Final = 0.05  # of a finite difference, whose energies may be of single precision
FORCE: Final = 0.02  # eV/Å
STRESS: Final = 2e-3  # eV/Å³


def check_potential(declaration: PotentialDeclaration, crystals: Sequence[Structure] | None = None) -> None:
    """Check a potential against the protocol `CheapPotential`.

    Parameters
    ----------
    declaration
        Of the potential.
    crystals
        Two or more ordered crystals that it describes; AlNi and Cu otherwise, a little out of their symmetry.

    Raises
    ------
    AssertionError
        With what it does and should not.
    """
    potential = declaration.build()
    assert potential.name == declaration.name, f"it is declared as {declaration.name} and calls itself {potential.name}"
    sound = list(crystals or _sound())
    for crystal in sound:
        told = potential.fault(crystal)
        assert told is None, f"it should describe {crystal.formula}, and says: {told}"
    _check_energies(potential, sound)
    for crystal in sound:
        _check_derivatives(potential, crystal)


def _check_energies(potential: CheapPotential, sound: Sequence[Structure]) -> None:
    """Of a batch with faults, alone, and of a supercell."""
    assert list(potential.energies([])) == [], "no crystal has no energy"
    alone = [potential.energies([crystal])[0] for crystal in sound]
    assert np.isfinite(alone).all(), f"energies of sound crystals are {alone}"
    for odd in _odd():
        told = potential.fault(odd)
        assert told is None or (isinstance(told, str) and told.strip()), f"a fault is a sentence or None, not {told!r}"
        mixed = potential.energies([sound[0], odd, *sound[1:]])
        assert len(mixed) == len(sound) + 1, "one energy for each crystal"
        assert np.isnan(mixed[1]) == (told is not None), f"energy {mixed[1]} of a crystal whose fault is {told!r}"
        apart = np.abs(np.array([mixed[0], *mixed[2:]]) - alone).max()
        assert apart <= SAME, f"energies in a batch are {apart:.1e} eV/atom off those of single crystals"
    doubled = [crystal.make_supercell((2, 1, 1), in_place=False) for crystal in sound]
    apart = np.abs(np.array(potential.energies(doubled)) - alone).max()
    assert apart <= SAME, f"the energy per atom of a supercell is {apart:.1e} eV off that of its cell"


def _check_derivatives(potential: CheapPotential, crystal: Structure) -> None:
    """Forces and stress of the calculator against differences of its energies, in eV/Å and eV/Å³."""
    atoms = AseAtomsAdaptor.get_atoms(crystal)
    atoms.calc = potential.calculator()
    forces, stress = atoms.get_forces(), atoms.get_stress(voigt=False)
    total = potential.energies([crystal])[0] * len(crystal)
    energy = float(atoms.get_potential_energy())
    assert abs(energy - total) <= SAME * len(crystal), f"the calculator says {energy}, the batch {total} eV"
    for axis in range(3):
        told = float(forces[0, axis])
        found = -_slope(atoms, partial(_move, axis), STEP)
        assert abs(told - found) <= FORCE + RELATIVE * abs(found), f"a force is {told:.4f}, not {found:.4f}"
    for row, column in ((0, 0), (1, 1), (2, 2), (1, 2)):
        told = float(stress[row, column])
        slope = _slope(atoms, partial(_strain, (row, column)), STEP / 2)
        found = slope / atoms.get_volume()
        assert abs(told - found) <= STRESS + RELATIVE * abs(found), f"a stress is {told:.5f}, not {found:.5f}"


def _slope(atoms: Atoms, change: Callable[[Atoms, float], None], step: float) -> float:
    """Derivative of the energy by central differences."""
    ends = []
    for signed in (step, -step):
        moved = atoms.copy()
        moved.calc = atoms.calc
        change(moved, signed)
        ends.append(float(moved.get_potential_energy()))
    return (ends[0] - ends[1]) / (2 * step)


def _move(axis: int, atoms: Atoms, step: float) -> None:
    atoms.positions[0, axis] += step


def _strain(at: tuple[int, int], atoms: Atoms, step: float) -> None:
    """A symmetric strain, of which a shear has half on either side."""
    strain = np.eye(3)
    strain[at] += step / 2
    strain[at[::-1]] += step / 2
    atoms.set_cell(atoms.cell.array @ strain, scale_atoms=True)


def _sound() -> list[Structure]:
    found = [PROTOTYPES["B2"].build("Al", "Ni", 12.5), PROTOTYPES["A1"].build("Cu", None, 12.5)]
    found[0].translate_sites([0], [0.02, 0.01, 0.03])
    found[0].apply_strain([0.01, -0.01, 0.02])
    found[1].make_supercell((2, 1, 1))
    found[1].translate_sites([0], [0.01, 0.02, 0.0])
    return found


def _odd() -> list[Structure]:
    """What many potentials do not describe: an atom alone, and an element that few were trained on."""
    return [Structure(Lattice.cubic(20), ["Al"], [[0, 0, 0]]), PROTOTYPES["A1"].build("Lr", None, 30.0)]
