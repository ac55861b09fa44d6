"""How often the true unary or binary is among the first answers of what did not learn from its composition.

`factorised` is measured on a fold of its own training, by the experts that have not seen its compositions and weights
found on the other folds. Of the other presets a model of its own learns from all but the test.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from fermiloop.platform.generators.calibration import calibration_error
from fermiloop.platform.generators.factorised import FactorisedModel
from fermiloop.platform.generators.samples import fold_numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from fermiloop.platform.generators.inverse import InverseSpectrumModel
    from fermiloop.platform.generators.samples import Samples
    from fermiloop.platform.representations.composition import CompositionTable

    Array = NDArray[np.float64]
    Outcomes = tuple[Array, Array]

TOP: Final = 5


def metrics_of(outcomes: Sequence[Outcomes]) -> tuple[dict[str, float], int]:
    """Metrics of the test samples of several models together, and how many these were; none where there are none."""
    ranks = np.concatenate([np.zeros(0), *(ranks for ranks, _ in outcomes)])
    mass = np.concatenate([np.zeros(0), *(mass for _, mass in outcomes)])
    if not len(ranks):
        return {}, 0
    return {
        "held_out_top1": float((ranks < 1).mean()),
        "held_out_top5": float((ranks < TOP).mean()),
        "held_out_median_rank": float(np.median(ranks)),
        "held_out_calibration_error": calibration_error(mass, ranks < TOP),
    }, len(ranks)


def outcomes_of(
    model: InverseSpectrumModel, share: float, seed: int, fit: Callable[[Samples], InverseSpectrumModel]
) -> Outcomes:
    """Rank of each test composition in the table and probability of the first five; (0,) each where nothing is tested.

    Parameters
    ----------
    model
        Trained on everything.
    share
        Of the compositions that are the test.
    fit
        Trains another model of the same kind.
    """
    return _of_own_fold(model.model) if isinstance(model.model, FactorisedModel) else _apart(model, share, seed, fit)


def _of_own_fold(model: FactorisedModel) -> Outcomes:
    places, scores = model.held_out()
    there = np.array([len(model.samples.rows[i]) <= 2 for i in places], dtype=bool)
    return _outcomes(scores[there], model.samples.subset(places[there]), model.table)


def _apart(
    model: InverseSpectrumModel, share: float, seed: int, fit: Callable[[Samples], InverseSpectrumModel]
) -> Outcomes:
    samples = model.known
    numbers = fold_numbers(samples.rows, max(round(1 / share), 1), np.random.default_rng(seed))
    tabulated = np.array([len(row) <= 2 for row in samples.rows])
    test = samples.subset(np.flatnonzero((numbers == 0) & tabulated))
    rest = samples.subset(np.flatnonzero(numbers != 0))
    if not (len(test) and rest.are_enough):
        return np.zeros(0), np.zeros(0)
    other = fit(rest)
    return _outcomes(other.log_probabilities(test.curves, test.systems), test, other.table)


def _outcomes(scores: Array, test: Samples, table: CompositionTable) -> Outcomes:
    ranks = ranks_of(scores, [table.index.get(row) for row in test.rows])
    return ranks, np.exp(-np.sort(-scores, axis=1)[:, :TOP]).sum(axis=1)


def ranks_of(scores: Array, places: list[int | None]) -> Array:
    """(k,) number of rows scored above the true one; infinite where the table lacks it."""
    return np.array(
        [np.inf if place is None else (row > row[place]).sum() for row, place in zip(scores, places, strict=True)]
    )
