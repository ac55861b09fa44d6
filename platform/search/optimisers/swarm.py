"""Particle swarm (Kennedy and Eberhart, 1995; for crystals CALYPSO: Wang et al., Phys. Rev. B 82, 094116, 2010).

A particle moves from its last minimum by its velocity, drawn to the best of its own and to the best of all. Before
a difference is taken the other place is turned, shifted and renumbered to lie on the particle as well as it may,
without which two equal crystals would attract each other to nothing. As in CALYPSO a share of every generation is
random, and replaces the worst particles.
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
class SwarmOptions:
    """Size and inertia of the swarm.

    Parameters
    ----------
    particles
        In one generation.
    random_share
        Of a generation that starts again.
    inertia
        Weight of the old velocity in the first generation and at the end.
    generations
        Over which the inertia falls.
    pull
        Towards a particle's own best and towards the best of all (c1 = c2); 2 in the papers, less here, since every
        place is relaxed and a swarm of few generations must not overshoot.
    """

    particles: int = 5
    random_share: float = 0.4
    inertia: tuple[float, float] = (0.9, 0.4)
    generations: int = 10
    pull: float = 1.0


@dataclass(eq=False)
class _Particle:
    best: Minimum
    last: Minimum
    velocity: NDArray[np.float64]


class ParticleSwarm:
    """Swarm of relaxed places."""

    name = "particle_swarm"

    def __init__(self, space: SearchSpace, rng: np.random.Generator, options: SwarmOptions | None = None) -> None:
        self._space, self._rng, self._options = space, rng, options or SwarmOptions()
        self._swarm: list[_Particle] = []
        self._asked: list[tuple[_Particle | None, NDArray[np.float64] | None]] = []
        self._generation = 0

    def ask(self) -> list[Start]:
        """A generation: particles moved, and random starts."""
        n_random = round(self._options.random_share * self._options.particles)
        moving = sorted(self._swarm, key=lambda particle: particle.best.value)[: self._options.particles - n_random]
        starts, self._asked = [], []
        for particle in moving:
            velocity = self._velocity(particle)
            starts.append(Start(self._space.moved(particle.last.point, velocity)))
            self._asked.append((particle, velocity))
        while len(starts) < self._options.particles:
            starts.append(Start(self._space.random(self._rng)))
            self._asked.append((None, None))
        return starts

    def tell(self, minima: Sequence[Minimum]) -> None:
        """Particles keep the better of their places; random starts become particles."""
        swarm = []
        for (particle, velocity), found in zip(self._asked, minima, strict=True):
            if particle is None or velocity is None:
                size = self._space.difference(found.point, found.point).size
                swarm.append(_Particle(found, found, np.zeros(size)))
            else:
                best = found if found.value < particle.best.value else particle.best
                swarm.append(_Particle(best, found, velocity))
        self._swarm = swarm
        self._generation += 1

    def _velocity(self, particle: _Particle) -> NDArray[np.float64]:
        first, last = self._options.inertia
        weight = first + (last - first) * min(self._generation / self._options.generations, 1)
        everyones = min(self._swarm, key=lambda other: other.best.value).best
        here = particle.last.point
        own = self._space.difference(here, particle.best.point)
        common = self._space.difference(here, everyones.point)
        chance = self._rng.random((2, own.size))
        drawn = weight * particle.velocity + self._options.pull * (chance[0] * own + chance[1] * common)
        if np.abs(drawn).max() < 1e-3:  # it sits where everyone wants to be: shaken loose, or it would stay
            return self._space.difference(here, self._space.shake(here, 2.0, self._rng))
        return drawn
