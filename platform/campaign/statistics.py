"""Intervals of proportions."""

from __future__ import annotations

from functools import lru_cache


@lru_cache(maxsize=1024)
def wilson(k: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson score interval of `k` hits in `n` trials (Wilson, J. Am. Stat. Assoc. 22, 209, 1927).

    Parameters
    ----------
    k, n
        Hits and trials; without trials the interval is (0, 1).
    confidence
        Share of such intervals that hold the true proportion.
    """
    if n == 0:
        return 0.0, 1.0
    from scipy.stats import binomtest  # half a second: many who read a campaign's file never ask

    interval = binomtest(k, n).proportion_ci(confidence, method="wilson")
    return float(interval.low), float(interval.high)


def discovery_factor(rate: float | None, baseline: float | None) -> float | None:
    """How many times as often a search hits as its baseline; None where either is unknown or the baseline is 0."""
    return rate / baseline if rate is not None and baseline else None
