"""Genetic algorithm: the best minima breed (USPEX: Glass, Oganov and Hansen, Comput. Phys. Commun. 175, 713, 2006).

Cut-and-splice heredity, large strains, exchange of kinds, and some new blood; one child at a time, parents by
tournament. A child replaces the member of its own niche, those as near as a fingerprint tells, so that the
population stays diverse; the lowest members are never lost. ASE's own genetic algorithm left ASE in 3.27 for a
package that is no dependency here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fermiloop.platform.search.optimisers.protocol import Start

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fermiloop.platform.search.optimisers.protocol import Minimum, SearchSpace


@dataclass(frozen=True)
class GeneticOptions:
    """Shares of the operators and size of the population.

    Parameters
    ----------
    population
        Members at most.
    first
        Random starts before the first child.
    tournament
        Members of which the best is a parent.
    heredity, strain, permutation
        Shares of children by operator; the rest are random starts.
    niche
        Members whose fingerprints differ by less than this (root mean square) are one niche.
    """

    population: int = 6
    first: int = 3
    tournament: int = 3
    heredity: float = 0.4
    strain: float = 0.2
    permutation: float = 0.3
    niche: float = 0.01


class Genetic:
    """Steady-state genetic algorithm."""

    name = "genetic"

    def __init__(self, space: SearchSpace, rng: np.random.Generator, options: GeneticOptions | None = None) -> None:
        self._space, self._rng, self._options = space, rng, options or GeneticOptions()
        self._members: list[tuple[Minimum, NDArray[np.float64]]] = []
        self._born = 0

    def ask(self) -> list[Start]:
        """One child; a random start while the population is being filled."""
        self._born += 1
        if self._born <= self._options.first or not self._members:
            return [Start(self._space.random(self._rng))]
        options, chance = self._options, self._rng.random()
        if chance < options.heredity:
            return [Start(self._space.cross(self._parent().point, self._parent().point, self._rng))]
        if chance < options.heredity + options.strain:
            return [Start(self._space.strain(self._parent().point, self._rng))]
        if chance < options.heredity + options.strain + options.permutation:
            return [Start(self._space.permute(self._parent().point, self._rng))]
        return [Start(self._space.random(self._rng))]

    def tell(self, minima: Sequence[Minimum]) -> None:
        """Each child takes the place of its niche's member if it is better, else that of the worst."""
        for child in minima:
            print_ = self._space.fingerprint(child.point)
            twins = [
                i
                for i, (_, other) in enumerate(self._members)
                if np.sqrt(np.mean((print_ - other) ** 2)) < self._options.niche
            ]
            if twins:
                worst = max(twins, key=lambda i: self._members[i][0].value)
                if child.value < self._members[worst][0].value:
                    self._members[worst] = (child, print_)
            else:
                self._members.append((child, print_))
        self._members.sort(key=lambda member: member[0].value)
        del self._members[self._options.population :]

    def _parent(self) -> Minimum:
        drawn = self._rng.integers(len(self._members), size=self._options.tournament)
        return self._members[int(drawn.min())][0]  # members are in the order of their values
