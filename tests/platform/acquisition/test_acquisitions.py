import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fermiloop.platform.acquisition.belief import Belief, incumbent
from fermiloop.platform.errors import InputError
from fermiloop.platform.plugins.acquisitions import ACQUISITIONS, acquisition
from fermiloop.platform.plugins.declaration import load


def build(name, options=None):
    return acquisition(name).build(options)


def rng(seed=0):
    return np.random.default_rng(seed)


def belief(seed=0, n=40, level=0.9):
    r = rng(seed)
    draws = np.clip(r.random((n, 1)) + 0.3 * r.standard_normal((n, 256)), 0, 1)
    table = np.stack([draws, r.standard_normal((n, 256))], axis=-1)
    return Belief(draws, (draws >= level).mean(axis=1), level, table, np.array([[0.5, 0.5]]))


@pytest.mark.parametrize("name", ACQUISITIONS)
def test_every_acquisition_says_what_it_is_and_gives_one_number_a_candidate(name):
    declared = ACQUISITIONS[name]
    assert load(declared.load).name == declared.name == name
    assert declared.when.endswith(".")
    worth = build(name).worth(belief(), 0.4, rng())
    assert worth.shape == (40,)
    assert np.isfinite(worth).all()
    assert (build(name).worth(belief(), 0.4, rng(3)) == build(name).worth(belief(), 0.4, rng(3))).all()


@pytest.mark.parametrize("name", [name for name in ACQUISITIONS if name != "random"])
@given(st.integers(0, 30))
def test_a_sure_hit_is_worth_more_than_a_sure_miss(name, seed):
    draws = np.array([np.full(64, 0.95), np.full(64, 0.2)])
    objectives = np.stack([1 - draws, 1 - draws], axis=-1)
    sure = Belief(draws, np.array([1.0, 0.0]), 0.9, objectives, np.array([[0.5, 0.5]]))
    first, second = build(name).worth(sure, 0.4, rng(seed))
    assert first > second


def test_where_all_probabilities_vanish_the_nearer_wins():
    draws = np.array([[0.2, 0.3], [0.1, 0.2]])
    worth = build("probability").worth(Belief(draws, np.zeros(2), 0.9), 0.4, rng())
    assert worth[0] > worth[1]


def test_improvement_beyond_a_hit_is_worth_nothing():
    draws = np.array([np.full(8, 0.99), np.full(8, 0.91), np.r_[np.full(4, 1.0), np.full(4, 0.0)]])
    worth = build("expected_improvement").worth(Belief(draws, np.array([1.0, 1.0, 0.5]), 0.9), 0.8, rng())
    assert worth == pytest.approx([0.1, 0.1, 0.05], abs=1e-8)
    free = build("expected_improvement").worth(Belief(draws, np.ones(3)), 0.8, rng())
    assert free == pytest.approx([0.19, 0.11, 0.1], abs=1e-8)


def test_expected_improvement_is_the_closed_form_where_scores_are_normal():
    drawn = 0.5 + 0.2 * rng().standard_normal((1, 400_000))
    found = build("expected_improvement").worth(Belief(drawn, np.zeros(1)), 0.6, rng())[0]
    assert found == pytest.approx(0.2 * (-0.5 * 0.308538 + 0.352065), rel=0.01)  # σ (u Φ(u) + φ(u)), u = -1/2


def test_the_incumbent_is_the_best_miss():
    assert incumbent([0.3, 0.95, 0.7, np.nan], 0.9) == 0.7
    assert incumbent([0.95], 0.9) == incumbent([]) == -np.inf
    assert incumbent([0.3, 0.95]) == 0.95


def test_exploration_weighs_the_spread():
    wide = Belief(np.array([[0.4, 0.6], [0.0, 0.9]]), np.zeros(2))
    assert np.argmax(build("upper_confidence_bound", {"exploration": 0}).worth(wide, 0, rng())) == 0
    assert np.argmax(build("upper_confidence_bound", {"exploration": 2}).worth(wide, 0, rng())) == 1


def test_the_hypervolume_grows_where_nothing_dominates():
    points = np.array([[[0.1, 0.9]], [[0.9, 0.9]], [[np.inf, np.inf]], [[0.2, 0.2]]])
    front = np.array([[0.5, 0.5], [0.0, 1.0]])
    told = Belief(np.zeros((4, 1)), np.ones(4), np.inf, points, front)
    worth = build("hypervolume").worth(told, 0, rng())
    assert worth[1] == pytest.approx(0, abs=1e-9)
    assert worth[2] == 0
    assert worth[3] > worth[0] > 1e-6
    with pytest.raises(InputError, match="two or three"):
        build("hypervolume").worth(Belief(np.zeros((1, 1)), np.ones(1)), 0, rng())


@pytest.mark.parametrize(
    ("name", "options", "word"),
    [
        ("exploit", {}, "no acquisition"),
        ("greedy", {"exploration": 1}, "no option exploration; it takes none"),
        ("upper_confidence_bound", {"kappa": 1}, "it takes exploration"),
        ("upper_confidence_bound", {"exploration": -1}, "zero or more"),
        ("upper_confidence_bound", {"exploration": "much"}, "must be a number"),
    ],
)
def test_wrong_names_and_options_are_refused(name, options, word):
    with pytest.raises(InputError, match=word):
        build(name, options)


def test_parameters_are_those_of_the_class():
    assert ACQUISITIONS["upper_confidence_bound"].option_names() == ("exploration",)
    assert ACQUISITIONS["probability"].option_names() == ()


def test_a_belief_has_as_many_rows_as_probabilities():
    with pytest.raises(InputError, match="one probability"):
        Belief(np.zeros((2, 3)), np.zeros(3))


def test_equal_draws_have_no_spread():
    """The mean of three times 0.1 is not 0.1, so that their plain standard deviation is not 0."""
    found = Belief(np.array([[0.1, 0.1, 0.1], [0.1, 0.2, 0.3], [np.nan] * 3]), np.zeros(3)).std
    assert found[0] == 0
    assert found[1] == pytest.approx(np.std([0.1, 0.2, 0.3]))
    assert np.isnan(found[2])
