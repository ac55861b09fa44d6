"""What the seed libraries hold: compositions, and the structure types that compete for each.

A family is one Method: `gpaw` (400 eV) for intermetallics and `gpaw-hard` (600 eV) for compounds of boron, carbon,
nitrogen, oxygen and fluorine. Cheap entries come first, by a shuffle weighted with their expected cost.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import permutations, product
from statistics import fmean
from typing import TYPE_CHECKING, Final

from pymatgen.core import Composition, Element

from fermiloop.flows.engines.gpaw.dft import INITIAL_MOMENTS
from fermiloop.flows.engines.gpaw.settings import HARD_ELEMENTS
from fermiloop.platform.representations.structure_types import structure_types

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS: Final = {
    "A1": 12, "A2": 12, "A3": 35, "A4": 32, "B1": 15, "B2": 14, "B3": 13, "B4": 89, "B8_1": 55, "B_h": 22, "C1": 26,
    "C1_b": 29, "C4": 169, "C32": 32, "CuFePt2": 71, "D0_3": 32, "E2_1": 51, "F5_1": 233, "L1_0": 23, "L1_2": 30,
    "L2_1": 43, "X_a": 31,
}  # fmt: skip
"""Mean processor seconds of the DFT of a structure type in the libraries as shipped with 1,091 curves."""
UNKNOWN_SECONDS: Final = 150.0
LEFT_OUT: Final = HARD_ELEMENTS | {"He", "Ne", "Ar", "Kr", "Xe", "Tc"}
ELEMENTS: Final = tuple(
    element.symbol
    for element in map(Element.from_Z, range(3, 84))
    if element.symbol not in LEFT_OUT and (not element.is_lanthanoid or element.symbol == "La")
)
ELEMENTAL: Final = ("A1", "A2", "A3", "A4")
ORDER_SEED: Final = 7
SLOW: Final = frozenset({
    "La", "Ba", "Cs", "Ca", "Hg", "Rb", "K", "Sr", "Sc", "Ti", "Nb", "Ir", "Cd", "In", "Bi",
})  # fmt: skip
"""Large cells of many plane waves, or bands so close that a second try with more of them is often needed."""
IONIC: Final = ("O", "F", "N")
COVALENT: Final = ("C", "B")
LATE: Final = ("Fe", "Co", "Ni", "Cu", "Zn", "Ru", "Rh", "Pd", "Ag", "Ir", "Pt", "Au")
EARLY: Final = ("Li", "Mg", "Sc", "Ti", "V", "Cr", "Mn", "Y", "Zr", "Nb", "Hf", "Ta", "La")
MAIN_GROUP: Final = ("Mg", "Zn", "Al", "Si", "P", "Ga", "Ge", "As", "In", "Sn", "Sb", "Pb", "Bi")
LARGE: Final = ("Li", "Na", "K", "Rb", "Cs", "Mg", "Ca", "Sr", "Ba", "Y", "La", "Ag", "Cu", "Tl", "Pb", "Bi")
"""Large cations of perovskites and delafossites."""


@dataclass(frozen=True)
class Entry:
    """One composition and the structure types that compete for it.

    Parameters
    ----------
    elements
        One for each slot of the structure types, A first.
    prototypes
        Names in `structure_types`; only the lowest by CHGNet is computed.
    """

    elements: tuple[str, ...]
    prototypes: tuple[str, ...]

    @property
    def key(self) -> str:
        """Unique name of the entry in its library."""
        named = self.elements if len(self.elements) > 1 else (*self.elements, "None")
        return f"{'-'.join(named)}-{'|'.join(self.prototypes)}"

    @property
    def composition(self) -> Composition:
        """Of the first of its structure types, one cell."""
        return Composition(amounts(self.prototypes[0], self.elements))


def amounts(structure_type: str, elements: tuple[str, ...]) -> dict[str, float]:
    """Atoms of each element in the primitive cell of a structure type."""
    return dict(zip(elements, map(float, structure_types()[structure_type].amounts), strict=True))


def intermetallics() -> list[Entry]:
    """Unaries, binaries and ternaries without hard elements."""
    return in_order([*_unaries(), *_binaries(), *_tetragonal(), *_heuslers()])


def hard_compounds() -> list[Entry]:
    """Metals, and their borides, carbides, nitrides, oxides and fluorides.

    Oxides, fluorides and nitrides are charge-balanced by the oxidation states of known crystals.
    """
    metals = [Entry((element,), ELEMENTAL) for element in ELEMENTS]
    ionic = [*_of_anions(IONIC), *_rutiles(), *_ternary_salts()]
    balanced = [entry for entry in ionic if entry.composition.oxi_state_guesses()]
    others = [*_of_anions(COVALENT), *_antiperovskites(), Entry(("C",), ("A4",)), Entry(("B", "N"), ("B3", "B4"))]
    return in_order([*metals, *balanced, *others])


def _unaries() -> Iterator[Entry]:
    for name in ELEMENTAL:
        for element in ELEMENTS:
            yield Entry((element,), (name,))


def _binaries() -> Iterator[Entry]:
    for i, a in enumerate(ELEMENTS):
        for b in ELEMENTS[i + 1 :]:
            yield Entry((a, b), ("B1", "B2", "B3"))
            yield Entry((a, b), ("B_h", "B8_1", "B4"))
            for pair in permutations((a, b)):
                yield Entry(pair, ("L1_2", "D0_3"))
                yield Entry(pair, ("C1",))
                yield Entry(pair, ("C32",))


def _of_anions(anions: tuple[str, ...]) -> Iterator[Entry]:
    for anion in anions:
        for metal in ELEMENTS:
            yield Entry((metal, anion), ("B1", "B3", "B4", "B8_1"))
            yield Entry((anion, metal), ("C1", "C32"))
            yield Entry((metal, anion), ("C1",))


def _tetragonal() -> Iterator[Entry]:
    for i, a in enumerate(ELEMENTS):
        for b in ELEMENTS[i + 1 :]:
            yield Entry((a, b), ("L1_0",))
            for pair in permutations((a, b)):
                yield Entry(pair, ("D0_22",))


def _heuslers() -> Iterator[Entry]:
    for x, y, z in product(LATE, EARLY, MAIN_GROUP):
        if len({x, y, z}) == 3:
            yield Entry((x, y, z), ("L2_1", "X_a", "CuFePt2"))
            yield Entry((y, x, z), ("C1_b",))


def _rutiles() -> Iterator[Entry]:
    for metal in ELEMENTS:
        for anion in ("O", "F"):
            yield Entry((metal, anion), ("C4", "C6"))
            yield Entry((metal, anion), ("D0_9",))


def _ternary_salts() -> Iterator[Entry]:
    for a, b in product(LARGE, ELEMENTS):
        if a != b:
            for anion in ("O", "F"):
                yield Entry((a, b, anion), ("E2_1",))
            yield Entry((a, b, "O"), ("F5_1", "CuFeO2"))


def _antiperovskites() -> Iterator[Entry]:
    for metal, anion, z in product(LATE + EARLY, ("C", "N"), MAIN_GROUP):
        if metal != z:
            yield Entry((z, anion, metal), ("E2_1",))


def in_order(entries: list[Entry]) -> list[Entry]:
    """In a fixed order: shuffled, the cheap ones likely to come early.

    By the fourth power of their cost, so that what is cheap comes first by more than what it saves: a library of a
    given cost then holds more curves.
    """
    rng = random.Random(ORDER_SEED)
    return sorted(entries, key=lambda entry: rng.expovariate(1.0) * expected_cost(entry) ** 4)


def expected_cost(entry: Entry) -> float:
    """Processor seconds that the DFT of an entry should take: by structure type, spin and elements."""
    seconds = fmean(SECONDS.get(name, UNKNOWN_SECONDS) for name in entry.prototypes)  # whichever turns out lowest
    symbols = set(entry.elements)
    seconds *= 3.0 if symbols & set(INITIAL_MOMENTS) else 1.0
    seconds *= 2.0 if symbols & SLOW else 1.0
    return seconds * (0.7 if len(symbols) == 1 else 1.0)  # every compound needs its elements
