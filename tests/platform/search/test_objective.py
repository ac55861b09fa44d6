"""What a target is worth in eV per atom."""

import numpy as np
import pytest
from pymatgen.core import Structure

from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.protocol import PropertyWindow, Target
from fermiloop.platform.plugins.potentials import POTENTIALS
from fermiloop.platform.predictors.potential.analytic import AnalyticPotential
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.search.objective import REFUSED, Objective, PotentialFunction, learn_references
from fermiloop.platform.search.oracle import Point


class Additive:
    """A potential in which every element brings its own energy, eV."""

    name = "additive"
    energy = {"Al": -3.0, "Ni": -5.5}  # noqa: RUF012 - never changed

    def fault(self, structure: Structure) -> None:
        """It answers whatever it is asked."""

    def energies(self, structures: list[Structure]) -> list[float]:
        return [sum(self.energy[site.specie.symbol] for site in s) / len(s) for s in structures]


@pytest.fixture(scope="module")
def objective(dos_library):
    return Objective.learn(dos_library, POTENTIALS["analytic"].build(), 0, lambda what, share: None)


def window(value, tolerance=0.05):
    return Target(windows=(PropertyWindow("formation_energy_per_atom", value, tolerance),))


def test_what_elements_bring_is_recovered():
    build = PROTOTYPES["B2"].build
    structures = [PROTOTYPES["A1"].build(e, None, 15.0) for e in ("Al", "Ni")] * 10 + [build("Al", "Ni", 14.0)] * 10
    found = learn_references(structures, Additive(), np.random.default_rng(0))
    assert found == pytest.approx(Additive.energy, abs=0.02)
    pair = Objective(found).excess(build("Al", "Ni", 14.0), -8.5)
    assert pair == pytest.approx(0, abs=0.02)


def test_a_window_costs_nothing_inside_and_more_the_further_out(objective, dos_library):
    labels = dos_library.labels["formation_energy_per_atom"]
    place = int(np.argmin(labels))
    crystal = dos_library.structures[place]
    terms = [objective.terms(crystal, 0.0, window(labels[place] + shift)) for shift in (0.0, 0.3, 0.6)]
    penalties = [term["penalty"] for term in terms]
    assert penalties[0] < 0.5
    assert penalties[0] < penalties[1] < penalties[2]
    assert penalties[2] - penalties[1] == pytest.approx(6, abs=1e-6)  # 0.3 are six tolerances
    assert terms[0]["value"] < terms[1]["value"]
    assert "similarity" not in terms[0]


def test_similarity_to_the_own_curve_is_worth_more_than_to_a_strangers(objective, dos_library):
    crystal = dos_library.structures[3]
    curves = dos_library.grid.normalise(dos_library.curves)
    strange = int(np.argmin(curves @ curves[3]))
    own, other = (objective.terms(crystal, -1.0, Target(dos_library.grid, curves[i])) for i in (3, strange))
    assert own["similarity"] > 0.9
    assert own["value"] < other["value"]
    assert own["value"] == pytest.approx(own["excess_energy"] - own["similarity"])


def test_what_was_not_learned_is_told(objective, dos_library):
    with pytest.raises(InputError, match="neither"):
        objective.check(Target())
    with pytest.raises(InputError, match="bulk_modulus"):
        objective.check(Target(windows=(PropertyWindow("bulk_modulus", 100.0, 5.0),)))
    curve = dos_library.grid.normalise(dos_library.curves[0])
    with pytest.raises(InputError, match="curve"):
        Objective().check(Target(dos_library.grid, curve))
    with pytest.raises(InputError, match="at least 8 curves"):
        Objective.learn(dos_library.subset([0, 1]), POTENTIALS["analytic"].build(), 0, lambda what, share: None)


def test_the_state_comes_back(objective, dos_library):
    back = Objective.restore(objective.config(), objective.state())
    target = Target(dos_library.grid, dos_library.grid.normalise(dos_library.curves[5]), windows=window(-0.1).windows)
    crystal = dos_library.structures[7]
    assert back.terms(crystal, -2.0, target) == pytest.approx(objective.terms(crystal, -2.0, target), rel=1e-9)


def test_a_potential_answers_with_derivatives_and_refuses_absurd_cells():
    crystal = PROTOTYPES["B2"].build("Al", "Ni", 14.0)
    function = PotentialFunction(AnalyticPotential(), ("Al", "Ni"), crystal.volume)
    found = function(Point(crystal.frac_coords, crystal.lattice.matrix))
    assert found.energy / 2 == pytest.approx(AnalyticPotential().energies([crystal])[0])
    assert found.forces.shape == (2, 3)
    assert found.stress.shape == (3, 3)
    for scale in (0.5, 2.0):
        refused = function(Point(crystal.frac_coords, crystal.lattice.matrix * scale))
        assert refused.energy == REFUSED
        assert not refused.stress.any()
