"""Simulated annealing over local minima (Kirkpatrick, Gelatt and Vecchi, Science 220, 671, 1983).

As every method here relaxes locally, the walk is one over minima (Li and Scheraga, 1987). The first temperature
is the one at which half of the first moves would have been accepted; it falls geometrically, fast enough for the
few dozen relaxations that a budget has room for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fermiloop.platform.search.optimisers.protocol import Start

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fermiloop.platform.search.optimisers.protocol import Minimum, SearchSpace


@dataclass(frozen=True)
class AnnealingOptions:
    """The schedule and the moves.

    Parameters
    ----------
    cooling
        Factor of the temperature after every move.
    acceptance
        Share of the first uphill moves that the first temperature accepts.
    trials
        Moves from which the first temperature is found; all of them are accepted.
    size
        Of a displacement, in steps of the space.
    permutation, strain
        Shares of moves that exchange, and that strain; the rest displace.
    """

    cooling: float = 0.8
    acceptance: float = 0.5
    trials: int = 2
    size: float = 0.7
    permutation: float = 0.15
    strain: float = 0.1


class Annealing:
    """One walker over minima."""

    name = "annealing"

    def __init__(self, space: SearchSpace, rng: np.random.Generator, options: AnnealingOptions | None = None) -> None:
        self._space, self._rng, self._options = space, rng, options or AnnealingOptions()
        self._here: Minimum | None = None
        self._rises: list[float] = []
        self._temperature: float | None = None

    def ask(self) -> list[Start]:
        """A move from where the walker is."""
        if self._here is None:
            return [Start(self._space.random(self._rng))]
        options, chance = self._options, self._rng.random()
        if chance < options.permutation:
            return [Start(self._space.permute(self._here.point, self._rng))]
        if chance < options.permutation + options.strain:
            return [Start(self._space.strain(self._here.point, self._rng))]
        return [Start(self._space.shake(self._here.point, options.size, self._rng))]

    def tell(self, minima: Sequence[Minimum]) -> None:
        """The walker goes there, or by Metropolis' rule stays."""
        for there in minima:
            if self._here is None:
                self._here = there
                continue
            rise = there.value - self._here.value
            if self._temperature is None:
                self._rises.append(abs(rise))
                if len(self._rises) >= self._options.trials:
                    self._temperature = max(float(np.mean(self._rises)), 1e-9) / -np.log(self._options.acceptance)
                self._here = there if rise <= 0 or self._rng.random() < self._options.acceptance else self._here
                continue
            if rise <= 0 or self._rng.random() < np.exp(-rise / self._temperature):
                self._here = there
            self._temperature *= self._options.cooling
