"""Phonons by finite displacements, of a crystal of springs whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from fermiloop.platform.predictors.potential.phonons import curve_of, modes_of

pytest.importorskip("phonopy", reason="phonopy is not installed: pip install '.[phonons]'")
STIFFNESS = 2.0  # eV/Å²
EDGE = 3.0
MASS = 26.98
# sqrt(eV/Å² / u) / 2π in THz
THZ = 15.633302


@pytest.fixture
def springs():
    """Harmonic springs between nearest neighbours that pull alike in every direction."""
    from ase.calculators.calculator import Calculator, all_changes

    class Springs(Calculator):
        implemented_properties = ("energy", "forces")

        def __init__(self, stiffness: float) -> None:
            super().__init__()
            self.stiffness = stiffness

        def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes) -> None:
            super().calculate(atoms, properties, system_changes)
            forces = np.zeros((len(atoms), 3))
            ends, _, vectors = _neighbours(atoms)
            rest = EDGE * np.round(vectors / EDGE)
            pull = self.stiffness * (vectors - rest)
            np.add.at(forces, ends, pull)
            energy = 0.25 * float((pull * (vectors - rest)).sum())
            self.results = {"energy": energy, "forces": forces}

    return Springs


def _neighbours(atoms):
    from ase.neighborlist import neighbor_list

    return neighbor_list("ijD", atoms, 1.2 * EDGE)


def simple_cubic() -> Structure:
    return Structure(Lattice.cubic(EDGE), ["Al"], [[0, 0, 0]])


def test_the_branches_of_a_crystal_of_springs(springs) -> None:
    found = modes_of(springs(STIFFNESS), simple_cubic(), 8.0, 0.03, 60.0)
    # ω² = 4 k/m Σ sin²(q_i a / 2), the same for all three branches; highest at the corner of the zone
    highest = THZ * np.sqrt(12 * STIFFNESS / MASS)
    assert found.frequencies.max() == pytest.approx(highest, rel=0.01)
    assert found.frequencies.shape[1] == 3
    assert found.frequencies.min() > -1e-3
    x, y = curve_of(found, 1, 0.3)
    assert np.trapezoid(y, x) == pytest.approx(3.0, rel=1e-4)
    mean = np.trapezoid(x**2 * y, x) / 3
    assert mean == pytest.approx(THZ**2 * 6 * STIFFNESS / MASS + 0.3**2, rel=0.02)


def test_a_curve_is_of_the_cell_that_is_asked_for(springs) -> None:
    doubled = simple_cubic().make_supercell([2, 1, 1], in_place=False)
    found = modes_of(springs(STIFFNESS), doubled, 6.0, 0.03, 20.0)
    assert found.frequencies.shape[1] == 3  # the primitive cell was found
    x, y = curve_of(found, len(doubled), 0.3)
    assert np.trapezoid(y, x) == pytest.approx(6.0, rel=1e-4)


def test_springs_that_push_give_imaginary_modes(springs) -> None:
    assert modes_of(springs(-STIFFNESS), simple_cubic(), 6.0, 0.03, 20.0).frequencies.min() < -5
