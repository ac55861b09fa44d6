import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from fermiloop.platform.predictors.potential import (
    AnalyticPotential,
    ChgnetPotential,
    equilibrium_volume,
    guess_volume,
    relax,
)
from fermiloop.platform.representations.prototypes import PROTOTYPES

SIGMA = 2.4


def fcc(volume):
    return PROTOTYPES["A1"].build("Cu", None, volume)


def test_two_far_atoms_have_the_energy_of_the_pair():
    crystal = Structure(Lattice.cubic(30), ["Cu", "Cu"], [(0, 0, 0), (0.1, 0, 0)])
    ratio = (SIGMA / 3.0) ** 6
    assert AnalyticPotential().energies([crystal])[0] == pytest.approx(4 * 0.2 * (ratio**2 - ratio) / 2, rel=0.05)


def test_relaxation_finds_the_volume_of_a_scan_and_keeps_the_crystal():
    potential = AnalyticPotential()
    best, energy = equilibrium_volume(potential, fcc, 11.0)
    relaxed = relax(potential, fcc(11.0), fmax=0.005)
    assert relaxed.converged
    assert relaxed.structure.volume == pytest.approx(best, rel=0.02)
    assert relaxed.energy_per_atom == pytest.approx(energy, abs=2e-3)
    assert relaxed.structure.lattice.alpha == pytest.approx(60, abs=1e-3)
    assert relaxed.structure.site_properties == {}


def test_too_few_steps_are_told():
    relaxed = relax(AnalyticPotential(), fcc(9.0), fmax=1e-4, steps=2)
    assert not relaxed.converged
    assert relaxed.steps == 2


def test_the_given_structure_is_not_changed():
    crystal = fcc(10.0)
    relax(AnalyticPotential(), crystal)
    assert crystal == fcc(10.0)


@pytest.mark.parametrize(
    ("formula", "volume"), [({"Pd": 1}, 14.7), ({"Na": 1, "Cl": 1}, 22.4), ({"Cu": 3, "Au": 1}, 13.3)]
)
def test_guessed_volumes_are_of_the_right_size(formula, volume):
    assert volume / 2 < guess_volume(formula) < volume * 2


def test_chgnet_is_silent_and_near_the_measured_lattice(capfd):
    potential = ChgnetPotential()
    given = fcc(12.5)
    relaxed = relax(potential, given)
    assert relaxed.converged
    assert (4 * relaxed.structure.volume) ** (1 / 3) == pytest.approx(3.61, abs=0.08)
    assert potential.energies([relaxed.structure])[0] == pytest.approx(relaxed.energy_per_atom, abs=1e-4)
    assert potential.energies([]) == []
    assert capfd.readouterr() == ("", "")
    assert np.isfinite(relaxed.core_seconds)
