"""Intervals of proportions."""

from __future__ import annotations

from math import sqrt


def wilson(k: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson score interval of `k` hits in `n` trials (Wilson, J. Am. Stat. Assoc. 22, 209, 1927).

    Parameters
    ----------
    k, n
        Hits and trials; without trials the interval is (0, 1).
    z
        Quantile of the normal distribution, 1.96 for 95 %.
    """
    if n == 0:
        return 0.0, 1.0
    share = k / n
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return (0.0 if k == 0 else middle - half), (1.0 if k == n else middle + half)


def discovery_factor(rate: float | None, baseline: float | None) -> float | None:
    """How many times as often a search hits as its baseline; None where either is unknown or the baseline is 0."""
    return rate / baseline if rate is not None and baseline else None
