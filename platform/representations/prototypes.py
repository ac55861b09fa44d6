"""Cubic and hexagonal prototype structures by their Strukturbericht designation.

A prototype is a primitive cell of unit lattice parameter, its sites in terms of the species slots
``A`` and ``B``, and the crystal system. `build` scales it to a volume per atom. Those of further crystal systems and
of more elements are in `structure_types`, in which these are too.

Source of the cells: the Strukturbericht itself (Ewald and Hermann, 1931), as tabulated by
Mehl et al., Comput. Mater. Sci. 136, S1 (2017).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from pymatgen.core import Lattice, Structure

if TYPE_CHECKING:
    from collections.abc import Sequence

FCC: Final = ((0.0, 0.5, 0.5), (0.5, 0.0, 0.5), (0.5, 0.5, 0.0))
BCC: Final = ((-0.5, 0.5, 0.5), (0.5, -0.5, 0.5), (0.5, 0.5, -0.5))
SC: Final = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
IDEAL_C_OVER_A: Final = float(np.sqrt(8.0 / 3.0))
THIRD: Final = 1.0 / 3.0
TWO_THIRDS: Final = 2.0 / 3.0


def _hexagonal(c_over_a: float) -> tuple[tuple[float, float, float], ...]:
    return ((1.0, 0.0, 0.0), (-0.5, float(np.sqrt(0.75)), 0.0), (0.0, 0.0, c_over_a))


@dataclass(frozen=True)
class Prototype:
    """One structure type: unit cell, slots and fractional coordinates.

    Parameters
    ----------
    name
        The Strukturbericht's, or that of a compound.
    crystal_system
        In lower case.
    cell, frac
        Rows a, b, c of the primitive cell, whose length has no meaning, and fractional coordinates.
    slots
        A letter for each site; sites of one letter bear one element.
    common
        A common name.
    space_group
        Its number; 0 where it is not told.
    examples
        Compounds of it, an element for each slot; the first gives the free parameters.
    """

    name: str
    crystal_system: str
    cell: tuple[tuple[float, float, float], ...]
    slots: str
    frac: tuple[tuple[float, float, float], ...]
    common: str = ""
    space_group: int = 0
    examples: tuple[tuple[str, ...], ...] = ()

    @property
    def example(self) -> tuple[str, ...]:
        """The first compound of `examples`, an element for each slot."""
        return self.examples[0] if self.examples else ()

    @property
    def stoichiometry(self) -> tuple[int, int]:
        """Number of A and of B atoms in the primitive cell."""
        return self.slots.count("A"), self.slots.count("B")

    @property
    def amounts(self) -> tuple[int, ...]:
        """Sites of each slot in the primitive cell, in the order of the slots' letters."""
        return tuple(self.slots.count(slot) for slot in sorted(set(self.slots)))

    def build(self, element_a: str, element_b: str | None, volume_per_atom: float) -> Structure:
        """Decorate the prototype.

        Parameters
        ----------
        element_a, element_b
            Element symbols for the two slots; `element_b` is None for an elemental prototype.
        volume_per_atom
            Å³ per atom.

        Raises
        ------
        ValueError
            If the volume is not positive or the second element is missing or superfluous.
        """
        elements = (element_a,) if element_b is None else (element_a, element_b)
        return self.decorate(elements, volume_per_atom)

    def decorate(self, elements: Sequence[str], volume_per_atom: float) -> Structure:
        """The crystal with an element in each slot, in the order of the slots' letters.

        Parameters
        ----------
        elements
            Symbols.
        volume_per_atom
            Å³ per atom.

        Raises
        ------
        ValueError
            If the volume is not positive or there are too few or too many elements.
        """
        if not volume_per_atom > 0:
            raise ValueError(f"volume per atom must be positive, not {volume_per_atom}")
        letters = sorted(set(self.slots))
        if len(elements) != len(letters):
            raise ValueError(f"prototype {self.name} takes {len(letters)} element(s), not {len(elements)}")
        cell = np.array(self.cell)
        scale = (volume_per_atom * len(self.slots) / abs(np.linalg.det(cell))) ** (1 / 3)
        return Structure(Lattice(cell * scale), [elements[letters.index(slot)] for slot in self.slots], self.frac)


PROTOTYPES: Final[dict[str, Prototype]] = {
    p.name: p
    for p in (
        Prototype("A1", "cubic", FCC, "A", ((0, 0, 0),)),
        Prototype("A2", "cubic", BCC, "A", ((0, 0, 0),)),
        Prototype("A4", "cubic", FCC, "AA", ((0, 0, 0), (0.25, 0.25, 0.25))),
        Prototype("B1", "cubic", FCC, "AB", ((0, 0, 0), (0.5, 0.5, 0.5))),
        Prototype("B2", "cubic", SC, "AB", ((0, 0, 0), (0.5, 0.5, 0.5))),
        Prototype("B3", "cubic", FCC, "AB", ((0, 0, 0), (0.25, 0.25, 0.25))),
        Prototype("C1", "cubic", FCC, "AAB", ((0.25, 0.25, 0.25), (0.75, 0.75, 0.75), (0, 0, 0))),
        Prototype("L1_2", "cubic", SC, "AAAB", ((0.5, 0.5, 0), (0.5, 0, 0.5), (0, 0.5, 0.5), (0, 0, 0))),
        Prototype("D0_3", "cubic", FCC, "AAAB", ((0.25, 0.25, 0.25), (0.75, 0.75, 0.75), (0.5, 0.5, 0.5), (0, 0, 0))),
        Prototype(
            "A3", "hexagonal", _hexagonal(IDEAL_C_OVER_A), "AA", ((THIRD, TWO_THIRDS, 0.25), (TWO_THIRDS, THIRD, 0.75))
        ),
        Prototype("B_h", "hexagonal", _hexagonal(0.98), "AB", ((0, 0, 0), (THIRD, TWO_THIRDS, 0.5))),
        Prototype(
            "B8_1",
            "hexagonal",
            _hexagonal(1.39),
            "AABB",
            ((0, 0, 0), (0, 0, 0.5), (THIRD, TWO_THIRDS, 0.25), (TWO_THIRDS, THIRD, 0.75)),
        ),
        Prototype(
            "B4",
            "hexagonal",
            _hexagonal(IDEAL_C_OVER_A),
            "AABB",
            (
                (THIRD, TWO_THIRDS, 0),
                (TWO_THIRDS, THIRD, 0.5),
                (THIRD, TWO_THIRDS, 0.375),
                (TWO_THIRDS, THIRD, 0.875),
            ),
        ),
        Prototype(
            "C32", "hexagonal", _hexagonal(1.08), "AAB", ((THIRD, TWO_THIRDS, 0.5), (TWO_THIRDS, THIRD, 0.5), (0, 0, 0))
        ),
        Prototype(
            "D0_19",
            "hexagonal",
            _hexagonal(0.8),
            "AAAAAABB",
            (
                (5 / 6, 2 / 3, 0.25),
                (1 / 3, 1 / 6, 0.25),
                (5 / 6, 1 / 6, 0.25),
                (1 / 6, 1 / 3, 0.75),
                (2 / 3, 5 / 6, 0.75),
                (1 / 6, 5 / 6, 0.75),
                (THIRD, TWO_THIRDS, 0.25),
                (TWO_THIRDS, THIRD, 0.75),
            ),
        ),
    )
}
