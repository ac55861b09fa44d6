"""What a model learns from and what it is tested on: one place, so that no bench leaks.

A test part shares neither a composition nor a prototype (anonymous formula and space group) with what was learned:
all polymorphs of a composition lie on one side, and so do all compounds of one prototype. A row of a held-out
composition that is of another prototype lies in no part, for it could be in neither. The papers split at random; where
that is done, for comparison, it is named so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from fermiloop.platform.bench.crystal_data import formulas
from fermiloop.platform.bench.space_groups import space_group
from fermiloop.platform.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fermiloop.platform.representations.training import TrainingSet

    Rows = NDArray[np.int64]

APART: Final = "composition and prototype"
"""What test parts share nothing of with what was learned."""
COMPOSITION: Final = "composition alone"
"""All polymorphs of a composition lie on one side; compounds of one prototype fall on both."""
PUBLISHED: Final = "random, as published"
"""Rows at random: polymorphs and compounds of one prototype fall on both sides."""
SEED: Final = 21
"""Of the published split of FTCP, and of all of ours."""


@dataclass(frozen=True)
class Parts:
    """What one figure of a bench is learned from, and what it is of."""

    name: str
    train: TrainingSet
    test: TrainingSet


def apart(data: TrainingSet, shares: Sequence[float] = (0.8, 0.1, 0.1), seed: int = SEED) -> tuple[Rows, ...]:
    """Indices of parts of which no two share a composition or a prototype; the first one is to be learned from.

    Parameters
    ----------
    data
        Crystals.
    shares
        Of the parts. Those after the first are filled by prototypes, in random order, as far as these fit; the first
        takes what is left, less the rows whose composition is held out.
    seed
        Of the random order.

    Raises
    ------
    InputError
        If a part stays empty: there are too few prototypes.
    """
    names, kinds = np.array(formulas(data), dtype=str), np.array(prototypes(data), dtype=str)
    rng, left = np.random.default_rng(seed), np.ones(len(data), dtype=bool)
    parts: list[Rows] = []
    for share in reversed(shares[1:]):
        chosen = left & np.isin(kinds, _some(kinds[left], round(float(share) * len(data)), rng))
        parts.append(np.flatnonzero(chosen))
        left &= ~chosen & ~np.isin(names, names[chosen])
    parts.append(np.flatnonzero(left))
    if not all(len(part) for part in parts):
        raise InputError(
            f"The {len(data)} crystals are of {len(set(kinds))} prototypes, too few for {len(shares)} parts that share "
            "none; give another file."
        )
    return tuple(reversed(parts))


def folds_apart(data: TrainingSet, folds: int, seed: int = SEED) -> list[tuple[Rows, Rows]]:
    """Rows learned from and rows asked for, of each fold; every row is asked for once.

    Raises
    ------
    InputError
        If there are fewer prototypes than folds.
    """
    names, kinds = np.array(formulas(data), dtype=str), np.array(prototypes(data), dtype=str)
    different, sizes = np.unique(kinds, return_counts=True)
    if len(different) < folds:
        raise InputError(
            f"The {len(data)} crystals are of {len(different)} prototypes, too few for {folds} parts that share none; "
            "give another file."
        )
    filled, place = np.zeros(folds), np.zeros(len(different), dtype=np.int64)
    order = np.random.default_rng(seed).permutation(len(different))
    for i in order[np.argsort(-sizes[order], kind="stable")]:  # the largest first, each into the emptiest fold
        place[i] = int(np.argmin(filled))
        filled[place[i]] += sizes[i]
    of_row = place[np.searchsorted(different, kinds)]
    tests = [np.flatnonzero(of_row == fold) for fold in range(folds)]
    return [(np.flatnonzero((of_row != fold) & ~np.isin(names, names[test])), test) for fold, test in enumerate(tests)]


def by_composition(data: TrainingSet, folds: int, seed: int = SEED) -> list[tuple[Rows, Rows]]:
    """Rows learned from and rows asked for, of each fold; all polymorphs of a composition in one fold.

    Parameters
    ----------
    data
        Crystals; prototypes are shared, so this is not one of our splits where it stands alone.
    folds
        How many; every row is asked for once.
    seed
        Of the random order.
    """
    names, place = np.unique(formulas(data), return_inverse=True)
    of_row = np.random.default_rng(seed).permutation(len(names))[place] % folds
    return [(np.flatnonzero(of_row != fold), np.flatnonzero(of_row == fold)) for fold in range(folds)]


def published(n: int, shares: Sequence[float] = (0.8, 0.1, 0.1), seed: int = SEED) -> tuple[Rows, ...]:
    """Indices of the parts of `n` rows at random, as the papers split; this leaks, see the module.

    Parameters
    ----------
    n
        Rows.
    shares
        Of the parts; the last takes what is left.
    seed
        Of the random order.
    """
    order = np.random.default_rng(seed).permutation(n)
    edges = [round(float(edge) * n) for edge in np.cumsum(shares)[:-1]]
    return tuple(np.sort(part) for part in np.split(order, edges))


def without(data: TrainingSet, others: TrainingSet) -> TrainingSet:
    """The crystals that share neither a composition nor a prototype with others."""
    names, kinds = set(formulas(others)), set(prototypes(others))
    rows = zip(formulas(data), prototypes(data), strict=True)
    return data.subset([i for i, (name, kind) in enumerate(rows) if name not in names and kind not in kinds])


def prototypes(data: TrainingSet) -> list[str]:
    """Anonymous formula and space group of each crystal, such as ``AB2/225``; computed where another name is given."""
    return [
        name if "/" in name else f"{structure.composition.anonymized_formula}/{space_group(structure)}"
        for name, structure in zip(data.prototypes, data.structures, strict=True)
    ]


def _some(kinds: NDArray[np.str_], wanted: int, rng: np.random.Generator) -> NDArray[np.str_]:
    """Prototypes in random order that hold `wanted` rows at most together; the smallest if none is so small."""
    different, sizes = np.unique(kinds, return_counts=True)
    chosen, total = [], 0
    for i in rng.permutation(len(different)):
        if total + sizes[i] <= wanted:
            chosen.append(int(i))
            total += int(sizes[i])
    if not chosen and len(different) > 1:
        chosen = [int(np.argmin(sizes))]
    return np.asarray(different[chosen])
