"""Downhill and out of a valley: the one relaxation that all optimisers share, and the loop that drives them.

Relaxation is L-BFGS in generalised coordinates (Liu and Nocedal, Math. Program. 45, 503, 1989). The escape is the
velocity Verlet run of minima hopping (Goedecker, J. Chem. Phys. 120, 9911, 2004): until the energy along the way
has gone through a given number of minima.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize

from fermiloop.platform.search.optimisers.protocol import Minimum, Start
from fermiloop.platform.search.oracle import BudgetSpent

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from fermiloop.platform.search.optimisers.protocol import Optimiser, SearchSpace
    from fermiloop.platform.search.oracle import Oracle, Point

    Array = NDArray[np.float64]


@dataclass(frozen=True)
class RelaxationOptions:
    """How far a relaxation and an escape go.

    Parameters
    ----------
    tolerance
        Largest component of the gradient at convergence, energy over length.
    most_calls
        Oracle calls of one relaxation; one that needs more ends where it is.
    time_step
        Of the escape, in √(mass · length² / energy) with all masses 1.
    minima
        Minima along the way that end an escape.
    most_steps
        Steps of one escape.
    """

    tolerance: float = 0.02
    most_calls: int = 200
    time_step: float = 0.03
    minima: int = 2
    most_steps: int = 60


def search(
    optimiser: Optimiser,
    space: SearchSpace,
    oracle: Oracle,
    rng: np.random.Generator,
    options: RelaxationOptions | None = None,
    objective: Callable[[Point, float], float] | None = None,
    goal: float | None = None,
) -> list[Minimum]:
    """All minima that were found until the budget was spent, in order.

    Parameters
    ----------
    optimiser, space, oracle
        Who searches, where and what for.
    rng
        Of the velocities of escapes.
    objective
        Value of a relaxed point with its energy; the energy itself by default.
    goal
        Energy at which the search ends before its budget.
    """
    chosen = options or RelaxationOptions()
    found: list[Minimum] = []
    try:
        while oracle.left > 0:
            batch = []
            for start in optimiser.ask():
                minimum = settle(start, space, oracle, rng, chosen, objective)
                batch.append(minimum)
                found.append(minimum)
                if goal is not None and minimum.energy <= goal:
                    return found
            optimiser.tell(batch)
    except BudgetSpent:
        return found
    return found


def settle(
    start: Start,
    space: SearchSpace,
    oracle: Oracle,
    rng: np.random.Generator,
    options: RelaxationOptions,
    objective: Callable[[Point, float], float] | None = None,
) -> Minimum:
    """The minimum below a start.

    Raises
    ------
    BudgetSpent
        If the oracle's calls do not suffice.
    """
    point = escape(start, space, oracle, rng, options) if start.kinetic > 0 else start.point
    relaxed, energy = relax(point, space, oracle, options)
    value = energy if objective is None else objective(relaxed, energy)
    return Minimum(start, relaxed, energy, value)


def relax(point: Point, space: SearchSpace, oracle: Oracle, options: RelaxationOptions) -> tuple[Point, float]:
    """The relaxed point and its energy.

    Raises
    ------
    BudgetSpent
        If the oracle's calls do not suffice.
    """

    def energy_and_gradient(x: Array) -> tuple[float, Array]:
        place = space.placed(x, point)
        found = oracle(place)
        return found.energy, space.gradient(found, place, point)

    settings = {"gtol": options.tolerance, "ftol": 1e-12, "maxfun": options.most_calls, "maxcor": 20}
    found = minimize(energy_and_gradient, space.coordinates(point), jac=True, method="L-BFGS-B", options=settings)
    return space.placed(found.x, point), float(found.fun)


def escape(
    start: Start, space: SearchSpace, oracle: Oracle, rng: np.random.Generator, options: RelaxationOptions
) -> Point:
    """Where molecular dynamics is when its energy has gone through `options.minima` minima.

    Raises
    ------
    BudgetSpent
        If the oracle's calls do not suffice.
    """
    frame, step = start.point, options.time_step
    x = space.coordinates(frame)
    velocity = rng.normal(size=x.size)
    velocity *= np.sqrt(2 * start.kinetic * x.size / (velocity @ velocity))
    force = -space.gradient(oracle(frame), frame, frame)
    energies: list[float] = []
    passed = 0
    for _ in range(options.most_steps):
        x = x + step * velocity + 0.5 * step**2 * force
        place = space.placed(x, frame)
        found = oracle(place)
        new = -space.gradient(found, place, frame)
        velocity = velocity + 0.5 * step * (force + new)
        force = new
        energies.append(found.energy)
        if len(energies) > 2 and energies[-2] < min(energies[-3], energies[-1]):
            passed += 1
            if passed >= options.minima:
                break
    return space.placed(x, frame)
