"""Compositions as arrays, so that a hundred thousand of them are scored at once."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from itertools import permutations
from typing import TYPE_CHECKING, Final, Self

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from fermiloop.platform.representations.composition import Row

    Array = NDArray[np.float64]
    Places = NDArray[np.int64]

MOST_COMPONENTS: Final = 4
LARGEST_AMOUNT: Final = 12
"""Of compositions of three elements or more: the oxygen of a garnet."""
NOBODY: Final = -1

Ratios = dict[int, tuple[tuple[int, ...], ...]]
"""Number of elements to the ratios that are tried, amounts in any order."""


@dataclass(frozen=True)
class RowArray:
    """m compositions of at most k elements.

    Parameters
    ----------
    elements
        Atomic numbers that `places` point into, ascending.
    places
        (m, k) places of the elements of each composition, ascending; `NOBODY` fills up.
    amounts
        (m, k) coprime amounts, 0 where there is no element.
    """

    elements: tuple[int, ...]
    places: Places
    amounts: Places

    def __len__(self) -> int:
        return len(self.places)

    @classmethod
    def of(cls, rows: Sequence[Row], elements: Sequence[int]) -> Self:
        """Compositions given one by one.

        Raises
        ------
        KeyError
            If one has an element that is not among `elements`.
        """
        width = max((len(row) for row in rows), default=1)
        places = np.full((len(rows), width), NOBODY)
        amounts = np.zeros((len(rows), width), dtype=np.int64)
        place = {number: i for i, number in enumerate(elements)}
        for i, row in enumerate(rows):
            places[i, : len(row)] = [place[number] for number, _ in row]
            amounts[i, : len(row)] = [count for _, count in row]
        return cls(tuple(elements), places, amounts)

    def subset(self, chosen: Places) -> Self:
        """The compositions at `chosen`, in that order."""
        return type(self)(self.elements, self.places[chosen], self.amounts[chosen])

    def rows(self) -> list[Row]:
        """The compositions one by one."""
        return [
            tuple((self.elements[place], count) for place, count in zip(places, amounts, strict=True) if count)
            for places, amounts in zip(self.places.tolist(), self.amounts.tolist(), strict=True)
        ]

    @property
    def sizes(self) -> Places:
        """(m,) numbers of elements."""
        return np.asarray((self.amounts > 0).sum(axis=1))

    @cached_property
    def keys(self) -> Places:
        """(m,) a number for each composition, the same in every array of the same elements."""
        base = (len(self.elements) + 1) * (LARGEST_AMOUNT + 1)
        digits = (self.places + 1) * (LARGEST_AMOUNT + 1) + self.amounts
        return np.asarray(digits @ base ** np.arange(digits.shape[1], dtype=np.int64))

    def fractions(self) -> Array:
        """(m, n_elements) atomic fractions."""
        matrix = np.zeros((len(self), len(self.elements) + 1))
        np.put_along_axis(matrix, self.places % matrix.shape[1], self.amounts.astype(float), axis=1)
        return np.asarray(matrix[:, :-1] / self.amounts.sum(axis=1, keepdims=True))

    def ratios(self) -> tuple[list[tuple[int, ...]], Places]:
        """The ratios that occur, amounts in the order of the atomic numbers, and the (m,) place of each row in them."""
        found, place = np.unique(self.amounts, axis=0, return_inverse=True)
        return [tuple(count for count in ratio if count) for ratio in found.tolist()], place.reshape(-1)


def orderings(ratios: Iterable[tuple[int, ...]]) -> Places:
    """(n, k) every order of the amounts of ratios of k elements, each once."""
    return np.array(sorted({order for ratio in ratios for order in permutations(ratio)}), dtype=np.int64)


def filled(elements: tuple[int, ...], sets: Places, amounts: Places) -> RowArray:
    """Every set of elements with every order of amounts: row i·n_amounts + j is set i with amounts j."""
    return RowArray(elements, np.repeat(sets, len(amounts), axis=0), np.tile(amounts, (len(sets), 1)))


def ratios_of(rows: Iterable[Row]) -> Ratios:
    """Ratios that occur, amounts ascending, by number of elements."""
    found: defaultdict[int, set[tuple[int, ...]]] = defaultdict(set)
    for row in rows:
        found[len(row)].add(tuple(sorted(count for _, count in row)))
    return {size: tuple(sorted(ratios)) for size, ratios in sorted(found.items())}
