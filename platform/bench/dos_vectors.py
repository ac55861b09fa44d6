"""Baselines of the paper, by its own network: one-hot and formula vectors in place of composition vectors.

The paper says that composition vectors win (0.98 of 100 patterns against 0.77 with formula vectors, and less with
one-hot ones; Bang et al., 2024) and not how the others are written. Here a one-hot vector is m·(one-hot of A) ⊕
n·(one-hot of B), a composition vector whose element vectors know nothing of densities of states, and a formula vector
is their sum, the amounts by element. A network for all crystal systems stands beside the published one for each.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fermiloop.platform.bench.scores import Answers, row_of_answers
from fermiloop.platform.generators.regression import RegressionModel, RegressionOptions
from fermiloop.platform.representations.composition import CompositionVectors

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike, NDArray

    from fermiloop.platform.generators.samples import Samples
    from fermiloop.platform.representations.composition import CompositionTable, Row

    Rows = NDArray[np.int64]
    Array = NDArray[np.float64]

SPLITS: Final = ("in-sample", "held-out composition")
"""Of the baselines: the paper's protocol and what it is worth."""
FEWEST: Final = 30
"""Curves of a crystal system that has rows of its own."""


class FormulaVectors(CompositionVectors):
    """Amounts by element, in one block for all elements."""

    def __init__(self, table: CompositionTable) -> None:
        super().__init__(table, np.eye(len(table.elements)), 1)

    def encode(self, rows: Sequence[Row] | None = None) -> Array:
        """(n_rows, n_elements) amounts."""
        rows = self.table.rows if rows is None else rows
        vectors = np.zeros((len(rows), self.width))
        for i, row in enumerate(rows):
            for number, count in row:
                vectors[i, self.table.place[number]] = count
        return vectors

    def distances_to(self, vectors: ArrayLike, places: Rows, amounts: Rows) -> Array:
        """(k, m) Euclidean distances of (k, n_elements) vectors to m compositions."""
        given = np.asarray(vectors, dtype=float)
        mixed = (given[:, np.where(amounts > 0, places, 0)] * amounts).sum(axis=2)
        squares = (given**2).sum(axis=1, keepdims=True) - 2 * mixed + (amounts**2).sum(axis=1)
        return np.sqrt(np.maximum(squares, 0))


class OneHotRegression(RegressionModel):
    """The published network on one-hot vectors."""

    def _vectors(self, samples: Samples, seed: int) -> CompositionVectors:  # noqa: ARG002 - nothing is trained
        return CompositionVectors(self.table, np.eye(len(self.table.elements)), max(2, samples.most_components))


class FormulaRegression(RegressionModel):
    """The published network on formula vectors."""

    def _vectors(self, samples: Samples, seed: int) -> CompositionVectors:  # noqa: ARG002 - nothing is trained
        return FormulaVectors(self.table)


def vector_rows(
    samples: Samples,
    folds: dict[str, list[tuple[Rows, Rows]]],
    options: RegressionOptions,
    seed: int,
    progress: Callable[[str, float], None],
) -> list[dict[str, Any]]:
    """Rows of the baselines; those of one network for all crystal systems by crystal system too."""
    models: dict[str, Callable[[], RegressionModel]] = {
        "formula vectors": lambda: FormulaRegression(options),
        "one-hot vectors": lambda: OneHotRegression(options),
        "one network for all": lambda: RegressionModel(replace(options, by_system=False)),
    }
    rows = []
    for name, make in models.items():
        for split in SPLITS:
            progress(f"{name}, {split}", 0.0)
            began = time.process_time()
            answers = Answers.empty(len(samples))
            for train, test in folds[split]:
                model = make()
                model.fit(samples.subset(train), seed, _silent)
                answers.take(test, model, samples.subset(test), samples)
            rows.append(row_of_answers(name, split, answers, samples, time.process_time() - began))
            if name == "one network for all":
                rows += system_rows(name, split, answers, samples)
    return rows


def system_rows(model: str, split: str, answers: Answers, samples: Samples) -> list[dict[str, Any]]:
    """Rows of the curves of each crystal system that has enough of them."""
    rows = []
    for system, n in sorted(Counter(samples.systems.tolist()).items()):
        if n >= FEWEST:
            places = np.flatnonzero(samples.systems == system)
            rows.append(
                row_of_answers(model, f"{split}, {system}", answers.subset(places), samples.subset(places), 0.0)
            )
    return rows


def _silent(_stage: str, _share: float) -> None:
    """Progress is told by split."""
