import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fermiloop.platform.acquisition.batches import select_batch
from fermiloop.platform.acquisition.belief import Belief
from fermiloop.platform.errors import InputError
from fermiloop.platform.plugins.acquisitions import ACQUISITIONS

PLAIN = [name for name in ACQUISITIONS if name != "hypervolume"]


def rng(seed=0):
    return np.random.default_rng(seed)


def belief(means, std=0.1, level=1.0):
    draws = np.asarray(means, dtype=float)[:, None] + std * rng(1).standard_normal((len(means), 64))
    return Belief(draws, (draws >= level).mean(axis=1) + 0 * draws.mean(axis=1), level)


@given(st.sampled_from(PLAIN), st.integers(0, 12), st.integers(0, 15), st.integers(0, 99))
def test_as_many_as_asked_or_all_and_none_twice(name, m, n, seed):
    r = rng(seed)
    told = belief(np.where(r.random(m) < 0.3, np.nan, r.random(m)))
    chosen = select_batch(ACQUISITIONS[name].build(), told, r.random((m, 3)), n, 0.5, rng(seed), diversity=0.2)
    assert len(chosen) == min(n, m) == len(set(chosen))
    assert all(0 <= i < m for i in chosen)


@given(
    st.permutations(range(7)), st.sampled_from(["expected_improvement", "greedy", "probability"]), st.integers(0, 99)
)
def test_order_of_the_candidates_does_not_matter(order, name, seed):
    r, order = rng(seed), list(order)
    told, places = belief(r.random(7)), r.random((7, 2))
    straight = select_batch(ACQUISITIONS[name].build(), told, places, 4, 0.2, rng(), diversity=0.2)
    shuffled = select_batch(ACQUISITIONS[name].build(), told.subset(order), places[order], 4, 0.2, rng(), diversity=0.2)
    assert straight == [order[i] for i in shuffled]


def test_without_diversity_the_best_are_taken_in_order():
    told = belief([0.1, 0.9, 0.5], 0.0)
    assert select_batch(ACQUISITIONS["greedy"].build(), told, np.zeros((3, 1)), 2, 0.0, rng()) == [1, 2]


def test_diversity_takes_one_of_each_cluster():
    places = np.repeat(np.eye(3) * 10, 4, axis=0) + rng(2).normal(scale=0.01, size=(12, 3))
    told = belief(np.r_[np.linspace(1.0, 0.97, 4), np.linspace(0.9, 0.87, 4), np.linspace(0.85, 0.82, 4)], 0.0, np.inf)
    alike = select_batch(ACQUISITIONS["greedy"].build(), told, places, 3, 0.0, rng())
    apart = select_batch(ACQUISITIONS["greedy"].build(), told, places, 3, 0.0, rng(), diversity=2.0)
    assert {i // 4 for i in alike} == {0}
    assert [i // 4 for i in apart] == [0, 1, 2]


@pytest.mark.parametrize("name", [name for name in PLAIN if name != "random"])
@pytest.mark.parametrize("diversity", [0.0, 1.0])
def test_unknown_candidates_come_last(name, diversity):
    told = belief([np.nan, 0.1, np.nan, 0.2])
    assert set(select_batch(ACQUISITIONS[name].build(), told, np.eye(4), 2, 0.5, rng(), diversity=diversity)) == {1, 3}


def test_random_is_not_steered_by_what_is_believed():
    r = rng(5)
    first = select_batch(
        ACQUISITIONS["random"].build(), belief(r.random(20)), r.random((20, 2)), 5, 0.5, rng(9), diversity=0.5
    )
    blind = belief(np.full(20, np.nan))
    assert first == select_batch(ACQUISITIONS["random"].build(), blind, np.zeros((20, 2)), 5, 0.1, rng(9))


def test_what_is_like_a_running_evaluation_is_worth_less():
    told, places = belief([0.9, 0.89, 0.3], 0.0, np.inf), np.array([[0.0], [0.1], [5.0]])
    assert select_batch(ACQUISITIONS["greedy"].build(), told, places, 1, 0.0, rng(), diversity=1.0) == [0]
    assert select_batch(
        ACQUISITIONS["greedy"].build(), told, places, 1, 0.0, rng(), diversity=2.0, running=[[0.0]]
    ) == [2]


@pytest.mark.parametrize("wrong", [{"n": -1}, {"diversity": -0.1}, {"features": [[np.nan], [0.0]]}])
def test_numbers_out_of_their_range_are_refused(wrong):
    asked = {"features": np.zeros((2, 1)), "n": 1, "diversity": 0.0} | wrong
    with pytest.raises(InputError):
        select_batch(
            ACQUISITIONS["greedy"].build(),
            belief([0.1, 0.2]),
            asked["features"],
            asked["n"],
            0.0,
            rng(),
            diversity=asked["diversity"],
        )
