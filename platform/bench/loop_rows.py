"""From runs of the loop to rows of the table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fermiloop.platform.bench import loop_statistics as statistics
from fermiloop.platform.bench.loop_strategies import COMPARED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fermiloop.platform.bench.loop_statistics import Estimate, Outcome

FIRST: Final = {"hidden": (10, 20, 50)}
"""Calls after which a protocol is looked at; at the end alone for the others."""


def rows_of(
    protocol: str, found: Mapping[str, Sequence[Outcome]], baseline: Mapping[str, bool]
) -> list[dict[str, Any]]:
    """Rows of one protocol: every strategy, after each number of calls that counts.

    Parameters
    ----------
    found
        Strategy to its runs, the same targets and seeds for all.
    baseline
        Strategy to whether it is there to be compared with.
    """
    most = max(one.calls for runs in found.values() for one in runs)
    counts = [n for n in FIRST.get(protocol, ()) if n < most] + [most]
    rows = []
    for calls in counts:
        part = {name: [one.first(calls) for one in runs] for name, runs in found.items()}
        rows += [_row(protocol, name, calls, part, baseline=baseline[name]) for name in part]
    return rows


def _row(
    protocol: str, name: str, calls: int, found: Mapping[str, Sequence[Outcome]], *, baseline: bool
) -> dict[str, Any]:
    runs = found[name]
    row = {
        "protocol": protocol,
        "strategy": name,
        "targets": len({one.target for one in runs}),
        "seeds": len({one.seed for one in runs}),
        "calls": calls,
        "hits": sum(one.total for one in runs) / len(runs),
        "precision": sum(one.total for one in runs) / sum(one.calls for one in runs),
        **_told("times_random", statistics.times_random(runs)),
        **_told("acceleration", statistics.acceleration(runs)),
        **_told("enhancement", statistics.enhancement(runs)),
        **_told("hypervolume", statistics.reached(runs)),
        "most_times_random": _most(runs),
        "baseline": baseline,
    }
    for other in COMPARED:
        if other in found and other != name:
            row |= _told(f"ratio_{other}", statistics.ratio(runs, found[other]))
            row |= _told(f"difference_{other}", statistics.difference(runs, found[other]))
    return row


def _most(runs: Sequence[Outcome]) -> float | None:
    """Times random of a strategy that asks for hits alone, as long as there are any."""
    expected = sum(one.expected for one in runs)
    return sum(min(one.calls, one.hits) for one in runs) / expected if expected else None


def _told(name: str, estimate: Estimate) -> dict[str, float | None]:
    values = {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
    return {key: float(value) if np.isfinite(value) else None for key, value in values.items()}
