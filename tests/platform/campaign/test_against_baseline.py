"""No better than the baseline: Newcombe's own examples, and few trials never condemn."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fermiloop.platform.campaign.against_baseline import difference_interval, no_better_than
from fermiloop.platform.errors import InputError


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [  # Newcombe (1998), table II, method 10
        ((56, 70), (48, 80), (0.0524, 0.3339)),
        ((9, 10), (3, 10), (0.1705, 0.8090)),
        ((10, 10), (0, 20), (0.6791, 1.0000)),
        ((0, 10), (0, 10), (-0.2775, 0.2775)),
    ],
)
def test_interval_is_that_of_the_paper(first: tuple[int, int], second: tuple[int, int], expected: tuple[float, float]):
    assert difference_interval(*first, *second, 0.95) == pytest.approx(expected, abs=1e-4)


def test_a_search_like_its_baseline_is_told_after_enough_trials():
    assert not no_better_than(1, 10, 50, 500)[0]
    told, why = no_better_than(50, 500, 50, 500)
    assert told
    assert why.startswith("No better than the baseline: 50 of 500 (10.0 %) against 50 of 500 (10.0 %)")


def test_a_better_search_goes_on_and_a_worse_one_ends():
    told, why = no_better_than(40, 100, 10, 100)
    assert not told
    assert why.startswith("Better than the baseline")
    assert no_better_than(0, 60, 30, 60)[0]


def test_without_trials_nothing_is_told():
    for numbers in ((0, 0, 5, 10), (0, 10, 0, 0)):
        told, why = no_better_than(*numbers)
        assert not told
        assert why.startswith("Nothing can be told yet")


def test_a_baseline_that_never_hit_condemns_nothing():
    assert not no_better_than(0, 1000, 0, 1000)[0]


def test_worth_of_one_asks_for_the_whole_interval():
    assert not no_better_than(50, 500, 50, 500, worth=1.0)[0]
    assert no_better_than(10, 500, 100, 500, worth=1.0)[0]


def test_a_wider_level_is_slower_to_condemn():
    assert no_better_than(8, 80, 40, 400, level=0.8)[0]
    assert not no_better_than(8, 80, 40, 400, level=0.99)[0]


@pytest.mark.parametrize(
    ("numbers", "named"),
    [((5, 4, 1, 2), "5 of 4"), ((-1, 4, 1, 2), "-1 of 4"), ((1, 4, 3, 2), "3 of 2")],
)
def test_impossible_counts_are_refused(numbers: tuple[int, int, int, int], named: str):
    with pytest.raises(InputError, match=named):
        no_better_than(*numbers)


@pytest.mark.parametrize("bad", [{"level": 0.0}, {"level": 1.0}, {"worth": 0.5}, {"worth": float("nan")}])
def test_impossible_options_are_refused(bad: dict[str, float]):
    with pytest.raises(InputError):
        no_better_than(1, 2, 1, 2, **bad)


@given(st.integers(1, 200), st.integers(1, 200), st.data())
def test_interval_holds_the_difference_and_mirrors(n: int, m: int, data: st.DataObject):
    k, j = data.draw(st.integers(0, n)), data.draw(st.integers(0, m))
    low, high = difference_interval(k, n, j, m, 0.95)
    assert -1 - 1e-9 <= low <= k / n - j / m <= high <= 1 + 1e-9
    assert difference_interval(j, m, k, n, 0.95) == pytest.approx((-high, -low))
