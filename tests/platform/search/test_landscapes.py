"""The two toys: their derivatives, and what is known of them."""

import numpy as np
import pytest

from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.search.landscapes import LJ_MINIMA, REFUSED, IonicCrystal, LennardJonesCluster
from fermiloop.platform.search.optimisers.clusters import ClusterSpace
from fermiloop.platform.search.optimisers.crystal_space import CrystalSpace
from fermiloop.platform.search.optimisers.relaxation import RelaxationOptions, relax
from fermiloop.platform.search.oracle import Oracle, Point

GOLDEN = (1 + 5**0.5) / 2
RADII = {"Na": 1.2, "Cl": 1.81}


def ions(symbols):
    return IonicCrystal([1.0 if s == "Na" else -1.0 for s in symbols], [RADII[s] for s in symbols])


def space_of(symbols, volume):
    return CrystalSpace(tuple(symbols), np.array([RADII[s] for s in symbols]), volume)


def test_the_icosahedron_of_13_has_the_energy_of_the_literature():
    corners = [(0, a, b * GOLDEN) for a in (-1, 1) for b in (-1, 1)]
    corners = [np.roll(corner, k) for corner in corners for k in range(3)]
    start = Point(np.array([np.zeros(3), *corners]) * 0.58)
    oracle = Oracle(LennardJonesCluster(13), 200)
    _, energy = relax(start, ClusterSpace(13), oracle, RelaxationOptions(tolerance=1e-5))
    assert energy == pytest.approx(LJ_MINIMA[13], abs=1e-5)


def test_two_atoms_rest_where_the_potential_is_lowest():
    found = LennardJonesCluster(2)(Point(np.array([[0, 0, 0], [2 ** (1 / 6), 0, 0]])))
    assert found.energy == pytest.approx(-1)
    assert np.abs(found.forces).max() < 1e-12


@pytest.mark.parametrize("kind", ["cluster", "crystal"])
def test_gradients_are_those_of_finite_differences(kind):
    rng = np.random.default_rng(1)
    if kind == "cluster":
        space, function = ClusterSpace(6), LennardJonesCluster(6)
    else:
        space, function = space_of(["Na", "Na", "Cl", "Cl"], 100.0), ions(["Na", "Na", "Cl", "Cl"])
    frame = space.random(rng)
    x = space.coordinates(frame) + rng.normal(scale=0.05, size=space.coordinates(frame).size)
    place = space.placed(x, frame)
    gradient = space.gradient(function(place), place, frame)
    steps = 1e-5 * np.eye(x.size)
    numeric = [
        (function(space.placed(x + s, frame)).energy - function(space.placed(x - s, frame)).energy) / 2e-5
        for s in steps
    ]
    np.testing.assert_allclose(gradient, numeric, rtol=1e-4, atol=1e-4 * np.abs(gradient).max())


def test_rock_salt_is_the_lowest_prototype_and_a_larger_cell_has_its_energy():
    energies = {}
    for name in ("B1", "B2", "B3", "B4", "B8_1"):
        crystal = PROTOTYPES[name].build("Na", "Cl", 28.0)
        symbols = [site.specie.symbol for site in crystal]
        start = Point(np.asarray(crystal.frac_coords), np.array(crystal.lattice.matrix))
        oracle = Oracle(ions(symbols), 200)
        space = space_of(symbols, crystal.volume)
        energies[name] = relax(start, space, oracle, RelaxationOptions(tolerance=1e-3))[1] / len(symbols)
    assert min(energies, key=energies.__getitem__) == "B1"
    assert energies["B1"] == pytest.approx(-1.8684, abs=1e-4)
    assert sorted(energies.values())[1] - energies["B1"] > 0.02
    crystal = PROTOTYPES["B1"].build("Na", "Cl", 30.0) * (2, 1, 1)
    symbols = [site.specie.symbol for site in crystal]
    start = Point(np.asarray(crystal.frac_coords), np.array(crystal.lattice.matrix))
    _, energy = relax(start, space_of(symbols, crystal.volume), Oracle(ions(symbols), 200), RelaxationOptions())
    assert energy / 4 == pytest.approx(energies["B1"], abs=1e-3)


def test_energy_does_not_depend_on_the_choice_of_the_cell_and_a_flat_cell_is_refused():
    symbols = ["Na", "Cl"]
    rng = np.random.default_rng(3)
    point = space_of(symbols, 50.0).random(rng)
    sheared = np.array([[1, 0, 0], [1, 1, 0], [0, -1, 1]])
    other = Point(point.sites @ np.linalg.inv(sheared) + 0.3, sheared @ point.cell)
    function = ions(symbols)
    assert function(other).energy == pytest.approx(function(point).energy, rel=1e-9)
    flat = function(Point(point.sites, np.diag([40.0, 40.0, 0.1])))
    assert flat.energy == REFUSED
    assert not flat.forces.any()
