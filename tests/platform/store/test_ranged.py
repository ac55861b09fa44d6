"""A range read window after window gives what sorting all of it gives."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fermiloop.platform.store.ranged import first_rows

MEETS = {
    "$gt": lambda x, b: x > b,
    "$gte": lambda x, b: x >= b,
    "$lt": lambda x, b: x < b,
    "$lte": lambda x, b: x <= b,
}
numbers = st.floats(-1e6, 1e6) | st.floats(-1, 1) | st.sampled_from([0.0, 0.01, -10.0])
bounds = numbers | st.sampled_from([-math.inf, math.inf])


@given(st.lists(numbers, max_size=60), bounds, bounds, st.integers(1, 30), st.booleans())
@settings(max_examples=300, deadline=None)
def test_the_same_rows_in_the_same_order(values, one, other, limit, descending):
    low, high = min(one, other), max(one, other)
    asked = 0

    def fetch(window: dict[str, float]) -> list[dict[str, Any]]:
        nonlocal asked
        asked += 1
        return [{"v": v} for v in values if all(MEETS[name](v, bound) for name, bound in window.items())]

    found = sorted((row["v"] for row in first_rows(fetch, low, high, limit, descending=descending)), reverse=descending)
    right = sorted((v for v in values if low <= v <= high), reverse=descending)
    assert found[:limit] == right[:limit]
    assert asked < 200


def test_a_wide_range_is_not_read_whole():
    values = [i / 1000 for i in range(5000)]
    read = 0

    def fetch(window: dict[str, float]) -> list[dict[str, Any]]:
        nonlocal read
        rows = [{"v": v} for v in values if all(MEETS[name](v, bound) for name, bound in window.items())]
        read += len(rows)
        return rows

    first_rows(fetch, 0.0, math.inf, 20, descending=False)
    assert read < 100


@pytest.mark.parametrize("bound", [0.1, -3.0])
def test_a_range_of_one_value(bound):
    found = first_rows(lambda window: [{"v": bound}] if "$gte" in window else [], bound, bound, 5, descending=False)
    assert found == [{"v": bound}]
