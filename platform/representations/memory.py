"""Rows of numbers that follow from crystals, kept while there is room: the same crystals come again and again."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from pymatgen.core import Structure

    Array = NDArray[np.float64]
    Maker = Callable[[list[Structure]], Array]

PORTION: Final = 250
"""Crystals between two reports of progress."""


class Memory:
    """Remembers what a function of crystals gave.

    Parameters
    ----------
    make
        Crystals to (n, k) rows, each of which depends on its own crystal alone.
    most
        Crystals that are remembered, those asked for last.
    """

    def __init__(self, make: Maker, most: int) -> None:
        self.make, self.most = make, most
        self._known: OrderedDict[bytes, Array] = OrderedDict()

    def rows(self, structures: Sequence[Structure], progress: Callable[[float], None] = lambda _share: None) -> Array:
        """(n, k) rows of crystals, in their order."""
        keys = [content(structure) for structure in structures]
        found = {key: self._known[key] for key in keys if key in self._known}
        new = list({key: i for i, key in enumerate(keys) if key not in found}.items())
        for start in range(0, len(new), PORTION):
            progress(start / len(new))
            some = new[start : start + PORTION]
            made = self.make([structures[i] for _, i in some])
            found |= {key: row for (key, _), row in zip(some, made, strict=True)}
        self._remember(found)
        return np.array([found[key] for key in keys])

    def _remember(self, found: dict[bytes, Array]) -> None:
        for key, row in found.items():
            self._known[key] = row
            self._known.move_to_end(key)
        while len(self._known) > self.most:
            self._known.popitem(last=False)


def content(structure: Structure) -> bytes:
    """What a crystal is made of: equal for equal cells, sites and species, to the last digit."""
    numbers = np.array(structure.atomic_numbers, dtype=np.int16)
    return bytes(structure.lattice.matrix.tobytes() + structure.frac_coords.tobytes() + numbers.tobytes())
