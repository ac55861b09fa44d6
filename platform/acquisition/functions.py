"""What to compute next: the worth of a candidate from what is foretold of it.

Expected improvement (Jones, Schonlau and Welch, J. Global Optim. 13, 455, 1998), upper confidence bound (Srinivas
et al., ICML 2010), Thompson sampling (Thompson, Biometrika 25, 285, 1933), and two baselines. Larger is better
throughout: the mean is a similarity, and `best` the best one computed so far.

A batch is picked greedily: the utility, brought to 0..1 over the candidates, less a penalty for likeness to what is
picked already, in the spirit of the penalised batches of González et al. (AISTATS 2016). Likeness is exp(-d / d0),
d the distance in feature space to the nearest pick and d0 the median distance of all pairs.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import ndtr

from fermiloop.platform.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]
    Utility = Callable[[Array, Array, float, np.random.Generator, float], Array]

CERTAIN: Final = 1e-12  # below this a division by the standard deviation may overflow


class Acquisition(StrEnum):
    """Names that a campaign may ask for."""

    EXPECTED_IMPROVEMENT = "expected_improvement"
    UPPER_CONFIDENCE_BOUND = "upper_confidence_bound"
    THOMPSON = "thompson"
    RANDOM = "random"
    GREEDY = "greedy"


def expected_improvement(mean: Array, std: Array, best: float, _rng: np.random.Generator, _exploration: float) -> Array:
    """E[max(0, f - best)] = σ (u Φ(u) + φ(u)) with u = (μ - best) / σ, and max(0, μ - best) where σ = 0."""
    gain = mean - best
    certain = std < CERTAIN
    u = gain / np.where(certain, 1.0, std)
    density = np.exp(-0.5 * np.minimum(np.abs(u), 40.0) ** 2) / np.sqrt(2 * np.pi)
    return np.where(certain, np.maximum(gain, 0.0), np.maximum(std * (u * ndtr(u) + density), 0.0))


def upper_confidence_bound(
    mean: Array, std: Array, _best: float, _rng: np.random.Generator, exploration: float
) -> Array:
    """μ + κ σ, κ the exploration."""
    return mean + exploration * std


def thompson(mean: Array, std: Array, _best: float, rng: np.random.Generator, exploration: float) -> Array:
    """One draw from N(μ, (κ σ)²) for each candidate."""
    return mean + exploration * std * rng.standard_normal(mean.shape)


def random(mean: Array, _std: Array, _best: float, rng: np.random.Generator, _exploration: float) -> Array:
    """The baseline that knows nothing."""
    return rng.random(mean.shape)


def greedy(mean: Array, _std: Array, _best: float, _rng: np.random.Generator, _exploration: float) -> Array:
    """The mean alone."""
    return mean.copy()


ACQUISITIONS: Final[dict[Acquisition, Utility]] = {
    Acquisition.EXPECTED_IMPROVEMENT: expected_improvement,
    Acquisition.UPPER_CONFIDENCE_BOUND: upper_confidence_bound,
    Acquisition.THOMPSON: thompson,
    Acquisition.RANDOM: random,
    Acquisition.GREEDY: greedy,
}


def utilities(
    name: str, mean: ArrayLike, std: ArrayLike, best: float, rng: np.random.Generator, exploration: float = 1.0
) -> Array:
    """(n,) utilities; -inf where the mean is not finite, since nothing is known there.

    A standard deviation that is not finite or below 0 counts as 0. Where nothing has been computed yet (`best` not
    finite) the least known mean stands in, so that every candidate may improve.

    Raises
    ------
    InputError
        If the acquisition is unknown, the lengths differ or the exploration is below 0.
    """
    if name not in ACQUISITIONS:
        raise InputError(f"{name!r} is no acquisition; known are {', '.join(ACQUISITIONS)}.")
    if not (np.isfinite(exploration) and exploration >= 0):
        raise InputError(f"The exploration must be zero or more, not {exploration}.")
    means, stds = np.asarray(mean, dtype=float), np.asarray(std, dtype=float)
    if means.ndim != 1 or means.shape != stds.shape:
        raise InputError(f"Means and standard deviations must be two equal rows, not {means.shape} and {stds.shape}.")
    known = np.isfinite(means)
    stds = np.where(np.isfinite(stds) & (stds > 0), stds, 0.0)
    floor = float(means[known].min()) if known.any() else 0.0
    reference = best if np.isfinite(best) else floor
    filled = np.where(known, means, floor)
    values = ACQUISITIONS[Acquisition(name)](filled, stds, reference, rng, exploration)
    # chance needs no knowledge: the baseline must not be steered by the surrogate
    return values if name == Acquisition.RANDOM else np.where(known, values, -np.inf)


def select_batch(
    name: str,
    mean: ArrayLike,
    std: ArrayLike,
    features: ArrayLike,
    n: int,
    best: float,
    rng: np.random.Generator,
    diversity: float = 0.2,
    exploration: float = 1.0,
    cost: ArrayLike | None = None,
    running: ArrayLike = (),
) -> list[int]:
    """Choose at most `n` candidates, best first, none twice.

    Candidates of unknown mean come last, in their order but for the diversity. With `random` the diversity is left
    out too: the baseline stays a baseline.

    Parameters
    ----------
    name
        One of `ACQUISITIONS`.
    mean, std
        (m,) what is foretold; larger is better.
    features
        (m, k) where candidates lie, such as fingerprints.
    n
        Most picks; all are picked, in order, where there are fewer.
    best
        Best value computed so far; NaN or -inf where there is none.
    diversity
        Weight of the penalty for likeness against a utility between 0 and 1.
    cost
        (m,) estimated cost above 0, such as core seconds: picks by worth per cost.
    running
        (r, k) where evaluations without a result lie: what is like them is penalised too.

    Raises
    ------
    InputError
        If lengths differ, a feature is not finite, a number is out of its range, or the acquisition is unknown.
    """
    values = utilities(name, mean, std, best, rng, exploration)
    places = np.asarray(features, dtype=float).reshape(len(values), -1) if len(values) else np.zeros((0, 1))
    if not np.isfinite(places).all():
        raise InputError("Features of candidates must be finite numbers.")
    if n < 0 or not diversity >= 0:
        raise InputError(f"A batch needs n and diversity of zero or more, not {n} and {diversity}.")
    worth = _unit_scale(values)
    if cost is not None:
        worth = _per_cost(worth, np.asarray(cost, dtype=float))
    begun = np.asarray(running, dtype=float).reshape(-1, places.shape[1])
    return _pick(worth, places, n, 0.0 if name == Acquisition.RANDOM else diversity, begun)


def _unit_scale(values: Array) -> Array:
    """Known utilities to 0..1; the unknown stay at -inf."""
    known = np.isfinite(values)
    if not known.any():
        return values
    low, high = values[known].min(), values[known].max()
    scaled = (values - low) / (high - low) if high > low else np.where(known, 0.0, values)
    return np.asarray(scaled)


def _per_cost(worth: Array, cost: Array) -> Array:
    if cost.shape != worth.shape or not (np.isfinite(cost) & (cost > 0)).all():
        raise InputError("Costs must be one number above zero for each candidate.")
    return _unit_scale(worth * cost.min() / cost)


def _pick(worth: Array, places: Array, n: int, diversity: float, begun: Array) -> list[int]:
    """Greedy; unknown worth counts as a step below every known one, so that it comes last."""
    base = np.where(np.isfinite(worth), worth, -2.0 - diversity)
    scale = _median_distance(places)
    likeness = np.zeros(len(worth))
    for place in begun:
        likeness = np.maximum(likeness, _likeness(places, place, scale))
    left = np.ones(len(worth), dtype=bool)
    chosen: list[int] = []
    while len(chosen) < n and left.any():
        pick = int(np.argmax(np.where(left, base - diversity * likeness, -np.inf)))
        chosen.append(pick)
        left[pick] = False
        likeness = np.maximum(likeness, _likeness(places, places[pick], scale))
    return chosen


def _likeness(places: Array, place: Array, scale: float) -> Array:
    """exp(-distance / scale) of each place to one."""
    return np.asarray(np.exp(-np.linalg.norm(places - place, axis=1) / scale))


def _median_distance(places: Array) -> float:
    """Median distance of pairs, 1 where there are none or all coincide."""
    squares = np.sum(places**2, axis=1)
    gaps = np.sqrt(np.maximum(squares[:, None] + squares[None, :] - 2 * places @ places.T, 0.0))
    pairs = gaps[np.triu_indices(len(places), k=1)]
    median = float(np.median(pairs)) if pairs.size else 0.0
    return median if median > 0 else 1.0
