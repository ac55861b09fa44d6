import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fermiloop.platform.acquisition.functions import ACQUISITIONS, Acquisition, expected_improvement

NUMBERS = st.floats(-3, 3)
WIDTHS = st.floats(0, 2)
NO_CHANCE = ("expected_improvement", "upper_confidence_bound", "greedy")


def value(name, mean, std, best=0.0, exploration=1.0, seed=0):
    arrays = np.atleast_1d(np.asarray(mean, float)), np.atleast_1d(np.asarray(std, float))
    return ACQUISITIONS[Acquisition(name)](*arrays, best, np.random.default_rng(seed), exploration)


@given(NUMBERS, WIDTHS, NUMBERS)
def test_expected_improvement_is_never_negative_and_never_below_the_sure_gain(mean, std, best):
    got = value("expected_improvement", mean, std, best)[0]
    assert got >= 0
    assert got >= mean - best - 1e-12


@given(NUMBERS, WIDTHS, NUMBERS, st.floats(0, 1), st.sampled_from(["expected_improvement", "upper_confidence_bound"]))
def test_more_mean_or_more_spread_is_worth_no_less(mean, std, best, more, name):
    base = value(name, mean, std, best)[0]
    assert value(name, mean + more, std, best)[0] >= base - 1e-12
    assert value(name, mean, std + more, best)[0] >= base - 1e-12


def test_expected_improvement_agrees_with_sampling():
    draws = np.random.default_rng(1).normal(0.4, 0.3, 400_000)
    assert value("expected_improvement", 0.4, 0.3, 0.5)[0] == pytest.approx(np.maximum(draws - 0.5, 0).mean(), abs=1e-3)


def test_expected_improvement_without_spread_is_the_gain():
    got = expected_improvement(np.array([0.2, 0.9]), np.zeros(2), 0.5, np.random.default_rng(0), 1.0)
    assert got == pytest.approx([0.0, 0.4])


@given(st.permutations(range(6)), st.sampled_from(NO_CHANCE), st.integers(0, 99))
def test_order_of_the_candidates_does_not_matter(order, name, seed):
    rng = np.random.default_rng(seed)
    mean, std, order = rng.random(6), rng.random(6), list(order)
    assert np.allclose(value(name, mean, std, 0.5)[order], value(name, mean[order], std[order], 0.5))


@pytest.mark.parametrize("name", list(Acquisition))
def test_the_same_seed_gives_the_same_values(name):
    mean, std = np.linspace(0, 1, 5), np.full(5, 0.2)
    assert np.array_equal(value(name, mean, std, seed=3), value(name, mean, std, seed=3))


def test_thompson_draws_have_the_spread_asked_for():
    draws = value("thompson", np.zeros(20_000), np.full(20_000, 0.5), exploration=2.0)
    assert draws.std() == pytest.approx(1.0, rel=0.03)


def test_every_name_has_a_function():
    assert set(ACQUISITIONS) == set(Acquisition)
