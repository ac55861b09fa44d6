"""All optimisers by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fermiloop.platform.search.optimisers.annealing import Annealing
from fermiloop.platform.search.optimisers.bayesian import Bayesian
from fermiloop.platform.search.optimisers.genetic import Genetic
from fermiloop.platform.search.optimisers.minima_hopping import MinimaHopping
from fermiloop.platform.search.optimisers.random_search import RandomSearch
from fermiloop.platform.search.optimisers.random_symmetric import RandomSymmetric
from fermiloop.platform.search.optimisers.swarm import ParticleSwarm

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from fermiloop.platform.search.optimisers.protocol import Optimiser, SearchSpace

OPTIMISERS: Final[dict[str, Callable[[SearchSpace, np.random.Generator], Optimiser]]] = {
    "random": RandomSearch,
    "random_symmetric": RandomSymmetric,
    "genetic": Genetic,
    "particle_swarm": ParticleSwarm,
    "annealing": Annealing,
    "minima_hopping": MinimaHopping,
    "bayesian": Bayesian,
}
