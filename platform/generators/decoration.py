"""From a composition to a crystal: prototypes that the training set holds, at a volume by rule.

The volume is that of the elements in the training set, added up by amount (least squares, drawn
towards a guess from atomic radii); a cheap potential may then find the minimum of its own energy.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cache, partial
from math import gcd
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from pymatgen.core import Element

from fermiloop.platform.plugins.potentials import potential as declared
from fermiloop.platform.plugins.potentials import usable
from fermiloop.platform.predictors.potential.volumes import equilibrium_volume, guess_volume
from fermiloop.platform.representations.prototypes import PROTOTYPES, Prototype

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pymatgen.core import Structure

    from fermiloop.platform.generators.protocol import Space, TrainingSet
    from fermiloop.platform.representations.composition import Row

SHRINK: Final = 0.1  # of an elemental volume towards its guess, in materials
RULE_ONLY: Final = "none"


@dataclass(frozen=True)
class Decoration:
    """A prototype with an element in each slot.

    Parameters
    ----------
    prototype
        Key of `PROTOTYPES`.
    element_a, element_b
        Symbols; `element_b` is None for an element alone.
    share
        How often the prototype is the one of such a composition.
    """

    prototype: str
    element_a: str
    element_b: str | None
    share: float


class Decorator:
    """Prototypes by frequency and volumes by element.

    Parameters
    ----------
    counts
        How many training materials are of each prototype.
    volumes
        Å³ per atom of each element symbol.
    potential
        Name of the one that finds the volume, or ``"none"`` to stay with the rule.
    """

    def __init__(self, counts: Mapping[str, int], volumes: Mapping[str, float], potential: str) -> None:
        usable(potential, (RULE_ONLY,))
        self.counts = dict(counts)
        self.volumes = dict(volumes)
        self.potential = potential

    @classmethod
    def learn(cls, data: TrainingSet, potential: str) -> Decorator:
        """Count the prototypes and fit the elemental volumes of a training set."""
        counts = Counter(name for name in data.prototypes if name in PROTOTYPES)
        return cls(dict(sorted(counts.items())), elemental_volumes(data.structures), potential)

    def decorations(self, row: Row, space: Space) -> list[Decoration]:
        """All prototypes of a composition that the training set and the space hold, shares summing to one."""
        fitting = [
            (self.counts[prototype.name], prototype, pair)
            for prototype in PROTOTYPES.values()
            if prototype.name in self.counts
            and prototype.crystal_system in space.crystal_systems
            and len(prototype.slots) <= space.max_sites
            and (pair := slots_of(row, prototype)) is not None
        ]
        total = sum(count for count, _, _ in fitting)
        return [Decoration(prototype.name, *pair, count / total) for count, prototype, pair in fitting]

    def build(self, decoration: Decoration) -> Structure:
        """The crystal, at the volume of the rule or of the potential."""
        prototype = PROTOTYPES[decoration.prototype]
        build = partial(prototype.build, decoration.element_a, decoration.element_b)
        amounts = {decoration.element_a: float(prototype.slots.count("A"))}
        if decoration.element_b is not None:
            amounts[decoration.element_b] = float(prototype.slots.count("B"))
        volume = self.volume_per_atom(amounts)
        if self.potential != RULE_ONLY:
            volume, _ = equilibrium_volume(declared(self.potential).build(), build, volume)
        return build(volume)

    def volume_per_atom(self, amounts: Mapping[str, float]) -> float:
        """Å³ per atom of a mixture of elements."""
        parts = [n * self.volumes.get(symbol, guess_volume({symbol: 1.0})) for symbol, n in amounts.items()]
        return sum(parts) / sum(amounts.values())

    def config(self) -> dict[str, Any]:
        """JSON-ready state."""
        return {"counts": self.counts, "volumes": self.volumes, "potential": self.potential}


def slots_of(row: Row, prototype: Prototype) -> tuple[str, str | None] | None:
    """Elements for the slots A and B, or None where the amounts do not fit.

    Of equal amounts the less electronegative element takes slot A, the cation of B8_1 and its like.
    """
    a, b = prototype.stoichiometry
    symbols = [_symbol(number) for number, _ in row]
    if len(row) == 1:
        return (symbols[0], None) if b == 0 else None
    if len(row) != 2 or b == 0:
        return None
    divisor = gcd(a, b)
    slots = (a // divisor, b // divisor)
    amounts = (row[0][1], row[1][1])
    if amounts == slots == (1, 1):
        first, second = sorted(symbols, key=lambda symbol: float(Element(symbol).X))
        return first, second
    if amounts == slots:
        return symbols[0], symbols[1]
    return (symbols[1], symbols[0]) if amounts == slots[::-1] else None


@cache
def _symbol(number: int) -> str:
    return str(Element.from_Z(number).symbol)  # a search through all elements: 75 % of the time of a draw


def elemental_volumes(structures: Sequence[Structure]) -> dict[str, float]:
    """Å³ per atom of each element, by least squares over the structures, drawn towards `guess_volume`."""
    symbols = sorted({element.symbol for structure in structures for element in structure.composition.elements})
    place = {symbol: i for i, symbol in enumerate(symbols)}
    fractions = np.zeros((len(structures), len(symbols)))
    for i, structure in enumerate(structures):
        for element, fraction in structure.composition.fractional_composition.items():
            fractions[i, place[element.symbol]] = fraction
    volumes = np.array([structure.volume / len(structure) for structure in structures])
    guesses = np.array([guess_volume({symbol: 1.0}) for symbol in symbols])
    ridge = fractions.T @ fractions + SHRINK * np.eye(len(symbols))
    correction = np.linalg.solve(ridge, fractions.T @ (volumes - fractions @ guesses))
    return {s: float(max(v, 0.3 * g)) for s, v, g in zip(symbols, guesses + correction, guesses, strict=True)}
