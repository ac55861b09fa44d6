"""Curves with their compositions: what an inverse model learns from."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb
from typing import TYPE_CHECKING, Final

import numpy as np

from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.row_array import (
    LARGEST_AMOUNT,
    MOST_COMPONENTS,
    NOBODY,
    RowArray,
    orderings,
    ratios_of,
)
from fermiloop.platform.representations.composition import MAX_COEFFICIENT, CompositionTable, Row, row_of
from fermiloop.platform.representations.element_features import ELEMENTS_KNOWN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fermiloop.platform.representations.spectrum import SpectrumGrid
    from fermiloop.platform.representations.training import TrainingSet

FEWEST_SAMPLES: Final = 8
FEWEST_COMPOSITIONS: Final = 4
DRAWN: Final = 2000
"""Compositions of one number of elements that stand for all others of it in a calibration."""


@dataclass(frozen=True)
class Samples:
    """Curves with what they belong to.

    Parameters
    ----------
    curves
        (n, n_points) of unit area.
    rows
        Composition of each curve.
    systems
        (n,) crystal systems.
    step
        Distance of grid points, in the unit of the axis: eV for a DOS.
    zero
        Index of the grid point at the Fermi level; the last point where the axis has none, so that what lies below
        it is the whole curve.
    """

    curves: NDArray[np.float64]
    rows: tuple[Row, ...]
    systems: NDArray[np.str_]
    step: float
    zero: int

    def __len__(self) -> int:
        return len(self.rows)

    def subset(self, places: Sequence[int] | NDArray[np.int64]) -> Samples:
        """The samples at `places`, in that order."""
        take = [int(i) for i in places]
        return Samples(self.curves[take], tuple(self.rows[i] for i in take), self.systems[take], self.step, self.zero)

    @property
    def elements(self) -> tuple[int, ...]:
        """Atomic numbers that occur, ascending."""
        return tuple(sorted({number for row in self.rows for number, _ in row}))

    @property
    def are_enough(self) -> bool:
        """Whether a model can learn from them."""
        many = len(self) >= FEWEST_SAMPLES and len(set(self.rows)) >= FEWEST_COMPOSITIONS
        return many and len(self.elements) >= 2

    @property
    def most_components(self) -> int:
        """Elements of the largest composition."""
        return max((len(row) for row in self.rows), default=0)

    def of_curves(self, curves: NDArray[np.float64], systems: NDArray[np.str_]) -> Samples:
        """Curves on the same grid whose compositions are asked for."""
        return Samples(curves, ((),) * len(curves), systems, self.step, self.zero)

    def table(self) -> CompositionTable:
        """All compositions of one or two of the elements that occur."""
        return CompositionTable(self.elements)


def is_learnable(row: Row, most: int = MOST_COMPONENTS) -> bool:
    """Whether a composition is of at most `most` elements up to Bi, in amounts of at most 3, of three or more 12."""
    largest = MAX_COEFFICIENT if len(row) <= 2 else LARGEST_AMOUNT
    return len(row) <= most and all(number in ELEMENTS_KNOWN and count <= largest for number, count in row)


def samples_of(data: TrainingSet, most: int = MOST_COMPONENTS) -> Samples:
    """Samples of a training set; what is not learnable is left out, and what has more than `most` elements.

    Raises
    ------
    InputError
        If too little remains to learn from, or a curve is not finite or has no area.
    """
    rows = [row_of(structure.composition) for structure in data.structures]
    kept = [i for i, row in enumerate(rows) if is_learnable(row, most)]
    curves = data.curves[kept]
    if not np.isfinite(curves).all():
        raise InputError("A curve of the training set holds NaN or infinity; leave that material out.")
    samples = Samples(
        curves=data.grid.normalise(np.maximum(curves, 0)),
        rows=tuple(rows[i] for i in kept),
        systems=np.array([data.crystal_systems[i] for i in kept], dtype=str),
        step=data.grid.step,
        zero=zero_of(data.grid),
    )
    if not samples.are_enough:
        raise InputError(
            f"{len(samples)} curves of {len(set(samples.rows))} compositions of {len(samples.elements)} elements are "
            f"too few to learn from; at least {FEWEST_SAMPLES} curves, {FEWEST_COMPOSITIONS} compositions and 2 "
            "elements are needed."
        )
    return samples


def told_apart(samples: Samples) -> Samples:
    """Those that hold no two elements which always occur together: nothing tells such elements from each other.

    Raises
    ------
    InputError
        If some were left out, and too little remains to learn from.
    """
    left = samples
    while alike := _always_together(left):
        left = left.subset([i for i, row in enumerate(left.rows) if not alike & dict(row).keys()])
    if left is not samples and not left.are_enough:
        raise InputError(
            f"Of {len(samples)} curves {len(left)} hold elements that can be told from each other, too few to learn "
            "from; add materials that hold only one of the elements that always occur together."
        )
    return left


def _always_together(samples: Samples) -> set[int]:
    """Atomic numbers of elements that occur in the same samples as another one."""
    holders: dict[tuple[int, ...], list[int]] = {}
    for number in samples.elements:
        holders.setdefault(tuple(i for i, row in enumerate(samples.rows) if number in dict(row)), []).append(number)
    return {number for group in holders.values() if len(group) > 1 for number in group}


def zero_of(grid: SpectrumGrid) -> int:
    """Index of the point up to which a curve is filled: the Fermi level of a DOS, the end of any other curve."""
    return int(np.argmin(np.abs(grid.points))) if grid.alignment != "none" else grid.n - 1


def fold_numbers(groups: Sequence[object], folds: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """(n,) fold of each sample; samples of one group share theirs, folds are about equally large."""
    names = {group: i for i, group in enumerate(dict.fromkeys(groups))}
    order = rng.permutation(len(names))
    return np.array([order[names[group]] % folds for group in groups])


def compared_rows(samples: Samples, table: RowArray, rng: np.random.Generator) -> tuple[RowArray, NDArray[np.float64]]:
    """Compositions that the true ones are compared with, and the logarithm of how many each stands for.

    Those of the samples are there, each for itself, and the rest of the table, or `DRAWN` of it at random. Of three
    elements and of four `DRAWN` at random stand for all (importance sampling of the normaliser; Bengio and Senécal,
    AISTATS 2003).
    """
    of_table = np.isin(table.keys, RowArray.of([row for row in samples.rows if len(row) <= 2], table.elements).keys)
    rest = np.flatnonzero(~of_table)
    drawn = np.sort(rng.permutation(rest)[:DRAWN])
    arrays = [table.subset(np.flatnonzero(of_table)), table.subset(drawn)]
    shares = [np.zeros(len(arrays[0])), np.full(len(drawn), np.log(len(rest) / max(len(drawn), 1)))]
    larger = [row for row in dict.fromkeys(samples.rows) if len(row) > 2]
    if larger:
        arrays.append(RowArray.of(larger, table.elements))
        shares.append(np.zeros(len(larger)))
    for size, ratios in ratios_of(larger).items():
        orders = orderings(ratios)
        order = np.argsort(rng.random((DRAWN, len(table.elements))), axis=1)[:, :size]
        arrays.append(RowArray(table.elements, np.sort(order, axis=1), orders[rng.integers(len(orders), size=DRAWN)]))
        shares.append(np.full(DRAWN, np.log(comb(len(table.elements), size) * len(orders) / DRAWN)))
    return _joined(arrays), np.concatenate(shares)


def _joined(arrays: Sequence[RowArray]) -> RowArray:
    width = max(array.places.shape[1] for array in arrays)
    places = [np.pad(a.places, ((0, 0), (0, width - a.places.shape[1])), constant_values=NOBODY) for a in arrays]
    amounts = [np.pad(a.amounts, ((0, 0), (0, width - a.amounts.shape[1]))) for a in arrays]
    return RowArray(arrays[0].elements, np.concatenate(places), np.concatenate(amounts))
