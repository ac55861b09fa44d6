"""Genetic search at variable composition: all crystals of a chemical system breed, and the hull says who is fit.

Fitness is the energy above the hull of all that was found so far, and so changes with every crystal (USPEX at variable
composition: Lyakhov, Oganov, Stokes and Zhu, Comput. Phys. Commun. 184, 1172, 2013). Heredity cuts and splices without
keeping the numbers of atoms, transmutation gives a site another element, and sites are added and taken away.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from fermiloop.platform.search.composition_hull import above_hull
from fermiloop.platform.search.oracle import Point

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from fermiloop.platform.search.optimisers.crystal_space import CrystalSpace

    Array = NDArray[np.float64]
    Symbols = tuple[str, ...]

TRIES: Final = 20
"""Children made before a random crystal is taken in their place."""


@dataclass(frozen=True)
class VariableOptions:
    """Shares of the operators and size of the population.

    Parameters
    ----------
    population
        Members that breed.
    first
        Random crystals before the first child, beside one of each element.
    tournament
        Members of which the fittest is a parent.
    heredity, transmutation, exchange, strain
        Shares of children by operator; the rest are random crystals. An exchange adds a site or takes one away.
    same
        Members of one composition at most.
    """

    population: int = 10
    first: int = 6
    tournament: int = 3
    heredity: float = 0.35
    transmutation: float = 0.2
    exchange: float = 0.1
    strain: float = 0.15
    same: int = 2


@dataclass(frozen=True, eq=False)
class Member:
    """A relaxed crystal.

    Parameters
    ----------
    symbols
        Element of each site.
    point
        Where the atoms are.
    excess
        Energy above what the elements bring, eV per atom.
    extra
        What a target adds to its fitness, eV per atom.
    """

    symbols: Symbols
    point: Point
    excess: float
    extra: float = 0.0


class VariableGenetic:
    """Steady-state genetic algorithm over all compositions of some elements.

    Parameters
    ----------
    elements
        Symbols.
    most_sites
        Of a cell.
    space_of
        The crystals of given sites.
    allowed
        Whether sites may be a crystal's; elements alone are always looked at, for the hull ends in them.
    rng
        Of everything random.
    options
        Shares of the operators.
    known
        Crystals that are known before; elements among them need no search.
    """

    name = "variable_composition"

    def __init__(
        self,
        elements: Sequence[str],
        most_sites: int,
        space_of: Callable[[Symbols], CrystalSpace],
        allowed: Callable[[Symbols], bool],
        rng: np.random.Generator,
        options: VariableOptions | None = None,
        known: Sequence[Member] = (),
    ) -> None:
        self._elements, self._most = tuple(elements), most_sites
        self._space_of, self._allowed, self._rng = space_of, allowed, rng
        self._options = options or VariableOptions()
        self.seen: list[Member] = []
        self._parents: list[Member] = []
        self._born = 0
        for member in known:
            self.tell(member)
        there = {member.symbols[0] for member in known if len(set(member.symbols)) == 1}
        self._alone = [element for element in self._elements if element not in there]

    def ask(self) -> tuple[Symbols, Point]:
        """Sites and where to relax them from: each element, some random crystals, then one child at a time."""
        self._born += 1
        if self._born <= len(self._alone):
            symbols = (self._alone[self._born - 1],) * int(self._rng.integers(1, min(2, self._most) + 1))
            return symbols, self._space_of(symbols).symmetric(self._rng)
        if self._born <= len(self._alone) + self._options.first or not self._parents:
            return self._random()
        return self._child() or self._random()

    def tell(self, member: Member) -> None:
        """What the sites last asked for led to; all are measured against the new hull."""
        self.seen.append(member)
        kept: Counter[tuple[float, ...]] = Counter()
        self._parents = []
        for i in np.argsort(self.fitness(), kind="stable"):
            key = tuple(np.round(self._fractions(self.seen[i].symbols), 6).tolist())
            kept[key] += 1
            if kept[key] <= self._options.same:
                self._parents.append(self.seen[i])
            if len(self._parents) == self._options.population:
                break

    def fitness(self) -> Array:
        """(n,) energy above the hull of all seen, with what the target adds, eV per atom; the lower the better."""
        return self.above_hull() + np.array([member.extra for member in self.seen])

    def above_hull(self) -> Array:
        """(n,) energy of all seen above their hull, eV per atom; an element not seen stands at zero."""
        ends = np.eye(len(self._elements))
        fractions = np.array([self._fractions(member.symbols) for member in self.seen])
        missing = ends[~np.array([(fractions == end).all(axis=1).any() for end in ends])]
        rows = np.concatenate([fractions, missing])
        energies = np.concatenate([[member.excess for member in self.seen], np.zeros(len(missing))])
        return above_hull(rows, energies)[: len(self.seen)]

    def _fractions(self, symbols: Symbols) -> Array:
        return np.array([symbols.count(element) / len(symbols) for element in self._elements])

    def _random(self) -> tuple[Symbols, Point]:
        for _ in range(10 * TRIES):
            n = int(self._rng.integers(1, self._most + 1))
            cuts = np.sort(self._rng.integers(0, n + 1, size=len(self._elements) - 1))
            counts = np.diff(np.concatenate([[0], cuts, [n]]))
            symbols = tuple(s for s, k in zip(self._elements, counts.tolist(), strict=True) for _ in range(k))
            if self._allowed(symbols):
                break
        return symbols, self._space_of(symbols).random(self._rng)

    def _child(self) -> tuple[Symbols, Point] | None:
        """A child of one or two parents; None for a random crystal, or where none was allowed."""
        options, chance = self._options, self._rng.random()
        edges = np.cumsum([options.heredity, options.transmutation, options.exchange, options.strain])
        makers = (self._spliced, self._transmuted, self._resized, self._strained)
        maker = int(np.searchsorted(edges, chance, side="right"))
        if maker == len(makers):
            return None
        for _ in range(TRIES):
            symbols, sites, cell = makers[maker]()
            order = np.argsort([self._elements.index(symbol) for symbol in symbols], kind="stable")
            names = tuple(symbols[i] for i in order)
            if 0 < len(names) <= self._most and self._allowed(names):
                return names, self._space_of(names).repaired(sites[order], cell, self._rng)
        return None

    def _spliced(self) -> tuple[Symbols, Array, Array]:
        """A slab of one parent below a cut and a slab of another above it, whatever they hold."""
        one, other = self._parent(), self._parent()
        axis, cut = int(self._rng.integers(3)), self._rng.uniform(0.25, 0.75)
        first, second = (np.mod(parent.point.sites + self._rng.random(3), 1.0) for parent in (one, other))
        below, above = first[:, axis] < cut, second[:, axis] >= cut
        symbols = tuple(s for s, there in zip(one.symbols, below, strict=True) if there)
        symbols += tuple(s for s, there in zip(other.symbols, above, strict=True) if there)
        cell = one.point.cell if below.sum() >= above.sum() else other.point.cell
        assert cell is not None
        return symbols, np.concatenate([first[below], second[above]]), cell

    def _transmuted(self) -> tuple[Symbols, Array, Array]:
        """A third of the sites at most with another element."""
        parent = self._parent()
        symbols = list(parent.symbols)
        for place in self._rng.permutation(len(symbols))[: int(self._rng.integers(1, max(1, len(symbols) // 3) + 1))]:
            others = [element for element in self._elements if element != symbols[place]]
            symbols[place] = others[int(self._rng.integers(len(others)))] if others else symbols[place]
        return tuple(symbols), *_places(parent)

    def _resized(self) -> tuple[Symbols, Array, Array]:
        """A site more or a site less."""
        parent = self._parent()
        sites, cell = _places(parent)
        if len(sites) > 1 and (len(sites) >= self._most or self._rng.random() < 0.5):
            gone = int(self._rng.integers(len(sites)))
            return parent.symbols[:gone] + parent.symbols[gone + 1 :], np.delete(sites, gone, axis=0), cell
        new = self._elements[int(self._rng.integers(len(self._elements)))]
        return (*parent.symbols, new), np.concatenate([sites, self._rng.random((1, 3))]), cell

    def _strained(self) -> tuple[Symbols, Array, Array]:
        """The parent's sites in a strained cell."""
        parent = self._parent()
        strained = self._space_of(parent.symbols).strain(parent.point, self._rng)
        assert strained.cell is not None
        return parent.symbols, strained.sites, strained.cell

    def _parent(self) -> Member:
        drawn = self._rng.integers(len(self._parents), size=self._options.tournament)
        return self._parents[int(drawn.min())]  # in the order of their fitness


def _places(member: Member) -> tuple[Array, Array]:
    assert member.point.cell is not None
    return member.point.sites, member.point.cell
