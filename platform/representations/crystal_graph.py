"""Crystal graphs of CCDCGAN: the codes of a crystal's cell and of its elements' sites in one array.

`PaperGraph` is the published one (Long et al., CCDCGAN for multicomponent systems): 160 × 160 numbers, of which row 0
holds the code of the cell and the rest one code for each of 118 elements, those of absent elements exactly zero; 2.4 %
of a ternary are filled. `CompactGraph` holds the elements that are there, each with its identity, its number of atoms
and its code, so that nothing has to learn 97 % of zeros.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from pymatgen.core import Element

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.element_features import element_features

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

SIDE: Final = 160
N_ELEMENTS: Final = 118
SITE_CODE: Final = 200
CELL_CODE: Final = 25


@dataclass(frozen=True)
class Codes:
    """What a graph holds.

    Parameters
    ----------
    cell
        (c,) code of the cell.
    elements
        Atomic numbers of the elements that are there, each once.
    amounts
        (k,) atoms of each in the cell; NaN where a graph does not say.
    sites
        (k, s) code of the sites of each.
    """

    cell: Array
    elements: tuple[int, ...]
    amounts: Array
    sites: Array

    def __post_init__(self) -> None:
        k = len(self.elements)
        if len(set(self.elements)) != k or self.sites.shape[:1] != (k,) or self.amounts.shape != (k,):
            raise InputError(f"{k} different elements need as many amounts and codes of sites.")


class PaperGraph:
    """Codes as an image of 160 × 160.

    The number k of the code of the element of atomic number j + 1 lies at the flat place 160 + 200 j + k.
    """

    shape: Final = (SIDE, SIDE)

    def pack(self, codes: Codes) -> Array:
        """(160, 160) graph.

        Raises
        ------
        InputError
            If the codes are not of 25 and 200 numbers, or an element lies beyond Og.
        """
        if codes.cell.shape != (CELL_CODE,) or (len(codes.sites) and codes.sites.shape[1] != SITE_CODE):
            raise InputError(
                f"The graph of 160 × 160 holds codes of {CELL_CODE} and {SITE_CODE} numbers, "
                f"not {codes.cell.shape} and {codes.sites.shape[1:]}."
            )
        flat = np.zeros(SIDE * SIDE)
        flat[:CELL_CODE] = codes.cell
        for number, code in zip(codes.elements, codes.sites, strict=True):
            if not 1 <= number <= N_ELEMENTS:
                raise InputError(f"The graph knows elements 1 to {N_ELEMENTS}, not {number}.")
            first = SIDE + SITE_CODE * (number - 1)
            flat[first : first + SITE_CODE] = code
        return flat.reshape(self.shape)

    def unpack(self, graph: Array, least_norm: float = 0.0, most: int = N_ELEMENTS) -> Codes:
        """Codes of a graph: of the elements whose rows have a norm above `least_norm`, at most the `most` strongest."""
        flat = np.asarray(graph, dtype=float).ravel()
        rows = flat[SIDE : SIDE + SITE_CODE * N_ELEMENTS].reshape(N_ELEMENTS, SITE_CODE)
        norms = np.linalg.norm(rows, axis=1)
        strongest = np.argsort(-norms, kind="stable")[:most]
        there = np.sort(strongest[norms[strongest] > least_norm])
        return Codes(flat[:CELL_CODE], tuple(int(j) + 1 for j in there), np.full(len(there), np.nan), rows[there])


class CompactGraph:
    """Codes of the elements that are there, in slots by rising electronegativity.

    A row is [cell code | slot | slot | …], and a slot [one-hot over "none" and the known elements | logarithm of
    1 + amount | code]; all but the "none" of an empty slot is zero.

    Parameters
    ----------
    elements
        Atomic numbers that may occur.
    slots
        Most elements of a crystal.
    cell, site
        Numbers of the codes.

    Raises
    ------
    InputError
        If there is no element or no slot.
    """

    def __init__(self, elements: Sequence[int], slots: int, cell: int, site: int) -> None:
        self.elements = tuple(sorted(set(elements)))
        if not self.elements or slots < 1:
            raise InputError("A compact graph needs at least one element and one slot.")
        self.slots, self.cell, self.site = slots, cell, site

    @property
    def kinds(self) -> int:
        """Entries of a one-hot: "none" and the elements."""
        return 1 + len(self.elements)

    @property
    def slot_width(self) -> int:
        """Numbers of a slot."""
        return self.kinds + 1 + self.site

    @property
    def width(self) -> int:
        """Numbers of a graph."""
        return self.cell + self.slots * self.slot_width

    def pack(self, codes: Codes) -> Array:
        """(width,) graph.

        Raises
        ------
        InputError
            If an element is unknown, there are more than slots, or codes are of another length.
        """
        if len(codes.elements) > self.slots:
            raise InputError(f"A graph of {self.slots} slots holds no crystal of {len(codes.elements)} elements.")
        unknown = [number for number in codes.elements if number not in self.elements]
        if unknown:
            raise InputError(f"{Element.from_Z(unknown[0]).symbol} does not occur in what the graph was made for.")
        if codes.cell.shape != (self.cell,) or (len(codes.elements) and codes.sites.shape[1] != self.site):
            raise InputError(f"The codes must be of {self.cell} and {self.site} numbers.")
        slots = np.zeros((self.slots, self.slot_width))
        slots[len(codes.elements) :, 0] = 1
        for slot, i in zip(slots, by_electronegativity(codes.elements), strict=False):
            slot[1 + self.elements.index(codes.elements[i])] = 1
            slot[self.kinds] = np.log1p(codes.amounts[i])
            slot[self.kinds + 1 :] = codes.sites[i]
        return np.concatenate([codes.cell, slots.ravel()])

    def unpack(self, graph: Array) -> Codes:
        """Codes of a graph: of each slot the likeliest kind; a second slot of an element counts for nothing."""
        row = np.asarray(graph, dtype=float)
        slots = row[self.cell :].reshape(self.slots, self.slot_width)
        kinds = slots[:, : self.kinds].argmax(axis=1)
        first = {int(kind): i for i, kind in reversed(list(enumerate(kinds))) if kind > 0}
        there = sorted(first.values())
        return Codes(
            row[: self.cell],
            tuple(self.elements[kinds[i] - 1] for i in there),
            np.expm1(slots[there, self.kinds]),
            slots[there, self.kinds + 1 :],
        )


def by_electronegativity(elements: Sequence[int]) -> list[int]:
    """Places of the elements by rising electronegativity; beyond Bi, where none is known to the table, by number."""
    table = element_features()

    def key(i: int) -> tuple[float, int]:
        number = elements[i]
        return (float(table[number - 1, 0]) if number <= len(table) else 0.0, number)

    return sorted(range(len(elements)), key=key)
