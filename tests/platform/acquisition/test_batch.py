import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fermiloop.platform.acquisition.functions import Acquisition, select_batch, utilities
from fermiloop.platform.errors import InputError


def rng(seed=0):
    return np.random.default_rng(seed)


@given(st.sampled_from(list(Acquisition)), st.integers(0, 12), st.integers(0, 15), st.integers(0, 99))
def test_as_many_as_asked_or_all_and_none_twice(name, m, n, seed):
    r = rng(seed)
    mean = np.where(r.random(m) < 0.3, np.nan, r.random(m))
    chosen = select_batch(name, mean, r.random(m), r.random((m, 3)), n, 0.5, rng(seed))
    assert len(chosen) == min(n, m) == len(set(chosen))
    assert all(0 <= i < m for i in chosen)


@given(st.permutations(range(7)), st.sampled_from(["expected_improvement", "greedy"]), st.integers(0, 99))
def test_order_of_the_candidates_does_not_matter(order, name, seed):
    r, order = rng(seed), np.array(order)
    mean, std, places = r.random(7), 0.1 + r.random(7), r.random((7, 2))
    straight = select_batch(name, mean, std, places, 4, 0.2, rng())
    shuffled = select_batch(name, mean[order], std[order], places[order], 4, 0.2, rng())
    assert straight == [int(order[i]) for i in shuffled]


def test_without_diversity_the_best_are_taken_in_order():
    assert select_batch("greedy", [0.1, 0.9, 0.5], [0, 0, 0], np.zeros((3, 1)), 2, 0.0, rng(), diversity=0.0) == [1, 2]


def test_diversity_takes_one_of_each_cluster():
    places = np.repeat(np.eye(3) * 10, 4, axis=0) + rng(2).normal(scale=0.01, size=(12, 3))
    mean = np.r_[np.linspace(1.0, 0.97, 4), np.linspace(0.9, 0.87, 4), np.linspace(0.85, 0.82, 4)]
    alike = select_batch("greedy", mean, np.zeros(12), places, 3, 0.0, rng(), diversity=0.0)
    apart = select_batch("greedy", mean, np.zeros(12), places, 3, 0.0, rng(), diversity=2.0)
    assert {i // 4 for i in alike} == {0}
    assert [i // 4 for i in apart] == [0, 1, 2]


@pytest.mark.parametrize("name", [a for a in Acquisition if a is not Acquisition.RANDOM])
def test_unknown_means_come_last(name):
    mean = [np.nan, 0.1, np.inf, 0.2]
    assert set(select_batch(name, mean, [0.1] * 4, np.eye(4), 2, 0.5, rng(), diversity=1.0)) == {1, 3}


def test_random_is_not_steered_by_the_surrogate():
    r = rng(5)
    first = select_batch("random", r.random(20), r.random(20), r.random((20, 2)), 5, 0.5, rng(9))
    assert first == select_batch("random", np.full(20, np.nan), np.zeros(20), np.zeros((20, 2)), 5, 0.1, rng(9))


def test_cost_turns_the_choice():
    worths, places = [0.0, 0.9, 1.0], np.eye(3)
    dear = select_batch("greedy", worths, [0] * 3, places, 1, 0.0, rng(), cost=[1.0, 1.0, 4.0])
    assert (select_batch("greedy", worths, [0] * 3, places, 1, 0.0, rng()), dear) == ([2], [1])


def test_nothing_computed_yet_still_ranks():
    values = utilities("expected_improvement", [0.2, 0.8], [0.1, 0.1], float("-inf"), rng())
    assert 0 < values[0] < values[1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "lucky"}, "no acquisition"),
        ({"std": [0.1]}, "two equal rows"),
        ({"n": -1}, "zero or more"),
        ({"exploration": -1.0}, "exploration"),
        ({"features": [[np.nan], [0.0]]}, "finite"),
        ({"cost": [0.0, 1.0]}, "above zero"),
    ],
)
def test_what_does_not_hold_is_refused(change, message):
    asked = {"name": "greedy", "mean": [0.1, 0.2], "std": [0.0, 0.0], "features": np.eye(2), "n": 1, "best": 0.0}
    with pytest.raises(InputError, match=message):
        select_batch(**{**asked, "rng": rng(), **change})
