"""Which structure types a training set adds to the tabulated ones, and which element sits in which slot."""

from __future__ import annotations

import re
from functools import cache
from itertools import permutations
from math import gcd
from typing import TYPE_CHECKING, Final

import numpy as np
from pymatgen.core import Element

from fermiloop.platform.generators.row_array import MOST_COMPONENTS
from fermiloop.platform.representations.element_features import ELEMENTS_KNOWN, element_features
from fermiloop.platform.representations.prototypes import Prototype
from fermiloop.platform.representations.structure_types import structure_types

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from pymatgen.core import Structure

    from fermiloop.platform.representations.training import TrainingSet

SPACE_GROUP: Final = re.compile(r"[-/](\d+)$")
"""Of a prototype that is told as anonymous formula and space group."""
Amounts = tuple[tuple[str, int], ...]


def type_named(name: str, structure: Structure) -> str:
    """Name of the structure type of a crystal, given what its record says.

    Crystals of three elements or more with the ratio and space group of a tabulated type count as of that type; they
    nearly always are, and a decoration more than one of the same crystal is found by the funnel.
    """
    told = SPACE_GROUP.search(name)
    if name in structure_types() or told is None or len(structure.composition) < 3:
        return name
    return _tabulated().get((int(told.group(1)), _ratio(structure)), name)


def learned_types(data: TrainingSet) -> dict[str, Prototype]:
    """Structure types of crystals of three elements or more that no table holds, the first crystal of each."""
    found: dict[str, Prototype] = {}
    for name, structure, system in zip(data.prototypes, data.structures, data.crystal_systems, strict=True):
        size = len(structure.composition)
        kind = type_named(name, structure)
        if not kind or kind in structure_types() or kind in found or not 3 <= size <= MOST_COMPONENTS:
            continue
        primitive = structure.get_primitive_structure()
        symbols = sorted({site.specie.symbol for site in primitive}, key=_negativity)
        letters = {symbol: "ABCD"[i] for i, symbol in enumerate(symbols)}
        found[kind] = Prototype(
            kind,
            system,
            _rows(primitive.lattice.matrix),
            "".join(letters[site.specie.symbol] for site in primitive),
            _rows(primitive.frac_coords),
            examples=(tuple(symbols),),
        )
    return found


def arrangement(amounts: Amounts, kind: Prototype) -> tuple[tuple[str, ...], float]:
    """Elements by slot of a structure type of their ratio, and how alike its known compounds are, in 0 to 1.

    Of one element there is one way. Of two in equal amounts the less electronegative takes slot A, the cation of B8_1
    and its like. Of more the way is that whose elements are nearest to those of a known compound, by their features.
    """
    slots = reduced(kind.amounts)
    ways = [
        tuple(symbol for symbol, _ in order)
        for order in permutations(sorted(amounts, key=lambda one: _negativity(one[0])))
        if tuple(count for _, count in order) == slots
    ]
    if len(slots) <= 2:
        return ways[0], 1.0
    distances = [_unlikeness(way, kind.examples) for way in ways]
    best = int(np.argmin(distances))
    return ways[best], float(np.exp(-distances[best]))


def reduced(amounts: Sequence[int]) -> tuple[int, ...]:
    """Coprime amounts."""
    divisor = gcd(*amounts)
    return tuple(amount // divisor for amount in amounts)


def _unlikeness(elements: tuple[str, ...], examples: tuple[tuple[str, ...], ...]) -> float:
    """Mean squared difference of the features to those of the nearest known compound, slot by slot."""
    apart = _apart()
    sums = [sum(apart[_place(a)][_place(b)] for a, b in zip(elements, one, strict=True)) for one in examples]
    return min(sums, default=1.0) / len(elements)


@cache
def _apart() -> list[list[float]]:
    """(83, 83) mean squared differences of the features of elements."""
    features = element_features()
    differences = ((features[:, None] - features[None]) ** 2).mean(axis=-1)
    return [[float(value) for value in row] for row in differences]


@cache
def _place(symbol: str) -> int:
    """Place of an element; beyond Bi that of the last one whose features are known."""
    return min(Element(symbol).Z, len(ELEMENTS_KNOWN)) - 1


@cache
def _negativity(symbol: str) -> float:
    return float(Element(symbol).X)


@cache
def _tabulated() -> dict[tuple[int, tuple[int, ...]], str]:
    """Name by space group and ratio, amounts ascending; the first of two that share them."""
    found: dict[tuple[int, tuple[int, ...]], str] = {}
    for kind in structure_types().values():
        found.setdefault((kind.space_group, tuple(sorted(reduced(kind.amounts)))), kind.name)
    return found


def _ratio(structure: Structure) -> tuple[int, ...]:
    counts = [round(amount) for amount in structure.composition.get_el_amt_dict().values()]
    return tuple(sorted(reduced(counts)))


def _rows(matrix: NDArray[np.float64]) -> tuple[tuple[float, float, float], ...]:
    return tuple((float(x), float(y), float(z)) for x, y, z in matrix)
