"""From ranked compositions to the columns of the table."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final, Protocol, Self

import numpy as np

from fermiloop.platform.campaign.statistics import wilson
from fermiloop.platform.generators.calibration import calibration_error
from fermiloop.platform.generators.experts import unit
from fermiloop.platform.generators.held_out import ranks_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fermiloop.platform.generators.samples import Samples
    from fermiloop.platform.representations.composition import CompositionTable

    Array = NDArray[np.float64]

TOP: Final = 5
SIMILAR: Final = 0.7  # the paper's threshold of DOS-pattern accuracy


class Ranker(Protocol):
    """What is benchmarked."""

    table: CompositionTable

    def log_probabilities(self, curves: Array, systems: NDArray[np.str_]) -> Array:
        """(k, n_rows) scores; log probabilities where the model has any."""
        ...


@dataclass
class Answers:
    """Outcome for each of n samples.

    Parameters
    ----------
    ranks
        (n,) compositions ranked before the true one.
    confidence
        (n,) probability given to the five, NaN where a model has none.
    pair
        (n,) whether the first answer has the right elements.
    similarity, similarity_excluding_self
        (n,) mean over the five candidates that the library holds of the cosine between the sample's
        curve and the candidate's nearest curve, NaN where it holds none of them; the second leaves
        out the sample's own composition.
    scored
        (n,) share of the five candidates that the library holds.
    """

    ranks: Array
    confidence: Array
    pair: Array
    similarity: Array
    similarity_excluding_self: Array
    scored: Array

    @classmethod
    def empty(cls, n: int) -> Self:
        """Answers of n samples not yet asked for."""
        return cls(*(np.full(n, np.nan) for _ in range(6)))

    def subset(self, places: NDArray[np.int64]) -> Self:
        """Answers of the samples at `places`."""
        return type(self)(*(getattr(self, field.name)[places] for field in fields(self)))

    def miss(self, places: NDArray[np.int64]) -> None:
        """Nothing is answered at `places`."""
        self.ranks[places], self.pair[places], self.scored[places] = np.inf, 0, 0

    def take(self, places: NDArray[np.int64], model: Ranker, asked: Samples, library: Samples) -> None:
        """Ask `model` for `asked` and put the outcome at `places`."""
        scores = model.log_probabilities(asked.curves, asked.systems)
        self.ranks[places] = ranks_of(scores, [model.table.index.get(row) for row in asked.rows])
        best = np.argsort(-scores, axis=1, kind="stable")[:, :TOP]
        mass = np.exp(np.take_along_axis(scores, best, axis=1)).sum(axis=1)
        normalised = np.allclose(np.exp(scores).sum(axis=1), 1, atol=1e-3)
        self.confidence[places] = np.minimum(mass, 1) if normalised else np.nan
        cosines = unit(asked.curves) @ unit(library.curves).T
        for j, place in enumerate(places):
            candidates = [model.table.rows[i] for i in best[j] if np.isfinite(scores[j, i])]
            truth = asked.rows[j]
            self.pair[place] = bool(candidates) and {z for z, _ in candidates[0]} == {z for z, _ in truth}
            near = {row: 0.0 for row in candidates if row in set(library.rows)}
            for row, value in zip(library.rows, cosines[j], strict=True):
                if row in near:
                    near[row] = max(near[row], float(value))
            self.scored[place] = len(near) / TOP
            self.similarity[place] = np.mean(list(near.values())) if near else np.nan
            others = [value for row, value in near.items() if row != truth]
            self.similarity_excluding_self[place] = np.mean(others) if others else np.nan


def row_of_answers(model: str, split: str, answers: Answers, samples: Samples, seconds: float) -> dict[str, Any]:
    """One row of the table; shares between 0 and 1, None where nothing could be measured."""
    n = len(samples)
    hit = answers.ranks < TOP
    first = wilson(int((answers.ranks < 1).sum()), n)
    low, high = wilson(int(hit.sum()), n)
    alone = np.array([len(row) == 1 for row in samples.rows])
    told = np.isfinite(answers.confidence)
    return {
        "model": model,
        "split": split,
        "n": n,
        "top1": _share(answers.ranks < 1),
        "top1_low": round(first[0], 4),
        "top1_high": round(first[1], 4),
        "top5": _share(hit),
        "top5_low": round(low, 4),
        "top5_high": round(high, 4),
        "top5_unaries": _share(hit[alone]),
        "top5_binaries": _share(hit[~alone]),
        "median_rank": _finite(np.median(answers.ranks)),
        **_similar_rows(answers.similarity),
        "dos_accuracy_excluding_self": _similar(answers.similarity_excluding_self),
        "scored_share": round(float(answers.scored.mean()), 4),
        "element_pair": _share(answers.pair),
        "ece": round(calibration_error(answers.confidence, hit), 4) if told.all() else None,
        "seconds": round(seconds, 1),
    }


def _share(hits: NDArray[Any]) -> float | None:
    return round(float(np.mean(hits)), 4) if len(hits) else None


def _similar(values: Array) -> float | None:
    scored = values[np.isfinite(values)]
    return _share(scored > SIMILAR)


def _similar_rows(values: Array) -> dict[str, Any]:
    """DOS accuracy of those that can be scored, and how many these are."""
    scored = values[np.isfinite(values)]
    low, high = wilson(int((scored > SIMILAR).sum()), len(scored)) if len(scored) else (np.nan, np.nan)
    told = {"dos_accuracy": _similar(values), "dos_n": len(scored)}
    return told if not len(scored) else told | {"dos_low": round(low, 4), "dos_high": round(high, 4)}


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
