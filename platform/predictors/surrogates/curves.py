"""The similarity of a crystal's curve to the target's, by the model that is made for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fermiloop.platform.predictors.curve_similarity import FEWEST, CurveSimilarity
from fermiloop.platform.predictors.surrogates.packing import packed, unpacked

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from pymatgen.core import Structure

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

    def pack(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """What a config and a file of arrays hold of it."""
        return packed(self.model)

    def unpack(self, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        """Become the model whose `pack` is given."""
        self.model = unpacked(CurveSimilarity, config, arrays)
