"""The contract of every optimiser, and what each of them is for."""

import numpy as np
import pytest

from fermiloop.platform.search.landscapes import IonicCrystal, LennardJonesCluster
from fermiloop.platform.search.optimisers.annealing import Annealing, AnnealingOptions
from fermiloop.platform.search.optimisers.bayesian import Bayesian, BayesianOptions
from fermiloop.platform.search.optimisers.clusters import ClusterSpace
from fermiloop.platform.search.optimisers.crystal_space import CrystalSpace
from fermiloop.platform.search.optimisers.genetic import Genetic, GeneticOptions
from fermiloop.platform.search.optimisers.minima_hopping import HoppingOptions, MinimaHopping
from fermiloop.platform.search.optimisers.protocol import Minimum, Start
from fermiloop.platform.search.optimisers.registry import OPTIMISERS
from fermiloop.platform.search.optimisers.relaxation import RelaxationOptions, escape, relax, search
from fermiloop.platform.search.optimisers.swarm import ParticleSwarm
from fermiloop.platform.search.oracle import BudgetSpent, Oracle, Point

SEVEN = -16.505384  # pentagonal bipyramid, the lowest minimum of seven atoms (Wales and Doye, 1997)
every_optimiser = pytest.mark.parametrize("name", OPTIMISERS)


def ionic():
    symbols, radii = ("Na",) * 2 + ("Cl",) * 2, np.array([1.2] * 2 + [1.81] * 2)
    return CrystalSpace(symbols, radii, 110.0), IonicCrystal([1, 1, -1, -1], radii)


def searched(name, space, function, budget, seed=0, goal=None):
    rng, oracle = np.random.default_rng(seed), Oracle(function, budget)
    return search(OPTIMISERS[name](space, rng), space, oracle, rng, goal=goal), oracle


@every_optimiser
def test_seven_atoms_are_solved(name):
    found, oracle = searched(name, ClusterSpace(7), LennardJonesCluster(7), 4000, goal=SEVEN + 1e-3)
    assert min(minimum.energy for minimum in found) == pytest.approx(SEVEN, abs=1e-3)
    assert oracle.calls < 4000


@every_optimiser
def test_the_budget_is_kept_and_the_seed_repeats_the_search(name):
    space, function = ionic()
    (found, oracle), (_, again), (_, other) = (searched(name, space, function, 120, seed) for seed in (1, 1, 2))
    assert oracle.calls == 120
    assert oracle.history == again.history
    assert oracle.history != other.history
    assert found
    assert oracle.best is not None
    assert oracle.best[1] <= min(minimum.energy for minimum in found)


@every_optimiser
def test_it_has_its_name_in_the_registry_and_asks_for_at_least_one_start(name):
    optimiser = OPTIMISERS[name](ClusterSpace(4), np.random.default_rng(0))
    assert optimiser.name == name
    assert len(optimiser.ask()) >= 1


def test_a_relaxation_ends_without_forces_and_goes_downhill():
    space, function = ionic()
    start = space.random(np.random.default_rng(2))
    relaxed, energy = relax(start, space, Oracle(function, 500), RelaxationOptions(tolerance=1e-3))
    found = function(relaxed)
    assert found.energy == pytest.approx(energy)
    assert energy < function(start).energy
    assert np.abs(found.forces).max() < 5e-3


def test_a_relaxation_that_runs_out_of_calls_says_so():
    with pytest.raises(BudgetSpent):
        relax(
            ClusterSpace(7).random(np.random.default_rng(0)), ClusterSpace(7), Oracle(LennardJonesCluster(7), 5),
            RelaxationOptions(),
        )  # fmt: skip


def test_an_escape_leaves_the_valley_and_keeps_the_energy():
    space, function = ClusterSpace(7), LennardJonesCluster(7)
    rng = np.random.default_rng(0)
    valley, energy = relax(space.random(rng), space, Oracle(function, 500), RelaxationOptions())
    oracle = Oracle(function, 500)
    there = escape(Start(valley, 0.05), space, oracle, rng, RelaxationOptions(time_step=0.01, minima=99, most_steps=80))
    assert oracle.calls == 81
    assert energy < function(there).energy < energy + 0.05 * 21 + 0.05


