"""Champion and challenger, and drift."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fermiloop.platform.campaign.drift import drifted
from fermiloop.platform.campaign.gate import Comparison, compare, judge
from fermiloop.platform.errors import InputError

NOTHING = compare([], [])
RNG = np.random.default_rng(3)
GOOD, POOR = RNG.uniform(0.6, 0.9, 60), RNG.uniform(0.1, 0.4, 60)


def test_the_first_is_promoted() -> None:
    verdict = judge(compare(POOR, None), NOTHING, learned=10, champion_learned=None)
    assert verdict.promote
    assert "no champion" in verdict.reason


def test_a_worse_challenger_is_refused_whatever_it_has_learned() -> None:
    verdict = judge(compare(POOR, GOOD), NOTHING, learned=1000, champion_learned=10)
    assert not verdict.promote
    assert "worse on the frozen test set" in verdict.reason
    assert "on 60 crystals" in verdict.reason


def test_a_better_one_is_promoted() -> None:
    verdict = judge(compare(GOOD, POOR), NOTHING, learned=10, champion_learned=10)
    assert verdict.promote
    assert "better" in verdict.reason


def test_one_that_fails_at_what_is_asked_now_is_refused_although_its_test_is_good() -> None:
    verdict = judge(compare(GOOD, POOR), compare(POOR, GOOD), learned=20, champion_learned=10)
    assert not verdict.promote
    assert "last rounds" in verdict.reason


def test_equals_are_told_by_what_they_have_learned_from() -> None:
    same = compare(GOOD, GOOD)
    assert judge(same, NOTHING, learned=11, champion_learned=10).promote
    assert not judge(same, NOTHING, learned=10, champion_learned=10).promote
    noticeably = compare(np.clip(GOOD - 0.02, 0, 1), GOOD)
    assert noticeably.difference == pytest.approx(-0.02)
    assert judge(noticeably, NOTHING, learned=11, champion_learned=10).promote


def test_without_a_test_the_champion_stays() -> None:
    verdict = judge(NOTHING, NOTHING, learned=99, champion_learned=10)
    assert not verdict.promote
    assert "Nothing could be tested" in verdict.reason


def test_few_equal_scores_are_no_certainty() -> None:
    two = compare([1.0, 1.0], [0.0, 0.0])
    assert two.low is not None
    assert two.low < 0 < two.high  # type: ignore[operator]
    assert not judge(two, NOTHING, learned=10, champion_learned=10).promote


@pytest.mark.parametrize(
    ("new", "old"), [([0.5], [0.5, 0.6]), ([1.5], [0.5]), ([float("nan")], [0.5]), ([-0.1], [0.5])]
)
def test_scores_that_do_not_hold(new: list[float], old: list[float]) -> None:
    with pytest.raises(InputError):
        compare(new, old)


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=40))
def test_the_interval_holds_the_difference_and_mirrors(pairs: list[tuple[float, float]]) -> None:
    new, old = zip(*pairs, strict=True)
    one, other = compare(new, old), compare(old, new)
    assert one.low <= one.difference <= one.high  # type: ignore[operator]
    assert other.low == pytest.approx(-one.high)  # type: ignore[operator]
    assert isinstance(one, Comparison)


def test_grown_errors_are_told_with_their_p_value() -> None:
    rng = np.random.default_rng(0)
    before, wild = rng.normal(0, 0.05, 40), rng.normal(0.3, 0.1, 12)
    grown, told = drifted(list(wild), list(before), 0.01)
    assert grown
    assert "p = " in told
    assert not drifted(list(rng.normal(0, 0.05, 12)), list(before), 0.01)[0]
    assert not drifted([9.0, 9.0, 9.0], list(before), 0.01)[0]  # three are too few


def test_a_drift_test_errs_as_often_as_its_level_says() -> None:
    rng = np.random.default_rng(1)
    false = sum(drifted(list(rng.normal(size=15)), list(rng.normal(size=60)), 0.1)[0] for _ in range(300))
    assert 0.05 < false / 300 < 0.16
