"""What every figure is measured against: retrieval of the nearest curve, and chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fermiloop.platform.generators.calibration import log_softmax
from fermiloop.platform.generators.experts import unit

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from fermiloop.platform.generators.samples import Samples

    Array = NDArray[np.float64]


class NearestNeighbour:
    """Ranks compositions by the cosine similarity of their nearest known curve; has no probabilities."""

    def fit(self, samples: Samples, seed: int, progress: Callable[[str, float], None]) -> tuple[float, ...]:  # noqa: ARG002 - nothing is random or slow
        """Keep the curves."""
        self.table = samples.table()
        self.samples = samples
        return ()

    def log_probabilities(self, curves: Array, systems: NDArray[np.str_]) -> Array:  # noqa: ARG002 - retrieval by curve alone
        """(k, n_rows) similarity, minus infinity for a composition without a curve."""
        cosines = unit(curves) @ unit(self.samples.curves).T
        scores = np.full((len(curves), len(self.table)), -np.inf)
        for place, column in zip((self.table.index[row] for row in self.samples.rows), cosines.T, strict=True):
            scores[:, place] = np.maximum(scores[:, place], column)
        return scores


class RandomRows:
    """Ranks compositions at random."""

    def fit(self, samples: Samples, seed: int, progress: Callable[[str, float], None]) -> tuple[float, ...]:  # noqa: ARG002 - no training
        """Keep the table."""
        self.table = samples.table()
        self.rng = np.random.default_rng(seed)
        return ()

    def log_probabilities(self, curves: Array, systems: NDArray[np.str_]) -> Array:  # noqa: ARG002 - at random
        """(k, n_rows) log probabilities about even."""
        return log_softmax(1e-3 * self.rng.random((len(curves), len(self.table))))
