"""A property of crystals with the uncertainty it is predicted with: an ensemble of networks, calibrated.

Five small networks each give a mean and a variance (Lakshminarayanan, Pritzel and Blundell, NeurIPS 2017), each on a
bootstrap of its own (Poisson weights). Their mixture is scaled on compositions held out of the training so that
standardised errors have unit variance, and its intervals are split-conformal (Angelopoulos and Bates,
arXiv:2107.07511): a share of 90 % of new crystals like those held out lies in the 90 % interval.

Gaps and hull distances are never predicted below zero, but metals are not told apart first: the mean of a gap is an
average over metal and insulator where the networks cannot say, and its interval is one of both.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import torch

from fermiloop.platform.errors import InputError
from fermiloop.platform.predictors.descriptors import composition_descriptors, structure_descriptors
from fermiloop.platform.predictors.device import best_device
from fermiloop.platform.predictors.files import Arrays, Config, Packed
from fermiloop.platform.predictors.members import MembersModel, MembersOptions, held_out
from fermiloop.platform.representations.training import FitReport

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from pymatgen.core import Structure

    from fermiloop.platform.predictors.members import Outputs
    from fermiloop.platform.representations.training import TrainingSet

    Array = NDArray[np.float64]

FEWEST: Final = 12
"""Labels below which nothing can be held out to calibrate on."""
NEVER_NEGATIVE: Final = frozenset({"band_gap", "energy_above_hull"})
DESCRIPTORS: Final = {"composition": composition_descriptors, "structure": structure_descriptors}


@dataclass(frozen=True)
class EnsembleOptions(MembersOptions):
    """How the networks are trained; without a number of epochs 40, and more for small sets so that steps suffice."""


class PropertyEnsemble(MembersModel):
    """Predicts one property.

    Parameters
    ----------
    property_name
        Name of the label, such as ``formation_energy_per_atom``.
    inputs
        ``"structure"``, or ``"composition"`` to predict before there is a crystal.
    options
        How the networks are trained.
    """

    name = "property_ensemble"

    def __init__(self, property_name: str, inputs: str = "structure", options: EnsembleOptions | None = None) -> None:
        if inputs not in DESCRIPTORS:
            raise InputError(f"An ensemble sees {' or '.join(DESCRIPTORS)}, not {inputs}.")
        self.property, self.inputs = property_name, inputs
        self.options = options or EnsembleOptions()

    def fit(
        self,
        data: TrainingSet,
        seed: int,
        progress: Callable[[str, float], None],
        resume: Path | None = None,
    ) -> FitReport:
        """Train on most compositions, calibrate on the rest; crystals without the label are left out.

        Raises
        ------
        InputError
            If fewer than 12 crystals of at least 4 compositions have the label, or a label is infinite.
        """
        values = np.asarray(data.labels.get(self.property, np.full(len(data), np.nan)), dtype=float)
        rows = np.flatnonzero(~np.isnan(values))
        formulas = [data.structures[i].composition.reduced_formula for i in rows]
        if len(rows) < FEWEST or len(set(formulas)) < 4:
            raise InputError(f"An ensemble for {self.property} needs at least {FEWEST} labels, not {len(rows)}.")
        if np.isinf(values[rows]).any():
            raise InputError(f"A label {self.property} is infinite; leave that material out.")
        x = DESCRIPTORS[self.inputs]([data.structures[i] for i in rows])
        return self.fit_rows(x, values[rows], formulas, seed, progress, resume)

    def fit_rows(
        self,
        x: Array,
        y: Array,
        formulas: Sequence[str],
        seed: int,
        progress: Callable[[str, float], None],
        resume: Path | None = None,
    ) -> FitReport:
        """As `fit`, of crystals described already.

        Parameters
        ----------
        x
            (n, d) descriptors, `DESCRIPTORS` of the inputs.
        y
            (n,) finite labels.
        formulas
            Of the n crystals; those of one formula stay together.
        seed, progress, resume
            As of `fit`.
        """
        began = time.process_time()
        held = held_out(formulas, np.random.default_rng(seed))
        self._scale_inputs(x[~held])
        self.centre, self.spread = float(y[~held].mean()), float(y[~held].std()) or 1.0
        history = self._train(self._scaled(x[~held]), (y[~held] - self.centre) / self.spread, seed, progress, resume)
        metrics = self._calibrate(x[held], y[held])
        metrics["held_out_mae_of_mean"] = float(np.abs(y[held] - y[~held].mean()).mean())
        return FitReport(metrics, history, int((~held).sum()), int(held.sum()), 0, time.process_time() - began)

    def predict(self, structures: Sequence[Structure]) -> tuple[Array, Array]:
        """Mean and calibrated standard deviation, (n,) each, in the property's unit.

        Raises
        ------
        InputError
            If it is not trained, or an element lies beyond Lr.
        """
        if not hasattr(self, "network"):
            raise InputError(f"The ensemble for {self.property} is not trained; fit or load it first.")
        if not len(structures):
            return np.zeros(0), np.zeros(0)
        return self.predict_rows(DESCRIPTORS[self.inputs](structures))

    def predict_rows(self, x: Array) -> tuple[Array, Array]:
        """As `predict`, of (n, d) descriptors."""
        mean, std = self._raw(x)
        return mean, std * self.stretch

    def interval(self, structures: Sequence[Structure], coverage: float = 0.9) -> tuple[Array, Array]:
        """Lower and upper end of split-conformal intervals, (n,) each.

        Raises
        ------
        InputError
            If the coverage is not in (0, 1), or it is not trained.
        """
        mean, std = self.predict(structures)
        half = std * self.quantile(coverage)
        return mean - half, mean + half

    def quantile(self, coverage: float) -> float:
        """How many standard deviations a split-conformal interval reaches to either side.

        Raises
        ------
        InputError
            If the coverage is not in (0, 1).
        """
        if not 0 < coverage < 1:
            raise InputError(f"A coverage lies between 0 and 1, not at {coverage}.")
        n = len(self.scores)
        place = min(int(np.ceil((n + 1) * coverage)), n) - 1
        return float(np.sort(self.scores)[place])

    def packed(self) -> Packed:
        """What is kept of it."""
        config = {
            "property": self.property,
            "inputs": self.inputs,
            "options": asdict(self.options),
            "centre": self.centre,
            "spread": self.spread,
            "stretch": self.stretch,
        }
        return config, {"scores": self.scores} | self._arrays()

    @classmethod
    def restored(cls, config: Config, arrays: Arrays) -> PropertyEnsemble:
        """The same out of what `packed` gave."""
        model = cls(config["property"], config["inputs"], EnsembleOptions(**config["options"]))
        model.centre, model.spread, model.stretch = (float(config[k]) for k in ("centre", "spread", "stretch"))
        model.scores = arrays["scores"]
        model._restore(arrays)
        return model

    def _train(
        self, x: torch.Tensor, y: Array, seed: int, progress: Callable[[str, float], None], resume: Path | None
    ) -> tuple[float, ...]:
        """Minimise the negative logarithm of the likelihood; the squared error alone in the first third."""
        device = best_device()
        targets = torch.tensor(y, dtype=torch.float32, device=device)
        epochs = self.options.epochs or min(max(40, 1200 // self._steps(len(x))), 200)

        def loss_of(outputs: Outputs, rows: torch.Tensor, counts: torch.Tensor, epoch: int) -> torch.Tensor:
            mean, log_variance = outputs
            error = (mean - targets[rows]) ** 2
            if 3 * epoch >= epochs:
                error = 0.5 * (error * torch.exp(-log_variance) + log_variance)
            return (counts * error).mean()

        what = f"{self.property} from {self.inputs}"
        return self._train_members(x, epochs, loss_of, seed, progress, what, resume, device)

    def _raw(self, x: Array) -> tuple[Array, Array]:
        """Mean and standard deviation of the mixture before calibration."""
        with torch.no_grad():
            mean, log_variance = (part.numpy().astype(float) for part in self.network(self._scaled(x)))
        centre = mean.mean(axis=0)
        std = np.sqrt(np.exp(log_variance).mean(axis=0) + mean.var(axis=0))
        found = self.centre + self.spread * centre
        return np.maximum(found, 0) if self.property in NEVER_NEGATIVE else found, self.spread * std

    def _calibrate(self, x: Array, y: Array) -> dict[str, float]:
        """Scale standard deviations so that held-out errors over them have unit mean square."""
        mean, std = self._raw(x)
        self.stretch = float(np.sqrt((((y - mean) / std) ** 2).mean()))
        self.scores = np.abs(y - mean) / (std * self.stretch)
        return {"held_out_mae": float(np.abs(y - mean).mean()), "stretch": self.stretch}
