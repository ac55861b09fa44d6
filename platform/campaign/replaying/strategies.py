"""How a replay may choose its next calls: what foretells, and what is made of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from fermiloop.platform.acquisition.batches import select_batch
from fermiloop.platform.acquisition.belief import incumbent
from fermiloop.platform.acquisition.registry import ACQUISITIONS, build
from fermiloop.platform.campaign.goal import believe, level, score_of
from fermiloop.platform.campaign.replaying.pool import N_COMPOSITION, N_FRACTIONS
from fermiloop.platform.campaign.replaying.surrogates import Blend, Boosted, Forest, Process
from fermiloop.platform.errors import InputError
from fermiloop.platform.predictors.kernel_process import KernelPart
from fermiloop.platform.representations.training import Condition, Target

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from fermiloop.platform.campaign.replaying.pool import Goal, Pool
    from fermiloop.platform.campaign.replaying.surrogates import Surrogate

    Array = NDArray[np.float64]
    Rows = NDArray[np.int64]

PROBABILITY: Final = "probability"
VALUE: Final = "value"
"""What stands for the property that is recorded."""
PARENTS: Final = 30
"""Known crystals nearest to the target from which substitution goes out, as the generator of that name does."""
LOT: Final = 250
"""Crystals that a random generator proposes for one batch."""


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
        A name of `ACQUISITIONS`, or a rule of a baseline's own.
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
    "random": Strategy("by lot", None, "random"),
    "substitution": Strategy("like elements in known crystals near the target", None, "substitution"),
    "greedy": Strategy("the mean alone", blend, "greedy"),
    "probability": Strategy("probability of the target", blend, PROBABILITY),
    "expected_improvement": Strategy("expected improvement", blend, "expected_improvement"),
    "upper_confidence_bound": Strategy("mean and spread", blend, "upper_confidence_bound"),
    "thompson": Strategy("a draw from what is foretold", blend, "thompson"),
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
    if surrogate is not None and strategy.acquisition in ACQUISITIONS:
        return _by_belief(strategy, surrogate, pool, goal, known, left, n, rng)
    worth = _worth(strategy, surrogate, pool, goal, known, rng)[left]
    best = left[np.argsort(-worth, kind="stable")]
    n_lot = n - int(n * (1 - strategy.by_lot))
    chosen = best[: n - n_lot]
    others = rng.choice(best[n - n_lot :], n_lot, replace=False) if n_lot else best[:0]
    return [int(i) for i in (*chosen, *others)]


def _by_belief(
    strategy: Strategy,
    surrogate: Surrogate,
    pool: Pool,
    goal: Goal,
    known: Rows,
    left: Rows,
    n: int,
    rng: np.random.Generator,
) -> list[int]:
    """As a campaign chooses."""
    target = Target(windows=(Condition(VALUE, goal.low, goal.high),))
    mean, std = surrogate.foretell(pool, known, rng)
    belief = believe(target, {VALUE: (mean[left], std[left])})
    acquisition = build(strategy.acquisition)
    best = incumbent([score_of(target, {VALUE: value})[0] for value in pool.values[known]], level(target))
    features = pool.components(N_FRACTIONS, pool.descriptors.shape[1], 30)[left]
    picked = select_batch(acquisition, belief, features, n, best, rng, diversity=strategy.diversity)
    return [int(left[i]) for i in picked]


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
    mean, std = surrogate.foretell(pool, known, rng)  # the best case of CAMD
    return goal.nearness(mean) + strategy.exploration * std
