"""Factors and intervals of the loop: exact where random choice is exact, and as wide as chance makes them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import hypergeom

from fermiloop.platform.bench.loop_statistics import (
    Outcome,
    acceleration,
    difference,
    enhancement,
    expected_calls,
    expected_hits,
    ratio,
    times_random,
)


def outcome(found, group="a", seed=0, left=100, hits=10, batch=5):
    calls = [bool(one) for one in found]
    ends = (*range(batch, len(calls), batch), len(calls))
    return Outcome(group, group, seed, left, hits, tuple(calls), ends)


@st.composite
def draws(draw):
    left = draw(st.integers(2, 60))
    hits = draw(st.integers(1, left))
    calls = draw(st.integers(1, left))
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    return left, hits, calls, rng


@settings(deadline=None, max_examples=30)
@given(draws())
def test_hits_of_random_choice_are_hypergeometric(drawn):
    left, hits, calls, _ = drawn
    assert expected_hits(left, hits, calls) == pytest.approx(
        sum(k * hypergeom(left, hits, calls).pmf(k) for k in range(hits + 1))
    )


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 12), st.data())
def test_calls_that_random_choice_needs_are_those_of_the_negative_hypergeometric(left, data):
    hits = data.draw(st.integers(1, left))
    k = data.draw(st.integers(1, hits))
    # P(the k-th hit comes after n draws) = P(fewer than k hits in n draws), added up over n
    longer = [hypergeom(left, hits, n).cdf(k - 1) for n in range(left)]
    assert expected_calls(left, hits, k) == pytest.approx(sum(longer))


@settings(deadline=None, max_examples=30)
@given(draws())
def test_what_asks_for_hits_alone_is_never_behind_random_choice(drawn):
    left, hits, calls, _ = drawn
    best = outcome([i < hits for i in range(calls)], left=left, hits=hits, batch=1)
    for factor in (times_random, acceleration, enhancement):
        assert factor([best]).value >= 1 - 1e-12
    assert times_random([best]).value <= left / calls + 1e-9 if calls >= hits else True


def test_random_order_is_one_time_random_on_average():
    rng = np.random.default_rng(0)
    runs = [outcome(rng.permutation([True] * 10 + [False] * 90)[:40], group=f"t{i}") for i in range(400)]
    for factor in (times_random, enhancement):
        found = factor(runs)
        assert found.low < 1 < found.high
        assert found.high - found.low < 0.2
    assert acceleration(runs).value == pytest.approx(10 / 11, abs=0.05)  # never more than there is


def test_a_run_is_measured_over_all_its_calls():
    one = outcome([1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    assert one.needed == (pytest.approx(2 * 101 / 11), 15)
    assert acceleration([one]).value == pytest.approx(2 * 101 / 11 / 15)
    assert times_random([one]).value == pytest.approx(2 / 1.5)
    assert enhancement([one]).value == pytest.approx((1 + 2 + 2) / (0.5 + 1.0 + 1.5))


def test_a_run_that_has_found_everything_ends_with_the_batch_of_the_last_hit():
    assert outcome([0, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0], hits=3).needed == (pytest.approx(3 * 101 / 4), 10)


def test_a_run_without_hits_counts_with_all_its_calls():
    assert outcome([0] * 12).needed == (0.0, 12.0)
    good, bad = outcome([1] * 5, group="a"), outcome([0] * 5, group="b")
    assert acceleration([good, bad]).value == pytest.approx(acceleration([good]).value / 2)
    assert acceleration([bad]).value == 0


@settings(deadline=None, max_examples=30)
@given(st.lists(st.booleans(), min_size=1, max_size=30), st.integers(1, 40))
def test_a_run_stopped_early_is_its_beginning(found, calls):
    one = outcome(found).first(calls)
    assert one.found == tuple(found[:calls])
    assert one.ends[-1] == one.calls == min(calls, len(found))
    assert all(a < b for a, b in zip(one.ends, one.ends[1:], strict=False))


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 10), min_size=2, max_size=12), st.integers(0, 5))
def test_a_constant_lead_has_an_interval_of_no_width(hits, lead):
    theirs = [outcome([1] * n + [0] * (20 - n), group=f"t{i}") for i, n in enumerate(hits)]
    ours = [outcome([1] * (n + lead) + [0] * (20 - n - lead), group=f"t{i}") for i, n in enumerate(hits)]
    found = difference(ours, theirs)
    assert (found.value, found.low, found.high) == pytest.approx((lead, lead, lead))


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(1, 10), min_size=2, max_size=12), st.permutations(range(12)))
def test_pairs_are_found_by_target_and_seed_in_any_order(hits, order):
    ours = [outcome([1] * n + [0] * (10 - n), group=f"t{i}") for i, n in enumerate(hits)]
    theirs = [ours[i] for i in order if i < len(ours)]
    assert ratio(ours, theirs).value == 1
    assert difference(ours, theirs).low == difference(ours, theirs).high == 0


def test_runs_of_one_target_stay_together_in_the_intervals():
    few = [outcome([i % 2] * 10, group=f"t{i}") for i in range(10)]
    many = [outcome([i % 2] * 10, group=f"t{i}", seed=s) for i in range(10) for s in range(20)]
    narrow, wide = times_random(few), times_random(many)
    assert wide.value == narrow.value
    assert wide.high - wide.low == pytest.approx(narrow.high - narrow.low, rel=1e-9)


def test_one_target_alone_has_no_interval():
    found = times_random([outcome([1] * 5)])
    assert np.isnan([found.low, found.high]).all()


def test_a_pool_without_hits_gives_no_factor():
    assert np.isnan(times_random([outcome([0] * 5, hits=0)]).value)


def test_different_runs_are_not_paired():
    with pytest.raises(ValueError, match="the same runs"):
        difference([outcome([1])], [outcome([1], seed=1)])
    with pytest.raises(ValueError, match="the same runs"):
        ratio([outcome([1])], [outcome([1]), outcome([1])])
