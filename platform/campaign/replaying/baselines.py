"""Rules that a search is compared with, and what stands in a generator's place.

Of answers they see those that are known, as every strategy does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import ndtr

from fermiloop.platform.campaign.goal import CURVE
from fermiloop.platform.errors import InputError
from fermiloop.platform.plugins.surrogates import SURROGATES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from fermiloop.platform.campaign.replaying.loop import Oracle, Proposer
    from fermiloop.platform.representations.training import Target

    Array = NDArray[np.float64]
    Rows = NDArray[np.int64]

PARENTS: Final = 30
"""Known crystals nearest to the target from which substitution goes out, as the generator of that name does."""
PICKED: Final = 250
"""Crystals that a random generator proposes for one batch."""
EXPLORATION: Final = 0.5
"""Weight of the spread in CAMD's rule."""
SEEDS: Final = 2**31
TINY: Final = 1e-9


def at_random(oracle: Oracle, known: Rows, left: Rows, n: int, rng: np.random.Generator) -> list[int]:  # noqa: ARG001
    """Any."""
    return [int(i) for i in rng.choice(left, min(n, len(left)), replace=False)]


def substitution(oracle: Oracle, known: Rows, left: Rows, n: int, rng: np.random.Generator) -> list[int]:
    """Like elements in the known crystals nearest to the target; then any."""
    kin = kinship(oracle, known)[left]
    worth = np.where(np.isfinite(kin), kin, 0.0) + rng.random(len(left))  # chance among equals and the rest
    return [int(i) for i in left[np.argsort(-worth, kind="stable")[:n]]]


class Camd:
    """The rule of CAMD's agent (Montoya et al., Chem. Sci. 11, 8517, 2020): mean plus half the spread of boosted trees.

    Parameters
    ----------
    random_share
        Of each batch, drawn at random from the rest.
    """

    def __init__(self, random_share: float = 0.0) -> None:
        self.random_share = random_share

    def __call__(self, oracle: Oracle, known: Rows, left: Rows, n: int, rng: np.random.Generator) -> list[int]:
        """Rows of the pool."""
        surrogate = SURROGATES["camd"].build()
        surrogate.fit(oracle.pool.subset(known.tolist()), oracle.target, int(rng.integers(SEEDS)), lambda _w, _s: None)
        told = surrogate.predict([oracle.pool.structures[i] for i in left])
        if not told:
            return at_random(oracle, known, left, n, rng)
        stds = {part: std for part, (_, std) in told.items()}
        near = nearness(oracle.target, {part: mean for part, (mean, _) in told.items()}, stds)
        spread = np.sqrt(np.sum([(std / _unit(oracle.target, part)) ** 2 for part, (_, std) in told.items()], axis=0))
        best = left[np.argsort(-(near + EXPLORATION * spread), kind="stable")]
        n = min(n, len(left))
        first = int(n * (1 - self.random_share))
        others = rng.choice(best[first:], n - first, replace=False) if n > first else best[:0]
        return [int(i) for i in (*best[:first], *others)]


def nearness(target: Target, values: Mapping[str, Array], stds: Mapping[str, Array] | None = None) -> Array:
    """(n,) larger is better: minus the distance from the middle of each window, or how far within a bound, added up.

    Distances are in units of the condition; one that is NaN counts as far away.

    Parameters
    ----------
    values
        (n,) by part.
    stds
        Their standard deviations, where they are predictions: distances are then expected ones.

    Raises
    ------
    InputError
        If the target asks for nothing that there are values of.
    """
    found = [values[CURVE]] if target.curve is not None and CURVE in values else []
    for condition in target.conditions:
        if condition.property not in values:
            continue
        x = values[condition.property]
        if condition.bounded and not condition.two_sided:
            apart = condition.high - x if np.isfinite(condition.high) else x - condition.low
        else:
            apart = -_expected_distance(x - condition.value, None if stds is None else stds[condition.property])
        found.append(apart / condition.scale)
    if not found:
        raise InputError("Nothing that the target asks for is known, so nothing is near to it.")
    return np.asarray(np.sum([np.where(np.isnan(one), -1e3, one) for one in found], axis=0))


def _expected_distance(apart: Array, std: Array | None) -> Array:
    """Mean of |x| of normal distributions: the folded one (Leone et al., Technometrics 3, 543, 1961)."""
    if std is None:
        return np.abs(apart)
    safe = np.maximum(std, TINY)
    u = apart / safe
    return np.asarray(safe * np.sqrt(2 / np.pi) * np.exp(-0.5 * u**2) + apart * (1 - 2 * ndtr(-u)))


def kinship(oracle: Oracle, known: Rows) -> Array:
    """(n,) how near the target the best parent is, of which a crystal is a child by substitution; -inf without parent.

    A child has its parent's composition but for elements of the same columns of the periodic table; one with the
    parent's kind of structure too comes before all others.
    """
    near = nearness(oracle.target, {part: values[known] for part, values in oracle.computed.items()})
    order = np.argsort(-near, kind="stable")[:PARENTS]
    columns, prototypes = oracle.columns, oracle.pool.prototypes
    alike: dict[tuple[str, str], float] = {}
    like: dict[str, float] = {}
    for place, i in enumerate(known[order]):
        alike.setdefault((columns[i], prototypes[i]), 2 * PARENTS - place)
        like.setdefault(columns[i], PARENTS - place)
    keys = zip(columns, prototypes, strict=True)
    return np.array([alike.get(key, like.get(key[0], -np.inf)) for key in keys])


def children(oracle: Oracle, known: Rows, left: Rows, rng: np.random.Generator) -> Rows:  # noqa: ARG001
    """Children of the known crystals nearest to the target."""
    return left[np.isfinite(kinship(oracle, known)[left])]


def some(oracle: Oracle, known: Rows, left: Rows, rng: np.random.Generator) -> Rows:  # noqa: ARG001
    """Some crystals at random."""
    return np.sort(rng.choice(left, min(PICKED, len(left)), replace=False))


REPLAY_GENERATORS: Final[dict[str, tuple[str, Proposer | None]]] = {
    "pool": ("every crystal that is left", None),
    "substitution": ("children of the known crystals nearest to the target", children),
    "random_pick": ("some crystals at random", some),
}
"""What proposes the crystals among which a strategy chooses, in words and as a function."""


def _unit(target: Target, part: str) -> float:
    scales: Sequence[float] = [c.scale for c in target.conditions if c.property == part]
    return 1.0 if part == CURVE or not scales else scales[0]
