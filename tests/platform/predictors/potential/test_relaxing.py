import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from fermiloop.platform.predictors.potential.analytic import AnalyticPotential
from fermiloop.platform.predictors.potential.chgnet import ChgnetPotential
from fermiloop.platform.predictors.potential.relaxing import relax
from fermiloop.platform.predictors.potential.volumes import equilibrium_volume, guess_volume
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


@pytest.mark.parametrize("guess", [5.5, 8.0, 11.0, 18.5, 22.0])
def test_the_minimum_is_found_from_a_guess_twice_or_half_as_large(guess):
    potential = AnalyticPotential()
    near, lowest = equilibrium_volume(potential, fcc, 11.0)
    volume, energy = equilibrium_volume(potential, fcc, guess)
    assert volume == pytest.approx(near, rel=5e-3)
    assert energy == pytest.approx(lowest, abs=1e-4)


def test_copper_from_its_radius_alone():
    volume, _ = equilibrium_volume(ChgnetPotential(), fcc, guess_volume({"Cu": 1.0}))
    assert volume == pytest.approx(11.8, abs=0.2)


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


GOOD = (PROTOTYPES["B2"].build("Al", "Ni", 12.0), PROTOTYPES["A1"].build("Cu", None, 11.8))
LONELY = Structure(Lattice.cubic(14), ["Cu"], [(0, 0, 0)])
BEYOND = PROTOTYPES["A1"].build("Og", None, 33.0)


@pytest.mark.parametrize(
    ("bad", "says"), [(LONELY, "Cu on site 0 has no neighbour within 6 Å"), (BEYOND, "up to Pu, not Og")]
)
def test_one_crystal_that_chgnet_does_not_describe_costs_the_others_nothing(bad, says):
    potential = ChgnetPotential()
    alone = potential.energies(GOOD)
    mixed = potential.energies([GOOD[0], bad, GOOD[1], bad])
    assert mixed[0] == pytest.approx(alone[0], abs=1e-5)
    assert mixed[2] == pytest.approx(alone[1], abs=1e-5)
    assert np.isnan(mixed[1])
    assert np.isnan(mixed[3])
    assert says in potential.fault(bad)
    outcome = relax(potential, bad)
    assert (outcome.converged, outcome.steps, outcome.fault) == (False, 0, potential.fault(bad))
    assert equilibrium_volume(potential, lambda volume: bad, 12.0)[0] == 12.0


@pytest.mark.parametrize("symbol", ["Pm", "Xe", "Ac"])
def test_rare_elements_are_described(symbol):
    crystal = PROTOTYPES["A1"].build(symbol, None, 40.0)
    assert ChgnetPotential().fault(crystal) is None
    assert np.isfinite(ChgnetPotential().energies([*GOOD, crystal])).all()


def test_a_relaxation_that_explodes_is_not_converged():
    apart = Structure(Lattice.cubic(3.2), ["Cu"], [(0, 0, 0)])
    outcome = relax(_Repulsive(), apart, steps=500)
    assert not outcome.converged
    assert "times what it was" in outcome.fault


def test_atoms_that_fall_into_each_other_are_a_fault():
    outcome = relax(_Attractive(), fcc(14.0) * (2, 1, 1), fmax=1e-9, steps=60, keep_symmetry=False)
    assert not outcome.converged
    assert "overlap" in outcome.fault


def test_one_that_ends_at_its_limit_of_steps_is_not_converged():
    outcome = relax(AnalyticPotential(), fcc(14.0), fmax=1e-6, steps=3)
    assert (outcome.converged, outcome.fault, outcome.steps) == (False, None, 3)


class _Attractive(AnalyticPotential):
    """Draws two atoms together without end, and holds the cell."""

    def calculator(self):
        from ase.calculators.calculator import Calculator, all_changes

        class Drawn(Calculator):
            implemented_properties = ("energy", "forces", "stress")

            def calculate(self, atoms=None, properties=None, system_changes=all_changes):
                super().calculate(atoms, properties, system_changes)
                between = atoms.get_distance(0, 1, mic=True, vector=True)
                forces = np.array([between, -between]) * 3
                self.results = {"energy": 1.5 * float(between @ between), "forces": forces, "stress": np.zeros(6)}

        return Drawn()


class _Repulsive(AnalyticPotential):
    """Drives atoms apart until the forces are small."""

    def calculator(self):
        from ase.calculators.lj import LennardJones

        return LennardJones(sigma=6.0, epsilon=0.05, rc=9.0, smooth=True)
