"""Compositions of one or two elements as vectors, in a table that can be read backwards.

A row A_m B_n, Z_A < Z_B, m and n coprime and at most 3, has the vector m·EV_A ⊕ n·EV_B of two
element vectors; an element alone has n = 0, so its second block is zero (Bang et al., J. Mater.
Chem. A 12, 6004, 2024, ordered by atomic number). As the blocks are independent, two rows are apart
at least as far as the nearest two blocks, which makes the check for ambiguity exact and cheap.
"""

from __future__ import annotations

from functools import cached_property, lru_cache
from math import gcd
from typing import TYPE_CHECKING, Final

import numpy as np
from pymatgen.core import Composition, Element

from fermiloop.platform.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

MAX_COEFFICIENT: Final = 3
SMALLEST_DISTANCE: Final = 1e-3

Row = tuple[tuple[int, int], ...]
"""Pairs of atomic number and amount, ascending in atomic number, amounts coprime."""


def row_of(composition: Composition | str) -> Row:
    """Row of a composition or formula, whatever its number of elements.

    Raises
    ------
    InputError
        If an amount is no whole number or a symbol is no element.
    """
    try:
        amounts = Composition(composition).get_el_amt_dict()
    except ValueError as error:
        raise InputError(f"{composition} is no chemical formula: {error}") from None
    if not amounts or any(abs(amount - round(amount)) > 1e-6 for amount in amounts.values()):
        raise InputError(f"{composition} has amounts that are no whole numbers; give one such as Pt3Ni.")
    if not all(Element.is_valid_symbol(symbol) for symbol in amounts):
        raise InputError(f"{composition} holds a symbol that is no element; write it like Pt3Ni.")
    counts = {Element(symbol).Z: round(amount) for symbol, amount in amounts.items()}
    divisor = gcd(*counts.values())
    return tuple(sorted((number, count // divisor) for number, count in counts.items()))


@lru_cache(maxsize=100_000)
def formula_of(row: Row) -> str:
    """Reduced formula of a row as pymatgen writes it."""
    return Composition({Element.from_Z(number).symbol: count for number, count in row}).reduced_formula


def ratio_of(row: Row) -> tuple[int, ...]:
    """Amounts in the order of the atomic numbers: ``(1,)`` for an element, ``(3, 1)`` for A3B."""
    return tuple(count for _, count in row)


class CompositionTable:
    """All rows of one or two of some elements.

    Parameters
    ----------
    elements
        Atomic numbers, in any order.
    max_coefficient
        Largest m and n.
    """

    def __init__(self, elements: Sequence[int], max_coefficient: int = MAX_COEFFICIENT) -> None:
        self.elements = tuple(sorted(set(elements)))
        self.max_coefficient = max_coefficient
        if not self.elements:
            raise InputError("A composition table needs at least one element.")

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """Elements alone, then all pairs."""
        span = range(1, self.max_coefficient + 1)
        ratios = [(m, n) for m in span for n in span if gcd(m, n) == 1]
        alone: list[Row] = [((number, 1),) for number in self.elements]
        pairs: list[Row] = [
            ((a, m), (b, n)) for i, a in enumerate(self.elements) for b in self.elements[i + 1 :] for m, n in ratios
        ]
        return tuple(alone + pairs)

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def index(self) -> dict[Row, int]:
        """Row to its place in the table."""
        return {row: i for i, row in enumerate(self.rows)}

    @cached_property
    def place(self) -> dict[int, int]:
        """Atomic number to its place in `elements`."""
        return {number: i for i, number in enumerate(self.elements)}

    @cached_property
    def blocks(self) -> NDArray[np.int64]:
        """(n_rows, 4) place of A, m, place of B, n; B is 0 where n = 0."""
        place = self.place
        return np.array(
            [
                (place[row[0][0]], row[0][1], place[row[1][0]], row[1][1])
                if len(row) == 2
                else (place[row[0][0]], row[0][1], 0, 0)
                for row in self.rows
            ]
        )

    def fractions(self, rows: Sequence[Row] | None = None) -> NDArray[np.float64]:
        """(n_rows, n_elements) atomic fractions.

        Raises
        ------
        InputError
            If a row holds an element that the table does not.
        """
        rows = self.rows if rows is None else rows
        matrix = np.zeros((len(rows), len(self.elements)))
        for i, row in enumerate(rows):
            for number, count in row:
                if number not in self.place:
                    raise InputError(f"{Element.from_Z(number).symbol} is not among the elements of the table.")
                matrix[i, self.place[number]] = count
        return matrix / matrix.sum(axis=1, keepdims=True)


class CompositionVectors:
    """Vectors of the rows of a table, and rows of vectors.

    Parameters
    ----------
    table
        Rows to speak of.
    element_vectors
        (n_elements, dim), in the order of ``table.elements``.
    n_blocks
        Elements of the largest composition that is encoded; rows of the table have zeros in the blocks after theirs.

    Raises
    ------
    InputError
        If two rows would be closer than `SMALLEST_DISTANCE`, so that a vector could mean both.
    """

    def __init__(self, table: CompositionTable, element_vectors: NDArray[np.float64], n_blocks: int = 2) -> None:
        self.table = table
        self.n_blocks = n_blocks
        self.element_vectors = np.asarray(element_vectors, dtype=float)
        if self.element_vectors.shape[:1] != (len(table.elements),):
            raise InputError(f"{len(table.elements)} elements need as many vectors, not {self.element_vectors.shape}.")
        multiples = np.arange(1, table.max_coefficient + 1)[:, None, None] * self.element_vectors[None]
        distance = smallest_distance(multiples.reshape(-1, self.dim), with_zero=True)
        if distance < SMALLEST_DISTANCE:
            raise InputError(
                f"Two composition vectors lie {distance:.1e} apart, closer than {SMALLEST_DISTANCE:g}; "
                "train the element vectors longer or leave out elements with too few materials."
            )

    @property
    def dim(self) -> int:
        """Numbers of one element vector."""
        return int(self.element_vectors.shape[1])

    @property
    def width(self) -> int:
        """Numbers of one composition vector."""
        return self.n_blocks * self.dim

    def encode(self, rows: Sequence[Row] | None = None) -> NDArray[np.float64]:
        """(n_rows, n_blocks·dim) vectors of `rows`, of the whole table by default."""
        rows = self.table.rows if rows is None else rows
        vectors = np.zeros((len(rows), self.n_blocks, self.dim))
        for i, row in enumerate(rows):
            for block, (number, count) in enumerate(row):
                vectors[i, block] = count * self.element_vectors[self.table.place[number]]
        return vectors.reshape(len(rows), self.n_blocks * self.dim)

    def distances(self, vectors: ArrayLike) -> NDArray[np.float64]:
        """(k, n_rows) Euclidean distances of (k, n_blocks·dim) vectors to every row."""
        a, m, b, n = self.table.blocks.T
        return self.distances_to(vectors, np.stack([a, b], axis=1), np.stack([m, n], axis=1))

    def distances_to(
        self, vectors: ArrayLike, places: NDArray[np.int64], amounts: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """(k, m) Euclidean distances to m compositions.

        Parameters
        ----------
        vectors
            (k, n_blocks·dim).
        places, amounts
            (m, w) places of elements in the table and their amounts, 0 for none. What has more elements than there
            are blocks is infinitely far.
        """
        blocks = np.asarray(vectors, dtype=float).reshape(-1, self.n_blocks, self.dim)
        squares = np.zeros((len(blocks), len(places)))
        known, which = np.unique(amounts, return_inverse=True)
        multiples = known[:, None, None] * self.element_vectors[None]
        which = which.reshape(amounts.shape)
        for i in range(self.n_blocks):
            if i < places.shape[1]:
                apart = ((blocks[:, i, None, None] - multiples[None]) ** 2).sum(axis=-1)
                squares += apart[:, which[:, i], places[:, i]]
            else:
                squares += (blocks[:, i] ** 2).sum(axis=1, keepdims=True)
        squares[:, (amounts[:, self.n_blocks :] > 0).any(axis=1)] = np.inf
        return np.sqrt(squares)

    def decode(self, vectors: ArrayLike) -> list[Row]:
        """Nearest row of each of (k, n_blocks·dim) vectors."""
        return [self.table.rows[i] for i in self.distances(vectors).argmin(axis=1)]


def smallest_distance(vectors: NDArray[np.float64], *, with_zero: bool = False) -> float:
    """Smallest distance between two of (n, dim) vectors, or to zero; infinite for fewer than two."""
    if with_zero:
        vectors = np.concatenate([np.zeros((1, vectors.shape[1])), vectors])
    if len(vectors) < 2:
        return float("inf")
    distances = np.linalg.norm(vectors[:, None] - vectors[None], axis=-1)
    return float(distances[~np.eye(len(vectors), dtype=bool)].min())