def minimum(space, value, seed=0, kinetic=0.0):
    point = space.random(np.random.default_rng(seed))
    return Minimum(Start(point, kinetic), point, value, value)


def test_annealing_stays_below_and_cools():
    space = ClusterSpace(5)
    walker = Annealing(
        space, np.random.default_rng(0), AnnealingOptions(cooling=0.01, trials=1, permutation=0, strain=0)
    )
    for place, value in enumerate((0.0, -1.0, -2.0, -1.9, 50.0)):
        walker.tell([minimum(space, value, place)])
    here = walker.ask()[0].point
    wide = np.linalg.norm(space.difference(minimum(space, 0, 2).point, here))
    others = [np.linalg.norm(space.difference(minimum(space, 0, place).point, here)) for place in (0, 1, 3, 4)]
    assert wide < min(others)


def test_breeding_starts_after_the_first_random_starts_and_twins_are_kept_once():
    space = ClusterSpace(6)
    breeder = Genetic(space, np.random.default_rng(0), GeneticOptions(population=3, first=1))
    first = minimum(space, -1.0, 1)
    breeder.tell([first, first, minimum(space, -2.0, 2), minimum(space, -3.0, 3), minimum(space, -4.0, 4)])
    values = [member.value for member, _ in breeder._members]
    assert values == [-4.0, -3.0, -2.0]
    breeder.tell([minimum(space, -5.0, 2)])
    assert [member.value for member, _ in breeder._members] == [-5.0, -4.0, -3.0]


def test_hopping_heats_where_it_came_back_and_cools_at_new_minima():
    space = ClusterSpace(6)
    hopper = MinimaHopping(space, np.random.default_rng(0), HoppingOptions(threshold=1.0))
    assert hopper.ask()[0].kinetic == 0
    hopper.tell([minimum(space, 0.0, 0)])
    cold = hopper.ask()[0].kinetic
    hopper.tell([minimum(space, 0.0, 0)])
    assert hopper.ask()[0].kinetic > cold
    hot = hopper.ask()[0].kinetic
    hopper.tell([minimum(space, 0.5, 1)])
    assert hopper.ask()[0].kinetic < hot
    accepted = hopper.ask()[0].point
    hopper.tell([minimum(space, 9.0, 2)])
    assert hopper.ask()[0].point is accepted  # too far up


def test_a_swarm_has_random_members_and_flies_to_the_best():
    space = ClusterSpace(6)
    swarm = ParticleSwarm(space, np.random.default_rng(0))
    starts = swarm.ask()
    swarm.tell([Minimum(s, s.point, float(i), float(i)) for i, s in enumerate(starts)])
    best, last = starts[0].point, starts[2].point
    before = np.linalg.norm(space.difference(last, best))
    ways = [np.linalg.norm(space.difference(s.point, best)) for s in swarm.ask()]
    assert len(ways) == len(starts)
    assert min(ways[1:3]) < before


class Line:
    """Places on a line from 0 to 10 that are their own fingerprint; every variation is a new random place."""

    def random(self, rng):
        return Point(np.array([[rng.uniform(0, 10), 0.0, 0.0]]))

    def fingerprint(self, point):
        return point.sites[0, :1]

    def cross(self, one, other, rng):
        return self.random(rng)

    def strain(self, point, rng):
        return self.random(rng)

    permute = strain

    def shake(self, point, size, rng):
        return self.random(rng)


def test_the_surrogate_finds_the_lowest_place_of_a_line():
    learner = Bayesian(Line(), np.random.default_rng(3), BayesianOptions(first=4, refit=2))
    for _ in range(14):
        start = learner.ask()[0]
        value = (start.point.sites[0, 0] - 7.3) ** 2
        learner.tell([Minimum(start, start.point, value, value)])
    late = [abs(found.point.sites[0, 0] - 7.3) for found in learner._found[8:]]
    assert np.median(late) < 0.8  # random places: 2.6
