"""What a score is: the one definition, used wherever scores are told, predicted or counted; what a hit is: `hits`.

A target asks for parts: the similarity c of a curve (cosine inside the target's window, 0 to 1), conditions on
properties, and objectives. With the level h of a hit, h = ``hit_similarity`` for a curve and 1 without one, the parts
score

    s_curve      = c
    s_condition  = 1 inside its bounds, h / (1 + d / w) outside,
    s_objective  = (1 + u / (1 + |u|)) / 2,   u = ± (x - m) / r,

where d is the distance from the nearest bound and w half the width of a window, or the scale that the property is
declared with for a single bound; m and r are middle and half the range of what is worth aiming at
(its declared aim), + for ``maximise`` and - for ``minimise``. A candidate's score is

    S = min(s_curve, s_conditions) × mean(s_objectives),

a missing kind of part counting as 1. The curve and the conditions are what a hit must meet, so that without objectives
a hit and a score of at least h are the same thing. A part that an evaluation did not give scores 0.

Before the evaluation, each part is a normal distribution, and parts are independent. The draws of S are even quantiles
of each part in an order of its own; the probability of a hit is the product of the parts' own, which is exact where
draws are too few.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from fermiloop.platform.acquisition.belief import Belief
from fermiloop.platform.campaign import hits
from fermiloop.platform.errors import InputError
from fermiloop.platform.predictors.surrogates.protocol import SIMILARITY, parts_of
from fermiloop.platform.representations.conditions import MAXIMISE, aim_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from fermiloop.platform.representations.conditions import Condition
    from fermiloop.platform.representations.training import Target

    Array = NDArray[np.float64]
    Predictions = Mapping[str, tuple[Array, Array]]

CURVE: Final = SIMILARITY
DRAWS: Final = 256
SEED: Final = 0  # of the order of the quantiles, the same for every batch


def level(target: Target) -> float:
    """Score from which a candidate is a hit; infinite with objectives, of which more is always better."""
    return np.inf if objectives(target) else _threshold(target)


def objectives(target: Target) -> tuple[Condition, ...]:
    """What is to be minimised or maximised."""
    return tuple(condition for condition in target.conditions if condition.direction)


def score_of(target: Target, computed: Mapping[str, float]) -> tuple[float, bool]:
    """Score in 0..1 and whether it is a hit, of an evaluated candidate.

    Parameters
    ----------
    computed
        `CURVE` and properties to what the engine gave; what is missing or NaN was not given.
    """
    values = {name: np.array([computed.get(name, np.nan)], dtype=float) for name in parts_of(target)}
    met, wish = _met(target, values), _wish(target, values)
    score = float(np.nan_to_num(met * wish)[0])
    return score, hits.is_hit(target, computed)


def believe(
    target: Target, predictions: Predictions, known: Sequence[Mapping[str, float]] = (), n: int | None = None
) -> Belief:
    """What is believed of n candidates.

    Parameters
    ----------
    predictions
        `CURVE` and properties to mean and standard deviation, (n,) each; parts that nothing predicts are absent or NaN.
        For the probability, such a part of a candidate counts as likely as it is for the others, and it is left out
        where it is predicted for none.
    known
        What was computed so far, as `score_of` takes it: the front of the objectives.
    n
        Candidates, where `predictions` may be empty.

    Raises
    ------
    InputError
        If rows differ in length.
    """
    from scipy.special import ndtri  # half a second: many who read a target never ask for a belief

    count = _length(predictions, n)
    nothing = np.full(count, np.nan)
    told = {name: predictions.get(name, (nothing, nothing)) for name in parts_of(target)}
    rng = np.random.default_rng(SEED)
    quantiles = ndtri((np.arange(DRAWS) + 0.5) / DRAWS)
    drawn = {name: _drawn(name, mean, std, rng.permutation(quantiles)) for name, (mean, std) in told.items()}
    met = _met(target, drawn, missing=np.inf)
    wish = _wish(target, drawn, missing=np.nan)
    whole = np.where(np.isfinite(met), met, 1.0) * np.where(np.isnan(wish), 1.0, wish)
    something = np.any([np.isfinite(mean) for mean, _ in told.values()], axis=0) if told else np.zeros(count, bool)
    draws = np.where(something[:, None], whole, np.nan)
    table, front = _trade(target, drawn, met, known)
    return Belief(draws, np.where(something, hits.probability(target, told), np.nan), level(target), table, front)


def _threshold(target: Target) -> float:
    return target.hit_similarity if target.curve is not None else 1.0


def _length(predictions: Predictions, n: int | None) -> int:
    lengths = {len(part) for pair in predictions.values() for part in pair} | ({n} if n is not None else set())
    if len(lengths) > 1:
        raise InputError(f"Predictions of one batch differ in length: {', '.join(map(str, sorted(lengths)))}.")
    return lengths.pop() if lengths else 0


def _drawn(name: str, mean: Array, std: Array, quantiles: Array) -> Array:
    """(n, d) equally likely values of a part."""
    width = np.where(np.isfinite(std), std, 0.0)
    values = np.asarray(mean, dtype=float)[:, None] + width[:, None] * quantiles
    return np.clip(values, 0.0, 1.0) if name == CURVE else values


def _met(target: Target, values: Mapping[str, Array], missing: float = 0.0) -> Array:
    """The least score of curve and conditions; `missing` for a part that is NaN, and infinite without a part."""
    threshold = _threshold(target)
    parts = [values[CURVE]] if target.curve is not None else []
    for condition in target.conditions:
        if condition.bounded:
            beyond = condition.beyond(values[condition.property])
            parts.append(np.where(beyond > 0, threshold / (1 + beyond), np.where(np.isnan(beyond), np.nan, 1.0)))
    if not parts:
        return np.ones_like(next(iter(values.values()))) if values else np.ones(1)
    return np.asarray(np.min([np.where(np.isnan(part), missing, part) for part in parts], axis=0))


def _wish(target: Target, values: Mapping[str, Array], missing: float = 0.0) -> Array:
    """The mean score of the objectives, 1 without one; one that is NaN counts `missing`."""
    found = []
    for one in objectives(target):
        lowest, highest = aim_of(one.property)
        u = (values[one.property] - (lowest + highest) / 2) / ((highest - lowest) / 2)
        u = u if one.direction == MAXIMISE else -u
        found.append(np.where(np.isnan(u), missing, (1 + u / (1 + np.abs(u))) / 2))
    return np.asarray(np.mean(found, axis=0)) if found else np.ones(1)


def _trade(
    target: Target, drawn: Mapping[str, Array], met: Array, known: Sequence[Mapping[str, float]]
) -> tuple[Array | None, Array | None]:
    """Objectives of the draws and of what was computed, smaller better, infinite where a condition is not met."""
    wanted, threshold = objectives(target), _threshold(target)
    if not wanted:
        return None, None
    sign = np.array([-1.0 if one.direction == MAXIMISE else 1.0 for one in wanted])
    table = np.stack([drawn[one.property] for one in wanted], axis=-1) * sign
    table = np.where(np.isfinite(table) & (met >= threshold)[..., None], table, np.inf)
    rows = [
        [row.get(one.property, np.nan) for one in wanted]
        for row in known
        if _met(target, {name: np.array([row.get(name, np.nan)], dtype=float) for name in parts_of(target)})[0]
        >= threshold
    ]
    front = np.array(rows, dtype=float).reshape(-1, len(wanted)) * sign
    return table, front[np.isfinite(front).all(axis=1)]
