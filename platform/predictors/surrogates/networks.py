"""One property by the ensemble of networks of `predictors.ensemble`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from fermiloop.platform.predictors.ensemble import FEWEST, PropertyEnsemble
from fermiloop.platform.predictors.surrogates.labels import Z90
from fermiloop.platform.predictors.surrogates.protocol import COVERAGE, answers
from fermiloop.platform.representations.training import FitReport

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pymatgen.core import Structure

    from fermiloop.platform.predictors.files import Arrays, Config, Packed
    from fermiloop.platform.predictors.surrogates.protocol import Prediction
    from fermiloop.platform.representations.training import Target, TrainingSet

FEWEST_FORMULAS: Final = 4


class NetworkModel:
    """Predicts one property.

    Parameters
    ----------
    part
        The property.
    """

    def __init__(self, part: str) -> None:
        self.part = part
        self.ensemble = PropertyEnsemble(part, "structure")

    def enough(self, data: TrainingSet, target: Target) -> bool:
        """Whether there are labels enough, of compositions enough."""
        rows = np.flatnonzero(np.isfinite(answers(data, target, self.part)))
        formulas = {data.structures[i].composition.reduced_formula for i in rows}
        return len(rows) >= FEWEST and len(formulas) >= FEWEST_FORMULAS

    def fit(
        self,
        data: TrainingSet,
        target: Target,  # noqa: ARG002 - the property is all it needs
        seed: int,
        progress: Callable[[str, float], None],
        resume: Path | None = None,
    ) -> FitReport:
        """See `Surrogate`."""
        report = self.ensemble.fit(data, seed, progress, resume)
        covered = float((self.ensemble.scores <= Z90).mean())
        return FitReport(
            {**report.metrics, COVERAGE: covered}, report.history, report.n_train, report.n_validation, 0,
            report.core_seconds,
        )  # fmt: skip

    def predict(self, structures: Sequence[Structure]) -> Prediction:
        """Mean and standard deviation, (n,) each."""
        return self.ensemble.predict(structures)

    def pack(self) -> Packed:
        """What a config and a file of arrays hold of it."""
        return self.ensemble.named()

    def unpack(self, config: Config, arrays: Arrays) -> None:
        """Become the model whose `pack` is given."""
        self.ensemble = PropertyEnsemble.restored(config, arrays)
