"""What the protocol front counts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fermiloop.platform.bench.loop import outcome
from fermiloop.platform.bench.loop_cases import Course
from fermiloop.platform.bench.loop_front import first_fronts, front_cases, hypervolume_share
from fermiloop.platform.bench.loop_kept import Kept
from fermiloop.platform.bench.loop_strategies import strategy
from fermiloop.platform.campaign.replaying.loop import replay
from fermiloop.platform.errors import InputError


def test_whole_fronts_are_counted_until_they_hold_the_share():
    values = np.array([[0, 3], [1, 2], [3, 0], [1, 4], [4, 1], [5, 5]], dtype=float)
    assert first_fronts(values, 0.01).tolist() == [True, True, True, False, False, False]
    assert first_fronts(values, 0.5).tolist() == [True, True, True, False, False, False]
    assert first_fronts(values, 0.51).tolist() == [True, True, True, True, True, False]
    assert first_fronts(values, 1.0).all()


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=30))
def test_nothing_that_is_left_out_dominates_what_is_counted(rows):
    values = np.array(rows, dtype=float)
    chosen = first_fronts(values, 0.2)
    assert chosen.sum() >= 0.2 * len(rows)
    for one in values[~chosen]:
        better = (one <= values[chosen]).all(axis=1) & (one < values[chosen]).any(axis=1)
        assert not better.any()


def test_cases_differ_in_what_is_known_and_share_what_is_counted(make_library):
    crystals = make_library(elements=("Al", "Ti", "Ni"), names=("A1", "B2", "L1_2"), every=1)
    gaps = np.arange(len(crystals)) % 5 / 2.0
    crystals = crystals.subset(range(len(crystals)))
    crystals.labels["band_gap"] = gaps
    first, second = front_cases(crystals, [0, 1], Course(3, 4, 2))
    assert (first.hits == second.hits).all()
    assert 0 < first.hits.sum() < len(crystals)
    assert sorted(first.known) != sorted(second.known)
    with pytest.raises(InputError, match="needs 1000 crystals"):
        front_cases(crystals, [0], Course(500, 500, 10))


def test_the_share_of_the_hypervolume_is_that_of_the_areas():
    values = np.array([[0, 3], [1, 1], [3, 0], [4, 4]], dtype=float)
    assert hypervolume_share(values, range(4)) == 1.0
    assert hypervolume_share(values, [1]) == pytest.approx(9 / 11)  # squares below (4, 4), of eleven that all dominate
    assert hypervolume_share(values, [3]) == 0.0


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=2, max_size=30))
def test_asking_for_more_never_lowers_the_share(rows):
    values = np.array([*rows, (10, 10), (-1, -1)], dtype=float)
    shares = [hypervolume_share(values, range(k)) for k in range(1, len(values) + 1)]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_the_share_is_the_mean_over_the_ends_of_all_batches(make_library):
    crystals = make_library(elements=("Al", "Ti", "Ni"), names=("A1", "B2", "L1_2"), every=1).subset(range(9))
    crystals.labels["band_gap"] = np.arange(9) % 5 / 2.0
    case = front_cases(crystals, [0], Course(3, 4, 2))[0]
    run = outcome(case, "random", Kept(None))
    rows = [crystals.ids.index(one) for one in replayed(case)]
    known = case.known.tolist()
    shares = [hypervolume_share(case.objectives, known + rows[:n]) for n in (2, 4)]
    assert run.hypervolume == pytest.approx(np.mean(shares))


def replayed(case):
    """What the random strategy asks for in a case, by the loop itself."""
    plan = strategy("random", None)
    return replay(case.spec(plan), case.oracle.target, case.oracle, case.known, case.seed, plan.rule).asked
