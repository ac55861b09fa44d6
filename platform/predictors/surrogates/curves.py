"""The similarity of a crystal's curve to the target's, by the model that is made for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fermiloop.platform.predictors.curve_similarity import FEWEST, CurveSimilarity

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pymatgen.core import Structure

    from fermiloop.platform.predictors.files import Arrays, Config, Packed
    from fermiloop.platform.predictors.surrogates.protocol import Prediction
    from fermiloop.platform.representations.training import FitReport, Target, TrainingSet


class CurveModel:
    """Predicts the similarity by `CurveSimilarity`.

    Parameters
    ----------
    part
        ``"similarity"``.
    """

    def __init__(self, part: str) -> None:
        self.part = part
        self.model = CurveSimilarity()

    def enough(self, data: TrainingSet, target: Target) -> bool:  # noqa: ARG002 - every curve counts
        """Whether there are curves enough."""
        return int(data.has_curve.sum()) >= FEWEST

    def fit(
        self,
        data: TrainingSet,
        target: Target,
        seed: int,
        progress: Callable[[str, float], None],
        resume: Path | None = None,  # noqa: ARG002 - done in seconds
    ) -> FitReport:
        """See `Surrogate`."""
        return self.model.fit(data, target, seed, progress)

    def predict(self, structures: Sequence[Structure]) -> Prediction:
        """Mean and standard deviation, (n,) each."""
        return self.model.similarity(structures)

    def pack(self) -> Packed:
        """What a config and a file of arrays hold of it."""
        return self.model.named()

    def unpack(self, config: Config, arrays: Arrays) -> None:
        """Become the model whose `pack` is given."""
        self.model = CurveSimilarity.restored(config, arrays)
