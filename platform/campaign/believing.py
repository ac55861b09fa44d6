"""Predictions of candidates, as they are stored by the names of their scores, and what is believed because of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fermiloop.platform.campaign import goal, hits
from fermiloop.platform.predictors.surrogates.protocol import parts_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from fermiloop.platform.acquisition.belief import Belief
    from fermiloop.platform.representations.training import Target

    Array = NDArray[np.float64]


def predictions(target: Target, rows: Sequence[Mapping[str, Any]]) -> dict[str, tuple[Array, Array]]:
    """Mean and standard deviation, (n,) each, of each part that is predicted of some row.

    Parameters
    ----------
    rows
        Scores of each candidate; a part without a standard deviation counts as exact.
    """
    found = {}
    for name in parts_of(target):
        mean = np.array([row.get(f"predicted_{name}", np.nan) for row in rows], dtype=float)
        std = np.array([row.get(f"predicted_{name}_std", 0.0) for row in rows], dtype=float)
        if np.isfinite(mean).any():
            found[name] = (mean, std)
    return found


def belief_of(
    target: Target, rows: Sequence[Mapping[str, Any]], computed: Sequence[Mapping[str, float]] = ()
) -> Belief:
    """What is believed of candidates because of their stored predictions.

    Parameters
    ----------
    rows
        Scores of each candidate.
    computed
        Of those evaluated, what `computed_parts` gives.
    """
    return goal.believe(target, predictions(target, rows), computed, len(rows))


def computed_parts(scores: Mapping[str, Any]) -> dict[str, float]:
    """What an evaluation gave, by the keys of `goal.score_of`."""
    start = "computed_"
    return {name.removeprefix(start): float(value) for name, value in scores.items() if name.startswith(start)}


def with_belief(target: Target, rows: Sequence[Mapping[str, float]]) -> list[dict[str, float]]:
    """Rows of predictions, with predicted score, its standard deviation and the probability of a hit where known."""
    belief = belief_of(target, rows)
    made = []
    for i, row in enumerate(rows):
        more = {"predicted_score": belief.mean[i], "predicted_score_std": belief.std[i]}
        if hits.requirements(target):
            more["predicted_probability"] = belief.probability[i]
        made.append({**row, **{name: float(value) for name, value in more.items() if np.isfinite(value)}})
    return made
