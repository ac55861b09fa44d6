"""From a composition to a crystal: prototypes that the training set holds, at a volume by rule.

Unaries and binaries sit on tabulated structure types that the training set holds; where it holds none that fits, on
any that is tabulated, if that is asked for. Of ternaries and quaternaries it may hold none: they sit on every tabulated
type of their ratio and on those of its own crystals (`structure_types`), each as likely as it is frequent and its known
compounds are alike.

The volume is that of the elements in the training set, added up by amount (least squares, drawn
towards a guess from atomic radii), of three elements and more that of the lengths of bonds; a cheap potential may then
find the minimum of its own energy.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from functools import cache, cached_property, partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from pymatgen.core import Element

from fermiloop.platform.generators.slots import arrangement, learned_types, reduced, type_named
from fermiloop.platform.plugins.potentials import potential as declared
from fermiloop.platform.plugins.potentials import usable
from fermiloop.platform.predictors.potential.volumes import equilibrium_volume, guess_volume, volume_by_bonds
from fermiloop.platform.representations.prototypes import Prototype
from fermiloop.platform.representations.structure_types import structure_types

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pymatgen.core import Structure

    from fermiloop.platform.generators.protocol import Space, TrainingSet
    from fermiloop.platform.generators.row_array import Ratios
    from fermiloop.platform.representations.composition import Row

SHRINK: Final = 0.1  # of an elemental volume towards its guess, in materials
RULE_ONLY: Final = "none"
UNSEEN: Final = 1.0
"""Crystals that a structure type of three elements or more counts as, besides those of the training set."""


@dataclass(frozen=True)
class Decoration:
    """A structure type with an element in each slot.

    Parameters
    ----------
    prototype
        Name of a tabulated structure type, or of one of the training set.
    elements
        Symbols by slot.
    share
        How often the type is the one of such a composition.
    """

    prototype: str
    elements: tuple[str, ...]
    share: float


class Decorator:
    """Structure types by frequency and volumes by element.

    Parameters
    ----------
    counts
        How many training materials are of each structure type.
    volumes
        Å³ per atom of each element symbol.
    potential
        Name of the one that finds the volume, or ``"none"`` to stay with the rule.
    own
        Structure types of the training set that are not tabulated: the fields of `Prototype`.
    """

    def __init__(
        self,
        counts: Mapping[str, int],
        volumes: Mapping[str, float],
        potential: str,
        own: Iterable[Mapping[str, Any]] = (),
    ) -> None:
        usable(potential, (RULE_ONLY,))
        self.counts = dict(counts)
        self.volumes = dict(volumes)
        self.potential = potential
        self.own = {str(fields["name"]): Prototype(**fields) for fields in own}

    @classmethod
    def learn(cls, data: TrainingSet, potential: str) -> Decorator:
        """Count the structure types and fit the elemental volumes of a training set."""
        own = learned_types(data)
        names = (type_named(name, structure) for name, structure in zip(data.prototypes, data.structures, strict=True))
        counts = Counter(name for name in names if name in structure_types() or name in own)
        volumes = elemental_volumes(data.structures)
        return cls(dict(sorted(counts.items())), volumes, potential, [asdict(one) for one in own.values()])

    def decorations(self, row: Row, space: Space, unseen: bool = False) -> list[Decoration]:
        """Structure types of a composition that fit into the space, with shares that sum to one.

        Parameters
        ----------
        row
            The composition.
        space
            Where the crystals may lie.
        unseen
            Whether a unary or binary for which the training set holds no type takes those that are tabulated.
        """
        amounts = tuple(sorted(count for _, count in row))
        symbols = tuple((_symbol(number), count) for number, count in row)
        there = [
            (kind, weight)
            for kind, weight in self._types.get(amounts, ())
            if kind.crystal_system in space.crystal_systems and len(kind.slots) <= space.max_sites
        ]
        seen = [(kind, weight) for kind, weight in there if weight > 0]
        chosen = seen or [(kind, UNSEEN) for kind, _ in there if unseen]
        fitting = [(weight, kind, *arrangement(symbols, kind)) for kind, weight in chosen]
        total = sum(weight * likeness for weight, _, _, likeness in fitting)
        return [Decoration(kind.name, elements, w * likeness / total) for w, kind, elements, likeness in fitting]

    @property
    def ratios(self) -> Ratios:
        """Ratios that can be decorated, by number of elements."""
        return {size: tuple(sorted(r for r in self._types if len(r) == size)) for size in {len(r) for r in self._types}}

    def build(self, decoration: Decoration) -> Structure:
        """The crystal, at the volume of the rule or of the potential."""
        kind = self.own.get(decoration.prototype) or structure_types()[decoration.prototype]
        if len(kind.amounts) > 2:
            volume = volume_by_bonds(kind.decorate(decoration.elements, 1.0))
        else:
            volume = self.volume_per_atom(dict(zip(decoration.elements, map(float, kind.amounts), strict=True)))
        return self.at_volume(partial(kind.decorate, decoration.elements), volume)

    def at_volume(self, build: Callable[[float], Structure], volume: float) -> Structure:
        """A crystal at a volume per atom (Å³), or at that of the potential near it."""
        if self.potential != RULE_ONLY:
            volume, _ = equilibrium_volume(declared(self.potential).build(), build, volume)
        return build(volume)

    def volume_per_atom(self, amounts: Mapping[str, float]) -> float:
        """Å³ per atom of a mixture of elements."""
        parts = [n * self.volumes.get(symbol, guess_volume({symbol: 1.0})) for symbol, n in amounts.items()]
        return sum(parts) / sum(amounts.values())

    def config(self) -> dict[str, Any]:
        """JSON-ready state."""
        own = [asdict(kind) for kind in self.own.values()]
        return {"counts": self.counts, "volumes": self.volumes, "potential": self.potential, "own": own}

    @cached_property
    def _types(self) -> dict[tuple[int, ...], list[tuple[Prototype, float]]]:
        """Structure types with their weights by ratio; of three elements and more those never seen count as one."""
        found: dict[tuple[int, ...], list[tuple[Prototype, float]]] = {}
        for kind in (structure_types() | self.own).values():
            count = self.counts.get(kind.name, 0)
            weight = count + (UNSEEN if len(kind.amounts) > 2 else 0.0)
            found.setdefault(tuple(sorted(reduced(kind.amounts))), []).append((kind, weight))
        return found


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
