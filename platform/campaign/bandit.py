"""Who gets the next evaluations: a bandit over the measured hit rates of several generators.

Thompson sampling (Thompson, Biometrika 25, 285, 1933) with a Beta posterior for the hit rate of each. The prior is as
weak as two evaluations and has the mean of all generators together, so that a newcomer is taken to be like the others.
Within a batch each place given counts at once as an evaluation of the expected result: the spread narrows, and a
generator of which little is known does not take the whole batch by one lucky draw.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fermiloop.platform.campaign.statistics import wilson
from fermiloop.platform.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

PRIOR_STRENGTH: Final = 2.0
"""Evaluations that the prior counts for."""


@dataclass(frozen=True)
class Earned:
    """What one generator was given and what it made of it.

    Parameters
    ----------
    generator
        Its name.
    evaluations, hits
        Paid for, and found.
    rate
        Hits per evaluation, None before the first.
    low, high
        Wilson 95 % interval of the rate.
    share
        Of all evaluations.
    """

    generator: str
    evaluations: int
    hits: int
    rate: float | None
    low: float
    high: float
    share: float


def allocate(
    batch: int,
    records: Mapping[str, tuple[int, int]],
    rng: np.random.Generator,
    floor: int = 1,
    *,
    window: int | None = None,
    running: Mapping[str, int] | None = None,
) -> dict[str, int]:
    """How many places of a batch each generator gets; they add up to the batch.

    Parameters
    ----------
    batch
        Places.
    records
        Hits and evaluations of each generator.
    rng
        Of the draws; the same state gives the same places.
    floor
        Places that each gets at least. Where the batch is too small for that, those with the fewest evaluations come
        first, so that over the rounds none starves.
    window
        Evaluations among which each gets that floor, where places come one by one; the batch itself by default.
    running
        Evaluations of each generator without a result; they count as the expected one.

    Raises
    ------
    InputError
        If there is no generator, a number is below 0, or hits exceed evaluations.
    """
    _check(batch, records, floor)
    names, flying = sorted(records), running or {}
    begun = {name: records[name][1] + flying.get(name, 0) for name in names}
    given = dict.fromkeys(names, 0)
    for name in _floors(batch, begun, floor, window):
        given[name] += 1
    hits, evaluated = (sum(one[i] for one in records.values()) for i in (0, 1))
    mean = (hits + 1) / (evaluated + 2)
    good = {name: PRIOR_STRENGTH * mean + records[name][0] for name in names}
    bad = {name: PRIOR_STRENGTH * (1 - mean) + records[name][1] - records[name][0] for name in names}
    for name in names:
        _expect(good, bad, name, given[name] + flying.get(name, 0))
    for _ in range(batch - sum(given.values())):
        best = max(names, key=lambda name: rng.beta(good[name], bad[name]))
        given[best] += 1
        _expect(good, bad, best, 1)
    return given


def earned(records: Mapping[str, tuple[int, int]]) -> list[Earned]:
    """A row for each generator, most evaluations first.

    Raises
    ------
    InputError
        If a number is below 0, or hits exceed evaluations.
    """
    _check(0, records or {"": (0, 0)}, 0)
    total = sum(evaluated for _, evaluated in records.values())
    rows = [
        Earned(name, n, hits, hits / n if n else None, *wilson(hits, n), n / total if total else 0.0)
        for name, (hits, n) in records.items()
    ]
    return sorted(rows, key=lambda row: (-row.evaluations, -row.hits, row.generator))


def _floors(batch: int, begun: Mapping[str, int], floor: int, window: int | None) -> list[str]:
    """Who gets the places of the floor, one each in turn, the least evaluated first; in a window those at its head."""
    turn = sorted(begun, key=lambda name: (begun[name], name)) * floor
    if window is None or window <= len(turn):
        return turn[:batch]
    heads, first = sorted(begun) * floor, sum(begun.values())
    places = (place % window for place in range(first, first + batch))
    return [heads[place] for place in places if place < len(heads)]


def _expect(good: dict[str, float], bad: dict[str, float], name: str, n: int) -> None:
    """Count `n` evaluations of the expected result."""
    mean = good[name] / (good[name] + bad[name])
    good[name] += n * mean
    bad[name] += n * (1 - mean)


def _check(batch: int, records: Mapping[str, tuple[int, int]], floor: int) -> None:
    if not records:
        raise InputError("A bandit needs at least one generator.")
    if batch < 0 or floor < 0:
        raise InputError(f"A batch and its floor must be zero or more, not {batch} and {floor}.")
    for name, (hits, evaluated) in records.items():
        if not 0 <= hits <= evaluated:
            raise InputError(f"The hits of {name} lie between 0 and its evaluations, not {hits} of {evaluated}.")
