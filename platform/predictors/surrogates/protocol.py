"""What a surrogate takes and gives: one model of all parts of a target.

A part is ``"similarity"``, the cosine of a crystal's curve to the target's inside its window, or the name of a property
that the target has a condition on. Campaigns, gates and replays know no other kind of surrogate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from fermiloop.platform.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pymatgen.core import Structure

    from fermiloop.platform.representations.training import FitReport, Target, TrainingSet

Array = NDArray[np.float64]
Prediction = tuple[Array, Array]
"""Mean and standard deviation, (n,) each."""
Predictions = dict[str, Prediction]
"""By part; a part that there is too little to learn from is absent."""

SIMILARITY: Final = "similarity"
COVERAGE: Final = "held_out_coverage_90"
"""Metric: share of held-out labels inside the central 90 % interval, over all parts."""


class Surrogate(Protocol):
    """Predicts all parts of one target.

    Parameters
    ----------
    name
        Its key in the registry.
    """

    name: str

    def fit(
        self,
        data: TrainingSet,
        target: Target,
        seed: int,
        progress: Callable[[str, float], None],
        resume: Path | None = None,
    ) -> FitReport:
        """Train on the rows of `data` that have an answer, for each part by itself.

        Parameters
        ----------
        data
            Crystals with labels and curves.
        target
            Its parts are what is learned; its curve and window say what the similarity is.
        seed
            Of everything random.
        progress
            Told a stage and the share of it that is done; an exception out of it cancels.
        resume
            Folder where a long training keeps its state.

        Raises
        ------
        InputError
            If a label or a curve is infinite, or an element lies beyond the tables.
        """
        ...

    def predict(self, structures: Sequence[Structure]) -> Predictions:
        """Mean and calibrated standard deviation of each part that was learned.

        Raises
        ------
        InputError
            If it was not fitted, or an element lies beyond the tables.
        """
        ...

    def save(self, folder: Path) -> None:
        """Write ``weights.safetensors`` and ``config.json`` into an existing folder, with no folder inside it."""
        ...

    def load(self, folder: Path) -> None:
        """Become the surrogate that `save` wrote; `registry.load_surrogate` makes one of its name and options.

        Raises
        ------
        InputError
            If a file is missing or is not what `save` writes.
        """
        ...


def parts_of(target: Target) -> tuple[str, ...]:
    """Parts of a target, the similarity first, none twice."""
    curve = () if target.curve is None else (SIMILARITY,)
    return tuple(dict.fromkeys([*curve, *(condition.property for condition in target.conditions)]))


def answers(data: TrainingSet, target: Target, part: str) -> Array:
    """(n,) answers to one part of the target, NaN where a crystal has none.

    Raises
    ------
    InputError
        If an answer is infinite, or a curve holds single NaN.
    """
    if part == SIMILARITY:
        return similarities(data, target)
    found = np.asarray(data.labels.get(part, np.full(len(data), np.nan)), dtype=float)
    if np.isinf(found).any():
        raise InputError(f"A label {part} is infinite; leave that material out.")
    return found


def similarities(data: TrainingSet, target: Target) -> Array:
    """(n,) cosine of each curve to the target's inside its window, NaN where a crystal has no curve.

    Raises
    ------
    InputError
        If a curve holds single NaN or infinity, or the target's curve cannot be had on the grid of the data.
    """
    data.check_curves()
    there = data.has_curve
    found = np.full(len(data), np.nan)
    if there.any():
        found[there] = target.similarity(np.maximum(data.curves[there], 0.0), data.grid)
    return found
