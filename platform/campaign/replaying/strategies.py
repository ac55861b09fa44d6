"""How a replay may choose its next calls: what foretells, and what is made of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import ndtr

from fermiloop.platform.acquisition.functions import Acquisition, select_batch, utilities
from fermiloop.platform.campaign.replaying.pool import N_COMPOSITION, N_FRACTIONS
from fermiloop.platform.campaign.replaying.surrogates import Blend, Boosted, Forest, Process
from fermiloop.platform.errors import InputError
from fermiloop.platform.predictors.kernel_process import KernelPart

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from fermiloop.platform.campaign.replaying.pool import Goal, Pool
    from fermiloop.platform.campaign.replaying.surrogates import Surrogate

    Array = NDArray[np.float64]
    Rows = NDArray[np.int64]

PROBABILITY: Final = "probability"
"""Of the target, under the normal distribution that is foretold."""
TINY: Final = 1e-9
PARENTS: Final = 30
"""Known crystals nearest to the target from which substitution goes out, as the generator of that name does."""
LOT: Final = 250
"""Crystals that a random generator proposes for one batch."""
CHOICE: Final = 10
"""Times the batch, from which a diverse one is picked."""


@dataclass(frozen=True)
class Strategy:
    """One way to choose.

    Parameters
    ----------
    title
        What it is, in a few words.
    surrogate
        Makes what foretells; None where nothing does.
    acquisition
        An `Acquisition`, or `PROBABILITY`.
    exploration
        Weight of the uncertainty.
    diversity
        Weight of the penalty for likeness within a batch.
    by_lot
        Share of each batch that is drawn from the rest by lot.
    """

    title: str
    surrogate: Callable[[], Surrogate] | None
    acquisition: str
    exploration: float = 1.0
    diversity: float = 0.0
    by_lot: float = 0.0


def blend() -> Surrogate:
    """Ours: see `surrogates`."""
    return Blend(Process(smooth_parts), Process(rough_parts), Forest(None, 0.33))


def process() -> Surrogate:
    """The processes alone."""
    return Blend(Process(smooth_parts), Process(rough_parts))


def trees() -> Surrogate:
    """The forest alone, on all descriptors."""
    return Forest(None, 0.33)


def composition_trees() -> Surrogate:
    """The plain baseline."""
    return Forest(N_COMPOSITION, 0.33)


def smooth_parts(pool: Pool) -> list[KernelPart]:
    """All descriptors, and products of one, two and three numbers of the elements."""
    inner = pool.mixtures
    return [
        KernelPart(pool.components(N_FRACTIONS, pool.descriptors.shape[1], 30), "matern"),
        *(KernelPart(inner, "linear", power) for power in (1, 2, 3)),
    ]


def rough_parts(pool: Pool) -> list[KernelPart]:
    """More descriptors, at shorter reach, and sums over elements and over bonds."""
    return [
        KernelPart(pool.components(N_FRACTIONS, pool.descriptors.shape[1], 60), "exponential"),
        KernelPart(pool.mixtures, "linear"),
        KernelPart(pool.bonds, "linear"),
    ]


REPLAY_STRATEGIES: Final[dict[str, Strategy]] = {
    "random": Strategy("by lot", None, Acquisition.RANDOM),
    "substitution": Strategy("like elements in known crystals near the target", None, "substitution"),
    "greedy": Strategy("the mean alone", blend, Acquisition.GREEDY),
    "probability": Strategy("probability of the target", blend, PROBABILITY),
    "expected_improvement": Strategy("expected improvement", blend, Acquisition.EXPECTED_IMPROVEMENT),
    "upper_confidence_bound": Strategy("mean and spread", blend, Acquisition.UPPER_CONFIDENCE_BOUND),
    "thompson": Strategy("a draw from what is foretold", blend, Acquisition.THOMPSON),
    "diverse": Strategy("probability of the target, unlike each other", blend, PROBABILITY, diversity=0.2),
    "process": Strategy("probability of the target by the processes alone", process, PROBABILITY),
    "trees": Strategy("probability of the target by trees on all descriptors", trees, PROBABILITY),
    "composition_trees": Strategy("baseline: trees on the composition", composition_trees, PROBABILITY),
    "camd_shipped": Strategy("baseline: CAMD's AdaBoost agent, as shipped", Boosted, "best_case", 0.5, by_lot=0.5),
    "camd_exploit": Strategy("baseline: CAMD's AdaBoost agent, all exploiting", Boosted, "best_case", 0.5),
}
"""Every strategy of a replay by name."""
REPLAY_GENERATORS: Final[dict[str, str]] = {
    "pool": "every crystal that is left",
    "substitution": "children of the known crystals nearest to the target",
    "random_pick": "some crystals by lot",
}
"""What proposes the crystals among which a strategy chooses."""


def choose(
    strategy: Strategy,
    surrogate: Surrogate | None,
    pool: Pool,
    goal: Goal,
    known: Rows,
    left: Rows,
    n: int,
    rng: np.random.Generator,
) -> list[int]:
    """At most `n` of the crystals in `left`, best first."""
    n = min(n, len(left))
    worth = _worth(strategy, surrogate, pool, goal, known, rng)[left]
    best = left[np.argsort(-worth, kind="stable")]
    n_lot = n - int(n * (1 - strategy.by_lot))
    if strategy.diversity:
        top = best[: CHOICE * n]
        order = np.sort(worth)[::-1][: len(top)]
        features = pool.components(N_FRACTIONS, pool.descriptors.shape[1], 30)[top]
        nothing = np.zeros(len(top))
        picked = select_batch("greedy", order, nothing, features, n, np.nan, rng, strategy.diversity)
        return [int(top[i]) for i in picked]
    chosen = best[: n - n_lot]
    others = rng.choice(best[n - n_lot :], n_lot, replace=False) if n_lot else best[:0]
    return [int(i) for i in (*chosen, *others)]


def check_names(strategies: Sequence[str], generators: Sequence[str] = ()) -> None:
    """Refuse names that no table holds, before long work begins.

    Raises
    ------
    InputError
        If a name is unknown.
    """
    for name in strategies:
        if name not in REPLAY_STRATEGIES:
            raise InputError(f"{name!r} is no strategy of a replay; known are {', '.join(REPLAY_STRATEGIES)}.")
    for name in generators:
        if name not in REPLAY_GENERATORS:
            raise InputError(f"{name!r} is no generator of a replay; known are {', '.join(REPLAY_GENERATORS)}.")


def propose(generator: str, pool: Pool, goal: Goal, known: Rows, left: Rows, rng: np.random.Generator) -> Rows:
    """Those of the crystals in `left` that a generator proposes."""
    if generator == "substitution":
        return left[np.isfinite(kinship(pool, goal, known)[left])]
    if generator == "random_pick":
        return np.sort(rng.choice(left, min(LOT, len(left)), replace=False))
    return left


def kinship(pool: Pool, goal: Goal, known: Rows) -> Array:
    """(n,) how near the target the best parent is, of which a crystal is a child by substitution; -inf without parent.

    A child has its parent's composition but for elements of the same columns of the periodic table; one with the
    parent's kind of structure too comes before all others.
    """
    near = goal.nearness(pool.values[known])
    order = np.argsort(-near, kind="stable")[:PARENTS]
    alike: dict[tuple[str, str], float] = {}
    like: dict[str, float] = {}
    for place, i in enumerate(known[order]):
        alike.setdefault((pool.columns[i], pool.prototypes[i]), 2 * PARENTS - place)
        like.setdefault(pool.columns[i], PARENTS - place)
    keys = zip(pool.columns, pool.prototypes, strict=True)
    return np.array([alike.get(key, like.get(key[0], -np.inf)) for key in keys])


def _worth(
    strategy: Strategy, surrogate: Surrogate | None, pool: Pool, goal: Goal, known: Rows, rng: np.random.Generator
) -> Array:
    """(n,) larger is better."""
    if strategy.acquisition == "substitution":
        kin = kinship(pool, goal, known)
        return np.where(np.isfinite(kin), kin, 0.0) + rng.random(len(pool))  # chance among equals and the rest
    if surrogate is None:
        return rng.random(len(pool))
    mean, std = surrogate.foretell(pool, known, rng)
    if strategy.acquisition == PROBABILITY:
        safe = np.maximum(std, TINY)
        near, spread = nearness_of(goal, mean, std)
        # far from the target all probabilities are 0: the nearer one then is the better
        return ndtr((goal.high - mean) / safe) - ndtr((goal.low - mean) / safe) + TINY * near / (1 + spread.max())
    near, spread = nearness_of(goal, mean, std)
    if strategy.acquisition == "best_case":
        return near + strategy.exploration * std
    best = float(goal.nearness(pool.values[known]).max())
    return utilities(strategy.acquisition, near, spread, best, rng, strategy.exploration)


def nearness_of(goal: Goal, mean: Array, std: Array) -> tuple[Array, Array]:
    """Mean and standard deviation of the nearness to a goal of normally distributed values.

    Before one finite end it is linear; about the middle of two it is a folded normal distribution (Leone et al.,
    Technometrics 3, 543, 1961).
    """
    if np.isinf(goal.low) or np.isinf(goal.high):
        return goal.nearness(mean), std
    apart, safe = mean - (goal.low + goal.high) / 2, np.maximum(std, TINY)
    u = apart / safe
    distance = safe * np.sqrt(2 / np.pi) * np.exp(-0.5 * u**2) + apart * (1 - 2 * ndtr(-u))
    return -distance, np.sqrt(np.maximum(apart**2 + safe**2 - distance**2, 0.0))
