"""A batch from what candidates are worth: best first, and unlike each other.

It is picked greedily: the worth, brought to 0..1 over the candidates, less a penalty for likeness to what is picked
already, in the spirit of the penalised batches of González et al. (AISTATS 2016). Likeness is exp(-d / d0), d the
distance in feature space to the nearest pick and d0 the median distance of all pairs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from fermiloop.platform.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from fermiloop.platform.acquisition.belief import Belief
    from fermiloop.platform.acquisition.protocol import Acquisition

    Array = NDArray[np.float64]

BLIND: Final = "random"
"""The acquisition that must not be steered, neither by what is known nor by likeness."""
CHOICE: Final = 10
"""Times the batch: of so many best ones a diverse batch is picked, so that memory stays small."""


def select_batch(
    acquisition: Acquisition,
    belief: Belief,
    features: ArrayLike,
    n: int,
    best: float,
    rng: np.random.Generator,
    *,
    diversity: float = 0.0,
    running: ArrayLike = (),
) -> list[int]:
    """Choose at most `n` candidates, best first, none twice.

    Candidates of whom nothing is known come last, in their order but for the diversity. With `random` neither counts:
    the baseline stays a baseline. Of candidates of equal worth that are equally unlike the chosen ones the first is
    taken, so ties fall by the order in which they are given: generator by generator, best score first.

    Parameters
    ----------
    acquisition
        One of the declared `ACQUISITIONS`, built.
    belief
        Of the m candidates.
    features
        (m, k) where candidates lie, such as fingerprints.
    n
        Most picks; all are picked, in order, where there are fewer.
    best
        Score to improve on (`incumbent`); NaN or -inf where there is none.
    diversity
        Weight of the penalty for likeness against a worth between 0 and 1.
    running
        (r, k) where evaluations without a result lie: what is like them is penalised too.

    Raises
    ------
    InputError
        If lengths differ, a feature is not finite, or a number is out of its range.
    """
    if n < 0 or not diversity >= 0:
        raise InputError(f"A batch needs n and diversity of zero or more, not {n} and {diversity}.")
    places = np.asarray(features, dtype=float).reshape(len(belief), -1) if len(belief) else np.zeros((0, 1))
    if not np.isfinite(places).all():
        raise InputError("Features of candidates must be finite numbers.")
    if not len(belief):
        return []
    value = np.asarray(acquisition.worth(belief, best, rng), dtype=float)
    if value.shape != (len(belief),):
        raise InputError(f"The acquisition {acquisition.name} gave {value.shape} numbers for {len(belief)} candidates.")
    blind = acquisition.name == BLIND
    worth = _unit_scale(value if blind else np.where(belief.known & np.isfinite(value), value, -np.inf))
    if blind or diversity == 0:
        return [int(i) for i in np.argsort(-worth, kind="stable")[:n]]
    top = np.argsort(-worth, kind="stable")[: max(CHOICE * n, n)]
    begun = np.asarray(running, dtype=float).reshape(-1, places.shape[1])
    return [int(top[i]) for i in _pick(worth[top], places[top], n, diversity, begun)]


def _unit_scale(values: Array) -> Array:
    """Known worth to 0..1; the unknown stays at -inf."""
    known = np.isfinite(values)
    if not known.any():
        return values
    low, high = values[known].min(), values[known].max()
    scaled = (values - low) / (high - low) if high > low else np.where(known, 0.0, values)
    return np.asarray(scaled)


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
