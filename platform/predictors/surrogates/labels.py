"""One part of a target by the mean of several learners, with a spread that held-out labels bear out."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import ndtri

from fermiloop.platform.predictors.files import under
from fermiloop.platform.predictors.reliability import stretch_and_floor
from fermiloop.platform.predictors.surrogates.features import Scales, describe
from fermiloop.platform.predictors.surrogates.learners import LEARNERS, TrainingRows
from fermiloop.platform.predictors.surrogates.protocol import COVERAGE, SIMILARITY, answers
from fermiloop.platform.representations.training import FitReport

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pymatgen.core import Structure

    from fermiloop.platform.predictors.files import Arrays, Config, Packed
    from fermiloop.platform.predictors.surrogates.protocol import Prediction
    from fermiloop.platform.representations.training import Target, TrainingSet

FEWEST: Final = 4
"""Labels below which nothing is learned."""
FEWEST_HELD_OUT: Final = 10
"""Held-out labels below which the spread stays as it is."""
LEAST: Final = {"band_gap": 0.0, "energy_above_hull": 0.0, SIMILARITY: 0.0}
MOST: Final = {SIMILARITY: 1.0}
Z90: Final = float(ndtri(0.95))


class LabelModel:
    """Predicts one part.

    Parameters
    ----------
    part
        ``"similarity"`` or a property.
    kind
        Of `LEARNERS`.
    calibrated
        Whether the spread is brought to what held-out labels show.
    """

    def __init__(self, part: str, kind: str, *, calibrated: bool = True) -> None:
        self.part, self.kind, self.calibrated = part, kind, calibrated
        self.members = [make() for make in LEARNERS[kind]]
        self.stretch, self.floor = 1.0, 0.0

    def enough(self, data: TrainingSet, target: Target) -> bool:
        """Whether there are labels enough."""
        return int(np.isfinite(answers(data, target, self.part)).sum()) >= FEWEST

    def fit(
        self,
        data: TrainingSet,
        target: Target,
        seed: int,
        progress: Callable[[str, float], None],
        resume: Path | None = None,  # noqa: ARG002 - done in a moment
    ) -> FitReport:
        """See `Surrogate`."""
        began = time.process_time()
        values = answers(data, target, self.part)
        rows = np.flatnonzero(np.isfinite(values))
        described = describe(data.structures, progress)
        formulas = [data.structures[i].composition.reduced_formula for i in rows]
        training = TrainingRows(
            described.subset(rows),
            values[rows],
            np.unique(formulas, return_inverse=True)[1],
            Scales.of(described.descriptors),
            seed,
        )
        for place, member in enumerate(self.members):
            progress(f"{self.kind}: {self.part}", place / len(self.members))
            member.fit(training)
        metrics = self._calibrate(training) if self.calibrated else {}
        return FitReport(metrics, (), len(rows), 0, len(rows), time.process_time() - began)

    def predict(self, structures: Sequence[Structure]) -> Prediction:
        """Mean and standard deviation, (n,) each."""
        return self._finished(self._mixed([member.predict(describe(structures)) for member in self.members]))

    def pack(self) -> Packed:
        """What a config and a file of arrays hold of it."""
        config = {"kind": self.kind, "stretch": self.stretch, "floor": self.floor}
        arrays = {f"{i}.{key}": value for i, one in enumerate(self.members) for key, value in one.state().items()}
        return config, arrays

    def unpack(self, config: Config, arrays: Arrays) -> None:
        """Become the model whose `pack` is given."""
        self.stretch, self.floor = float(config["stretch"]), float(config["floor"])
        for i, member in enumerate(self.members):
            member.restore(under(f"{i}.", arrays))

    def _calibrate(self, training: TrainingRows) -> dict[str, float]:
        """Stretch the spread to held-out errors; what it covers after that."""
        held_out = self._mixed([member.held_out(training) for member in self.members])
        there = np.isfinite(held_out[0])
        if there.sum() < FEWEST_HELD_OUT:
            return {}
        error = (training.values - held_out[0])[there]
        unit = float(training.values.std()) or 1.0
        self.stretch, floor = stretch_and_floor(error / unit, held_out[1][there] / unit)
        self.floor = floor * unit
        mean, std = (one[there] for one in self._finished(held_out))
        truth = training.values[there]
        return {
            "held_out_mae": float(np.abs(truth - mean).mean()),
            "held_out_mae_of_mean": float(np.abs(truth - training.values.mean()).mean()),
            COVERAGE: float((np.abs(truth - mean) <= Z90 * std).mean()),
        }

    def _mixed(self, told: Sequence[Prediction]) -> Prediction:
        """The mean of all, with the mean of their variances."""
        spread = np.sqrt(np.mean([std**2 for _, std in told], axis=0))
        return np.mean([mean for mean, _ in told], axis=0), spread

    def _finished(self, found: Prediction) -> Prediction:
        """Within what is possible, with the calibrated spread."""
        mean, std = found
        least, most = LEAST.get(self.part, -np.inf), MOST.get(self.part, np.inf)
        return np.clip(mean, least, most), np.hypot(self.stretch * std, self.floor)
