"""How many evaluations a baseline needs, with its interval."""

from __future__ import annotations

import math

import pytest

from fermiloop.platform.campaign.acceleration import acceleration, ratio_interval


def test_the_interval_of_koopmans_example() -> None:
    assert ratio_interval(36, 40, 16, 80) == pytest.approx((2.94, 7.15), abs=0.005)


@pytest.mark.parametrize(("x", "n", "y", "m"), [(5, 10, 10, 10), (10, 10, 10, 10), (3, 24, 7, 300), (1, 24, 1, 24)])
def test_the_inverse_ratio_has_the_inverse_interval(x: int, n: int, y: int, m: int) -> None:
    low, high = ratio_interval(x, n, y, m)
    assert low < (x / n) / (y / m) < high or (x, y) == (n, m)
    assert ratio_interval(y, m, x, n) == pytest.approx((1 / high, 1 / low), rel=1e-6)


def test_without_hits_one_end_is_open() -> None:
    low, high = ratio_interval(0, 24, 3, 24)
    assert low == 0.0
    assert 0.5 < high < 5
    low, high = ratio_interval(3, 24, 0, 24)
    assert low > 0
    assert math.isinf(high)


def test_a_campaign_with_twice_the_share_needs_half_the_evaluations() -> None:
    row = acceleration((6, 24), (3, 24))
    assert row is not None
    assert (row["needed"], row["factor"]) == (48, 2)
    assert row["low"] < 1 < row["high"]


def test_a_baseline_without_hits_bounds_the_factor_from_below_alone() -> None:
    row = acceleration((6, 24), (0, 24))
    assert row is not None
    assert (row["needed"], row["factor"], row["high"]) == (None, None, None)
    assert row["low"] > 1


@pytest.mark.parametrize(("own", "baseline"), [((0, 0), (1, 5)), ((1, 5), (0, 0)), ((0, 5), (0, 5))])
def test_nothing_to_compare(own: tuple[int, int], baseline: tuple[int, int]) -> None:
    assert acceleration(own, baseline) is None
