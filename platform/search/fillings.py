"""Which elements fill the slots of a prototype: all choices, or where these are too many the likeliest ones.

A filling is scored by pairs of slots: how far its ratios of radii and differences of electronegativity lie from those
of the known occupants. So the best ones are found slot by slot, those of the beam kept each time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, permutations
from math import perm
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fermiloop.platform.search.templates import Template

    Array = NDArray[np.float64]
    Places = NDArray[np.int64]

CHUNK_SLOTS: Final = 3
"""Slots that are filled at once; the ones before them are looped over."""
BEAM: Final = 20_000
"""Fillings of four slots or more that are kept, where there are more than `MOST_WHOLE` of them."""
MOST_WHOLE: Final = 50_000


@dataclass(frozen=True)
class Scorer:
    """Scores of fillings of one prototype, by how like the known occupants they are.

    Parameters
    ----------
    template
        The prototype.
    radii, values
        (n,) logarithms of radii and electronegativities of the elements to choose from.
    radius_window, negativity_window
        Departures that count as one standard deviation.
    """

    template: Template
    radii: Array
    values: Array
    radius_window: float
    negativity_window: float

    def __call__(self, chosen: Places) -> Array:
        """(m,) ln(count + 1) less the squared departures of (m, k) elements in the first k slots."""
        base = np.full(len(chosen), np.log1p(self.template.count))
        parts = [self._departures(chosen, *known) for known in self.template.occupants]
        return base - np.min(parts, axis=0) if parts else base

    def _departures(self, chosen: Places, log_radii: tuple[float, ...], negativities: tuple[float, ...]) -> Array:
        found = np.zeros(len(chosen))
        for scale, known, width in (
            (self.radii, log_radii, self.radius_window),
            (self.values, negativities, self.negativity_window),
        ):
            given = scale[chosen]
            for i, j in combinations(range(chosen.shape[1]), 2):
                found += 0.5 * ((given[:, i] - given[:, j] - known[i] + known[j]) / width) ** 2
        return found


def fillings(scorer: Scorer, slots: int) -> Iterator[Places]:
    """Choices of different elements for the slots in chunks of (m, slots): all of them, or the best of a beam.

    Of two slots that may be swapped without making another crystal, the first bears the less electronegative
    element, as in the known ones.
    """
    n = len(scorer.radii)
    if slots <= CHUNK_SLOTS or perm(n, slots) <= MOST_WHOLE:
        chunks = every_filling(n, slots)
    else:
        chunks = iter((_beam(scorer, slots),))
    for chosen in chunks:
        kept = chosen
        for i, j in scorer.template.exchangeable:
            first, second = scorer.values[kept[:, i]], scorer.values[kept[:, j]]
            kept = kept[(first < second) | ((first == second) & (kept[:, i] < kept[:, j]))]
        if len(kept):
            yield kept


def every_filling(n: int, slots: int) -> Iterator[Places]:
    """Ordered choices of `slots` different ones of `n`, in chunks of (m, slots)."""
    tail = min(slots, CHUNK_SLOTS)
    ends = _permutations(n, tail)
    for prefix in permutations(range(n), slots - tail):
        fits = ~np.isin(ends, prefix).any(axis=1)
        heads = np.broadcast_to(np.array(prefix, dtype=np.int64), (int(fits.sum()), len(prefix)))
        yield np.concatenate([heads, ends[fits]], axis=1)


def _beam(scorer: Scorer, slots: int) -> Places:
    """The likeliest fillings, slot by slot."""
    n = len(scorer.radii)
    chosen = np.arange(n, dtype=np.int64)[:, None]
    for _ in range(slots - 1):
        longer = np.repeat(chosen, n, axis=0)
        added = np.tile(np.arange(n, dtype=np.int64), len(chosen))[:, None]
        fits = (longer != added).all(axis=1)
        chosen = np.concatenate([longer, added], axis=1)[fits]
        if len(chosen) > BEAM:
            best = np.argsort(-scorer(chosen), kind="stable")[:BEAM]
            chosen = chosen[best]
    return chosen


@lru_cache(maxsize=8)
def _permutations(n: int, k: int) -> Places:
    grid = np.indices((n,) * k).reshape(k, -1).T
    different = np.ones(len(grid), dtype=bool)
    for i, j in combinations(range(k), 2):
        different &= grid[:, i] != grid[:, j]
    return np.asarray(grid[different], dtype=np.int64)
