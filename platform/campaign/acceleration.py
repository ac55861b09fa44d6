"""How many evaluations a baseline needs for as many hits as a campaign has found, over those that it took.

This is the acceleration factor of the literature on autonomous laboratories for reaching that number of hits, where the
baseline is known by a share of hits: it needs hits / share evaluations on average.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from fermiloop.platform.campaign.reported import Acceleration

Z_95: Final = 1.96
STEPS: Final = 200  # of a bisection: far below the precision of a float
ROUNDING: Final = 1e-12


def acceleration(own: tuple[int, int], baseline: tuple[int, int]) -> Acceleration | None:
    """A campaign beside a baseline.

    Parameters
    ----------
    own
        Hits and evaluations of the campaign, failed ones included.
    baseline
        Hits and trials of the baseline.

    Returns
    -------
    row
        ``needed`` (evaluations of the baseline for as many hits; None where it has found none), ``factor`` (over
        those of the campaign), ``low`` and ``high`` (its 95 % interval; ``high`` is None without an upper bound). None
        where either has no trial, or where neither has a hit.
    """
    (hits, n), (theirs, m) = own, baseline
    if not n or not m or not hits + theirs:
        return None
    low, high = ratio_interval(hits, n, theirs, m)
    needed = hits * m / theirs if theirs else None
    return {
        "hits": hits, "evaluations": n, "baseline_hits": theirs, "baseline_n": m, "needed": needed,
        "factor": None if needed is None else needed / n, "low": low, "high": high if math.isfinite(high) else None,
    }  # fmt: skip


def ratio_interval(x: int, n: int, y: int, m: int, z: float = Z_95) -> tuple[float, float]:
    """Score interval of a ratio of two proportions, (x/n) / (y/m) (Koopman, Biometrics 40, 513, 1984).

    Holds with few trials and without hits: from 0 where `x` is 0, to infinity where `y` is 0.
    """
    middle = _ratio(x, n, y, m)
    low = 0.0 if x == 0 else _crossing(lambda ratio: _score(ratio, x, n, y, m) - z**2, middle, 1e-9)
    high = math.inf if y == 0 else _crossing(lambda ratio: _score(ratio, x, n, y, m) - z**2, middle, 1e9)
    return low, high


def _ratio(x: int, n: int, y: int, m: int) -> float:
    """The ratio, moved off 0 and infinity: what the interval is searched from."""
    return max(x, 0.5) / n / (max(y, 0.5) / m)


def _score(ratio: float, x: int, n: int, y: int, m: int) -> float:
    """Koopman's statistic of a ratio: chi-squared of both samples at the likeliest proportions of that ratio."""
    b = ratio * (n + y) + x + m
    p = (b - math.sqrt(max(0.0, b * b - 4 * ratio * (n + m) * (x + y)))) / (2 * (n + m))
    return _chi_squared(x, n, p) + _chi_squared(y, m, p / ratio)


def _chi_squared(k: int, n: int, p: float) -> float:
    off, variance = k - n * p, n * p * (1 - p)
    return 0.0 if abs(off) < ROUNDING * n else off**2 / max(variance, ROUNDING)


def _crossing(function: Callable[[float], float], inside: float, far: float) -> float:
    """Where a function that is negative at `inside` becomes positive towards `far`, by bisection of logarithms."""
    a, b = math.log(inside), math.log(far)
    for _ in range(STEPS):
        middle = (a + b) / 2
        a, b = (middle, b) if function(math.exp(middle)) < 0 else (a, middle)
    return math.exp((a + b) / 2)
