"""Score and hit: bounded, monotone, the same thing where they should be, and predicted as often as they come."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fermiloop.platform.campaign import goal, hits
from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.conditions import Condition, PropertyWindow
from fermiloop.platform.representations.spectrum import DOS_GRID
from fermiloop.platform.representations.training import Target

CURVE = np.full(DOS_GRID.n, 1 / 15)
STABLE = Condition("energy_above_hull", high=0.1)
GAP = PropertyWindow("band_gap", 1.5, 0.2)
BOTH = Target(grid=DOS_GRID, curve=CURVE, hit_similarity=0.9, windows=(GAP,), stability=STABLE)
ALONE = Target(windows=(GAP,))
TRADE = Target(
    windows=(Condition("band_gap", direction="maximise"), Condition("formation_energy_per_atom", direction="minimise"))
)
number = st.floats(-50, 50)
unit = st.floats(0, 1)


@given(unit, number, number, st.sampled_from([BOTH, ALONE, TRADE]))
def test_a_score_lies_between_0_and_1(similarity, gap, energy, target):
    computed = {"similarity": similarity, "band_gap": gap, "energy_above_hull": energy,
                "formation_energy_per_atom": energy}  # fmt: skip
    score, _ = goal.score_of(target, computed)
    assert 0 <= score <= 1


@given(unit, number, number)
def test_a_hit_and_the_score_of_a_hit_are_one_thing(similarity, gap, above):
    score, hit = goal.score_of(BOTH, {"similarity": similarity, "band_gap": gap, "energy_above_hull": above})
    assert hit is bool(score >= goal.level(BOTH))
    assert hit is bool(similarity >= 0.9 and GAP.met(gap) and STABLE.met(above))


@given(unit, unit, number, number)
def test_nearer_is_never_worse(one, other, gap, above):
    low, high = sorted((one, other))
    rest = {"band_gap": gap, "energy_above_hull": above}
    assert goal.score_of(BOTH, {"similarity": low, **rest})[0] <= goal.score_of(BOTH, {"similarity": high, **rest})[0]
    near, far = sorted((gap, above), key=lambda value: abs(value - 1.5))
    assert goal.score_of(ALONE, {"band_gap": near})[0] >= goal.score_of(ALONE, {"band_gap": far})[0]


@given(number, number, number)
def test_objectives_are_strictly_better_the_better(gap, other, energy):
    low, high = sorted((gap, other))
    found = [goal.score_of(TRADE, {"band_gap": one, "formation_energy_per_atom": energy})[0] for one in (low, high)]
    assert found[0] < found[1] if high - low > 1e-6 else found[0] <= found[1]


def test_examples_as_the_documentation_gives_them():
    rest = {"band_gap": 1.5, "energy_above_hull": 0.0}
    assert goal.score_of(BOTH, {"similarity": 0.95, **rest}) == (0.95, True)
    assert goal.score_of(BOTH, {"similarity": 0.95, **rest, "energy_above_hull": 0.24}) == (
        pytest.approx(0.9 / 2.4),
        False,
    )
    assert goal.score_of(ALONE, {"band_gap": 1.9}) == (pytest.approx(0.5), False)
    assert goal.score_of(ALONE, {"band_gap": 1.6}) == (1.0, True)


def test_what_was_not_given_is_no_hit():
    assert goal.score_of(BOTH, {"similarity": 1.0, "band_gap": 1.5}) == (0.0, False)
    assert goal.score_of(ALONE, {"band_gap": float("nan")}) == (0.0, False)


def test_objectives_alone_have_no_hits():
    found = {"band_gap": 3.0, "formation_energy_per_atom": -1.0, "energy_above_hull": 0.0}
    assert not hits.requirements(TRADE)
    assert hits.is_hit(TRADE, found) is False
    bounded = Target(windows=(Condition("band_gap", low=2.0, direction="maximise"),))
    assert hits.is_hit(bounded, found)
    assert goal.level(bounded) == np.inf
    assert goal.score_of(bounded, {"band_gap": 4.0})[0] > goal.score_of(bounded, {"band_gap": 3.0})[0]


@given(st.floats(0.5, 1.0), st.floats(0.01, 0.3), st.floats(0, 0.2), st.floats(0.02, 0.2))
def test_the_probability_is_how_often_a_hit_comes(similarity, spread, above, width):
    target = Target(grid=DOS_GRID, curve=CURVE, stability=STABLE)
    predicted = {name: (np.array([m]), np.array([s])) for name, m, s in
                 (("similarity", similarity, spread), ("energy_above_hull", above, width))}  # fmt: skip
    belief = goal.believe(target, predicted)
    r = np.random.default_rng(0)
    drawn = np.clip(r.normal(similarity, spread, 4000), 0, 1), r.normal(above, width, 4000)
    assert belief.probability[0] == pytest.approx(((drawn[0] >= 0.9) & (drawn[1] <= 0.1)).mean(), abs=0.03)
    assert (belief.draws >= goal.level(target)).mean() == pytest.approx(belief.probability[0], abs=0.04)


def test_draws_have_mean_and_spread_of_the_score():
    predicted = {"band_gap": (np.array([1.5, 1.5]), np.array([0.01, 0.5]))}
    belief = goal.believe(ALONE, predicted)
    drawn = np.random.default_rng(0).normal(1.5, 0.5, 200_000)
    expected = 1 / (1 + np.maximum(np.abs(drawn - 1.5) - 0.2, 0) / 0.2)
    assert belief.mean == pytest.approx([1.0, expected.mean()], abs=5e-3)
    assert belief.std == pytest.approx([0.0, expected.std()], abs=5e-3)


def test_a_part_that_nothing_predicts_is_as_likely_as_for_the_others():
    target = Target(grid=DOS_GRID, curve=CURVE, stability=STABLE)
    similar = (np.full(3, 0.95), np.full(3, 0.05))
    above = (np.array([0.0, 0.2, np.nan]), np.array([0.05, 0.05, np.nan]))
    found = goal.believe(target, {"similarity": similar, "energy_above_hull": above}).probability
    assert found[0] > found[2] > found[1]
    assert goal.believe(target, {"similarity": similar}).probability == pytest.approx([0.841345] * 3, abs=1e-5)
    nothing = goal.believe(target, {}, n=2)
    assert np.isnan(nothing.draws).all()
    assert np.isnan(nothing.probability).all()
    assert not nothing.known.any()


def test_exact_predictions_are_certain():
    found = goal.believe(ALONE, {"band_gap": (np.array([1.5, 1.8]), np.zeros(2))})
    assert found.probability.tolist() == [1.0, 0.0]


def test_far_tails_keep_their_order():
    means = np.array([-3.0, -2.0, 6.0, 5.0])
    found = goal.believe(ALONE, {"band_gap": (means, np.full(4, 0.2))}).probability
    assert 0 < found[0] < found[1]
    assert 0 < found[2] < found[3]


def test_the_front_is_of_what_meets_every_condition():
    target = Target(windows=TRADE.windows, stability=STABLE)
    rows = [
        {"band_gap": 2.0, "formation_energy_per_atom": -0.5, "energy_above_hull": 0.0},
        {"band_gap": 4.0, "formation_energy_per_atom": -0.9, "energy_above_hull": 0.5},
        {"band_gap": 1.0},
    ]
    predicted = {"band_gap": (np.ones(2), np.ones(2)), "formation_energy_per_atom": (np.ones(2), np.ones(2)),
                 "energy_above_hull": (np.array([0.0, 9.0]), np.zeros(2))}  # fmt: skip
    found = goal.believe(target, predicted, rows)
    assert found.front.tolist() == [[-2.0, -0.5]]
    assert found.objectives.shape == (2, goal.DRAWS, 2)
    assert np.isfinite(found.objectives[0]).all()
    assert np.isinf(found.objectives[1]).all()


def test_rows_of_different_length_are_refused():
    with pytest.raises(InputError, match="differ in length"):
        goal.believe(ALONE, {"band_gap": (np.zeros(2), np.zeros(3))})
