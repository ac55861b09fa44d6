"""Random search: the baseline, with the local relaxation that the others have (Pickard and Needs, 2011)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fermiloop.platform.search.optimisers.protocol import Start

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from fermiloop.platform.search.optimisers.protocol import Minimum, SearchSpace


class RandomSearch:
    """A new random start each time; learns nothing."""

    name = "random"

    def __init__(self, space: SearchSpace, rng: np.random.Generator) -> None:
        self._space, self._rng = space, rng

    def ask(self) -> list[Start]:
        """One random start."""
        return [Start(self._space.random(self._rng))]

    def tell(self, minima: Sequence[Minimum]) -> None:
        """Nothing is learned."""
