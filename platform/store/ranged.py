"""The first rows of a range in the order of its own field, read window after window.

The embedded server reads and sorts everything that matches before it keeps the first few. An index on the field makes
a narrow window cheap, so the range is gone through in windows from its best end, each as wide as the last one
suggests, until there are enough rows. Every server gives the same rows in the same order.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

Fetch = Callable[[dict[str, float]], list[dict[str, Any]]]

FIRST_WIDTH: Final = 0.01  # of the first window, in the field's unit
FIRST_BOUND: Final = 10.0  # what lies beyond this on either side is read at once
GROWTH: Final = 4.0  # a window is at most so many times as wide as the one before
AIM: Final = 1.5  # rows that a window should bring, in rows that are lacking


def first_rows(fetch: Fetch, low: float, high: float, limit: int, *, descending: bool) -> list[dict[str, Any]]:
    """At most `limit` rows of the range, nearest to its best end first; a row without its value is not asked for.

    Parameters
    ----------
    fetch
        Gives all rows whose value meets a condition such as ``{"$gt": 0.1, "$lte": 0.2}``, in any order.
    low, high
        The range, both ends included; an end may be infinite.
    limit
        Most rows.
    descending
        Whether the best end is the upper one.

    Returns
    -------
    rows
        Window after window from the best end. Rows of one window are in the order that `fetch` gave them, so
        that the caller sorts what comes back and cuts it at the limit.
    """
    sign = -1.0 if descending else 1.0
    begin, end = (-high, -low) if descending else (low, high)
    upper, width = (-FIRST_BOUND if begin == -math.inf else begin + FIRST_WIDTH), FIRST_WIDTH
    lower, opening = begin, True
    found: list[dict[str, Any]] = []
    while True:
        upper = min(upper, end)
        rows = fetch(_condition(sign, lower, upper, opening=opening))
        found += rows
        if len(found) >= limit or upper >= end:
            return found
        wished = AIM * (limit - len(found)) / len(rows) if rows and not (opening and math.isinf(lower)) else GROWTH
        width *= min(max(wished, 1 / GROWTH), GROWTH)
        lower, upper, opening = upper, upper + width, False
        if upper == lower or lower > FIRST_BOUND:  # the width is lost in rounding, or little can follow: take the rest
            upper = end


def _condition(sign: float, lower: float, upper: float, *, opening: bool) -> dict[str, float]:
    """Values between two bounds along the way; the first window has its lower bound in it."""
    after, until = ("$gte" if opening else "$gt", "$lte") if sign > 0 else ("$lte" if opening else "$lt", "$gte")
    return {after: sign * lower, until: sign * upper}
