"""When a search is no better than its baseline: told by the interval of the difference of two shares.

The interval is the hybrid score interval of Newcombe, Stat. Med. 17, 873 (1998), method 10: it holds for shares near 0
and for the small numbers of the first rounds, where the usual one breaks down.
"""

from __future__ import annotations

from math import isfinite, sqrt
from typing import Final

from fermiloop.platform.campaign.statistics import wilson
from fermiloop.platform.errors import InputError

WORTH: Final = 2.0
"""A search that hits this many times as often as its baseline is worth going on with."""


def no_better_than(
    hits: int, n: int, baseline_hits: int, baseline_n: int, level: float = 0.95, worth: float = WORTH
) -> tuple[bool, str]:
    """Whether a search is no better than its baseline, and a sentence that says so with the interval.

    It is, where the interval of the difference reaches down to 0 (no advantage is shown) and stays below the advantage
    of a search `worth` times as good as the baseline (one would have shown). Few trials therefore never condemn.

    Parameters
    ----------
    hits, n
        Of the search.
    baseline_hits, baseline_n
        Of the baseline.
    level
        Of the interval, in (0, 1).
    worth
        At least 1; at 1 the whole interval must lie at or below 0.

    Raises
    ------
    InputError
        If hits are not between 0 and their trials, or the level or `worth` is out of its range.
    """
    if not (isfinite(worth) and worth >= 1):
        raise InputError(f"A search worth going on with is at least 1 times as good as its baseline, not {worth}.")
    low, high = difference_interval(hits, n, baseline_hits, baseline_n, level)
    shares = f"{_share(hits, n)} against {_share(baseline_hits, baseline_n)} of the baseline"
    between = (
        f"the difference lies between {100 * low:+.1f} and {100 * high:+.1f} per cent ({100 * level:g} % interval)"
    )
    if n == 0 or baseline_n == 0:
        return False, f"Nothing can be told yet: {shares}."
    if low > 0:
        return False, f"Better than the baseline: {shares}; {between}."
    if high > (worth - 1) * baseline_hits / baseline_n:
        return False, f"It cannot be told yet whether this is better than the baseline: {shares}; {between}."
    return True, f"No better than the baseline: {shares}; {between}."


def difference_interval(hits: int, n: int, baseline_hits: int, baseline_n: int, level: float) -> tuple[float, float]:
    """Lower and upper end of the difference of two shares; (-1, 1) where one of them has no trials.

    Raises
    ------
    InputError
        If hits are not between 0 and their trials, or the level is not in (0, 1).
    """
    if not (0 <= hits <= n and 0 <= baseline_hits <= baseline_n):
        raise InputError(f"Hits lie between 0 and their trials, not {hits} of {n} and {baseline_hits} of {baseline_n}.")
    if not 0 < level < 1:
        raise InputError(f"The level of an interval lies between 0 and 1, not at {level}.")
    if n == 0 or baseline_n == 0:
        return -1.0, 1.0
    share, base = hits / n, baseline_hits / baseline_n
    (low, high), (base_low, base_high) = wilson(hits, n, level), wilson(baseline_hits, baseline_n, level)
    down = sqrt((share - low) ** 2 + (base_high - base) ** 2)
    up = sqrt((high - share) ** 2 + (base - base_low) ** 2)
    return share - base - down, share - base + up


def _share(hits: int, n: int) -> str:
    return f"{hits} of {n} ({100 * hits / n:.1f} %)" if n else "0 of 0"
