"""Plain rules of the loop: they rank by what they say, and never see an answer that is not known."""

from dataclasses import replace

import numpy as np
import pytest
from pymatgen.core import Composition

from fermiloop.platform.bench.loop_baselines import (
    ELEVEN,
    ExtraTrees,
    element_statistics,
    nearest_composition,
    nearest_fractions,
)
from fermiloop.platform.bench.loop_strategies import BASELINES, COMPARED, KNOWN, OFFERED, QUICK, USUAL, check, strategy
from fermiloop.platform.campaign.replaying.loop import Oracle
from fermiloop.platform.errors import InputError
from fermiloop.platform.plugins.acquisitions import ACQUISITIONS
from fermiloop.platform.representations.conditions import Condition
from fermiloop.platform.representations.training import Target

ENERGY = "formation_energy_per_atom"


@pytest.fixture(scope="module")
def library(make_library):
    return make_library(every=1)


@pytest.fixture(scope="module")
def curve(library):
    return Oracle(library, Target(grid=library.grid, curve=library.grid.normalise(library.curves[0])))


@pytest.fixture(scope="module")
def lowest(library):
    return Oracle(library, Target(windows=(Condition(ENERGY, high=-0.2),)))


def split(oracle, n=30, seed=0):
    known = np.random.default_rng(seed).choice(len(oracle.pool), n, replace=False)
    return known, np.setdiff1d(np.arange(len(oracle.pool)), known)


def without_answers(oracle, rows):
    """The same oracle with nonsense for answers in some rows."""
    labels = {name: values.copy() for name, values in oracle.pool.labels.items()}
    curves = oracle.pool.curves.copy()
    for values in labels.values():
        values[rows] = 1e3
    curves[rows] = curves[rows][:, ::-1]
    return Oracle(replace(oracle.pool, labels=labels, curves=curves), oracle.target)


def rule_of(name):
    return strategy(name, Composition("AlNi")).rule


@pytest.mark.parametrize("name", BASELINES)
@pytest.mark.parametrize("kind", ["curve", "lowest"])
def test_a_rule_chooses_rows_that_are_left_and_sees_no_hidden_answer(name, kind, request):
    oracle = request.getfixturevalue(kind)
    known, left = split(oracle)
    chosen = rule_of(name)(oracle, known, left, 10, np.random.default_rng(1))
    assert len(chosen) == len(set(chosen)) == 10
    assert set(chosen) <= set(left.tolist())
    blind = rule_of(name)(without_answers(oracle, left), known, left, 10, np.random.default_rng(1))
    assert chosen == blind


def test_nearest_composition_puts_the_target_s_own_elements_first(curve):
    left = np.arange(len(curve.pool))
    for make in (nearest_composition, nearest_fractions):
        order = make(Composition("AlNi"))(curve, left[:0], left, len(left), np.random.default_rng(0))
        first = curve.pool.structures[order[0]].composition
        assert first.reduced_formula == "AlNi"
    amounts = [curve.pool.structures[i].composition.fractional_composition for i in order]
    apart = [abs(one["Al"] - 0.5) + abs(one["Ni"] - 0.5) + 1 - one["Al"] - one["Ni"] for one in amounts]
    assert apart == pytest.approx(sorted(apart))


def test_a_target_without_a_composition_is_stood_for_by_the_nearest_known(lowest):
    known, left = split(lowest)
    chosen = nearest_composition(None)(lowest, known, left, 15, np.random.default_rng(0))
    assert lowest.computed[ENERGY][chosen].mean() < lowest.computed[ENERGY][left].mean()


@pytest.mark.parametrize("kind", ["curve", "lowest"])
def test_trees_find_what_follows_from_the_composition(kind, request):
    oracle = request.getfixturevalue(kind)
    known, left = split(oracle, 40)
    chosen = ExtraTrees()(oracle, known, left, 10, np.random.default_rng(0))
    assert oracle.scores[chosen].mean() > oracle.scores[left].mean() + 0.05


def test_trees_ask_inside_of_a_bound_for_the_farthest(library):
    oracle = Oracle(library, Target(windows=(Condition(ENERGY, high=5.0),)))  # all of them hits
    known, left = split(oracle, 60)
    order = ExtraTrees()(oracle, known, left, len(left), np.random.default_rng(0))
    half = len(order) // 2
    energies = oracle.computed[ENERGY]
    assert energies[order[:half]].mean() < energies[order[half:]].mean()


def test_trees_may_count_the_target_s_own_composition_as_known(curve):
    own = curve.pool.structures[0].composition
    left = np.arange(1, len(curve.pool))
    nothing = left[:0]
    chosen = ExtraTrees(own)(curve, nothing, left, len(left), np.random.default_rng(0))
    assert sorted(chosen) == left.tolist()  # one composition alone: nothing to tell the others apart by
    known, left = split(curve, 20)
    plain, named = (ExtraTrees(one)(curve, known, left, 10, np.random.default_rng(0)) for one in (None, own))
    assert plain != named


def test_both_parts_of_a_target_count_for_trees(library):
    both = Target(grid=library.grid, curve=library.curves[0], stability=Condition("energy_above_hull", high=0.1))
    oracle = Oracle(library, both)
    known, left = split(oracle, 40)
    chosen = ExtraTrees()(oracle, known, left, 8, np.random.default_rng(0))
    alone = ExtraTrees()(Oracle(library, replace(both, stability=None)), known, left, 8, np.random.default_rng(0))
    above = oracle.computed["energy_above_hull"]
    assert above[chosen].mean() < above[alone].mean()


def test_trees_without_any_answer_choose_at_random(library):
    nothing = {name: np.full(len(library), np.nan) for name in library.labels}
    oracle = Oracle(replace(library, labels=nothing), Target(windows=(Condition(ENERGY, high=0.0),)))
    assert len(ExtraTrees()(oracle, *split(oracle), 5, np.random.default_rng(0))) == 5


def test_element_statistics_are_means_over_the_composition():
    found = element_statistics([Composition("Al"), Composition("Ni"), Composition("AlNi3")])
    assert found.shape == (3, len(ELEVEN)) == (3, 11)
    np.testing.assert_allclose(found[2], 0.25 * found[0] + 0.75 * found[1])
    assert found[:, 0].tolist() == [13, 28, 24.25]


def test_every_acquisition_that_predicts_is_in_the_table():
    assert set(OFFERED) == set(ACQUISITIONS) - {"random"}
    assert USUAL[0] == QUICK[0] == "default"
    assert set(QUICK) < set(USUAL) < set(KNOWN)
    assert set(COMPARED) < set(BASELINES)
    for name in USUAL:
        plan = strategy(name, None)
        assert plan.title
        assert plan.baseline == (name in BASELINES or (name in ACQUISITIONS and ACQUISITIONS[name].baseline))
        assert (plan.rule is not None) == (name in BASELINES)


def test_an_unknown_strategy_is_told_with_those_that_are_known():
    with pytest.raises(InputError, match="'luck' is no strategy of the loop; known are default, "):
        check(("default", "luck"))
