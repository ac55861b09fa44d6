"""A surrogate that has one model for each part of its target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from fermiloop.platform.errors import InputError
from fermiloop.platform.predictors.files import MISFITS, broken_model, read_model, under, write_model
from fermiloop.platform.predictors.surrogates.protocol import COVERAGE, parts_of
from fermiloop.platform.representations.training import FitReport

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from pymatgen.core import Structure

    from fermiloop.platform.predictors.files import Arrays, Config, Packed
    from fermiloop.platform.predictors.surrogates.protocol import Prediction, Predictions
    from fermiloop.platform.representations.training import Target, TrainingSet

SEED_STEP: Final = 7919
"""Between the seeds of two parts."""


class PartModel(Protocol):
    """Predicts one part; see `Surrogate` for what its methods take."""

    def enough(self, data: TrainingSet, target: Target) -> bool:
        """Whether there are answers enough to learn from."""
        ...

    def fit(
        self,
        data: TrainingSet,
        target: Target,
        seed: int,
        progress: Callable[[str, float], None],
        resume: Path | None = None,
    ) -> FitReport:
        """Learn."""
        ...

    def predict(self, structures: Sequence[Structure]) -> Prediction:
        """Mean and standard deviation, (n,) each."""
        ...

    def pack(self) -> Packed:
        """What a config and a file of arrays hold of it."""
        ...

    def unpack(self, config: Config, arrays: Arrays) -> None:
        """Become the model whose `pack` is given."""
        ...


class Partwise:
    """One model for each part.

    Parameters
    ----------
    name
        Its key in the registry.
    make
        Makes the untrained model of a part.
    options
        What was chosen, JSON-ready; kept with the weights.
    """

    def __init__(self, name: str, make: Callable[[str], PartModel], options: Mapping[str, Any]) -> None:
        self.name, self.make, self.options = name, make, dict(options)
        self.parts: dict[str, PartModel] | None = None

    def fit(
        self,
        data: TrainingSet,
        target: Target,
        seed: int,
        progress: Callable[[str, float], None],
        resume: Path | None = None,
    ) -> FitReport:
        """See `Surrogate`."""
        reports: dict[str, FitReport] = {}
        self.parts = {}
        for place, part in enumerate(parts_of(target)):
            model = self.make(part)
            if not model.enough(data, target):
                continue
            reports[part] = model.fit(data, target, seed + place * SEED_STEP, progress, resume)
            self.parts[part] = model
        progress(self.name, 1.0)
        return _together(reports)

    def predict(self, structures: Sequence[Structure]) -> Predictions:
        """See `Surrogate`."""
        if self.parts is None:
            raise InputError(f"The surrogate {self.name} is not trained; fit or load it first.")
        if not len(structures):
            return {part: (np.zeros(0), np.zeros(0)) for part in self.parts}
        return {part: model.predict(structures) for part, model in self.parts.items()}

    def save(self, folder: Path) -> None:
        """See `Surrogate`."""
        if self.parts is None:
            raise InputError(f"The surrogate {self.name} is not trained; fit or load it first.")
        configs, arrays = {}, {"parts": np.array([len(self.parts)])}  # safetensors keeps no empty file
        for place, (part, model) in enumerate(self.parts.items()):
            configs[part], found = model.pack()
            arrays |= {f"{place}.{key}": value for key, value in found.items()}
        config = {"name": self.name, "options": self.options, "parts": configs, "order": list(configs)}
        write_model(folder, config, arrays)

    def load(self, folder: Path) -> None:
        """See `Surrogate`."""
        config, arrays = read_model(folder, self.name)
        try:
            found: dict[str, PartModel] = {}
            for place, part in enumerate(config["order"]):
                found[part] = self.make(part)
                found[part].unpack(config["parts"][part], under(f"{place}.", arrays))
        except (ArithmeticError, *MISFITS) as error:
            raise broken_model(folder, error) from None
        self.parts = found


def _together(reports: Mapping[str, FitReport]) -> FitReport:
    """One report of all parts; coverage is that of all held-out labels."""
    metrics = {f"{key}/{part}": value for part, one in reports.items() for key, value in one.metrics.items()}
    measured = [one for one in reports.values() if COVERAGE in one.metrics]
    if measured:
        counts = [one.n_test or one.n_validation for one in measured]
        metrics[COVERAGE] = float(np.average([one.metrics[COVERAGE] for one in measured], weights=counts))
    return FitReport(
        metrics,
        tuple(loss for one in reports.values() for loss in one.history),
        max((one.n_train for one in reports.values()), default=0),
        max((one.n_validation for one in reports.values()), default=0),
        max((one.n_test for one in reports.values()), default=0),
        sum(one.core_seconds for one in reports.values()),
    )
