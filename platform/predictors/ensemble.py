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
from torch import nn

from fermiloop.platform.errors import InputError
from fermiloop.platform.predictors.descriptors import composition_descriptors, structure_descriptors
from fermiloop.platform.predictors.device import best_device, precision
from fermiloop.platform.predictors.files import Arrays, Config, Packed, SavedModel, from_arrays, to_arrays
from fermiloop.platform.predictors.trainer import cosine_rate, run_epochs, set_rate, shuffled
from fermiloop.platform.representations.training import FitReport

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from pymatgen.core import Structure

    from fermiloop.platform.predictors.trainer import Part
    from fermiloop.platform.representations.training import TrainingSet

    Array = NDArray[np.float64]

FEWEST: Final = 12
"""Labels below which nothing can be held out to calibrate on."""
CALIBRATION_SHARE: Final = 0.15
CLIP: Final = 6.0
"""Standard deviations at which a descriptor is cut off: a new element must not throw a network far out."""
NEVER_NEGATIVE: Final = frozenset({"band_gap", "energy_above_hull"})
DESCRIPTORS: Final = {"composition": composition_descriptors, "structure": structure_descriptors}


@dataclass(frozen=True)
class EnsembleOptions:
    """How the networks are trained.

    Parameters
    ----------
    members
        Networks.
    width
        Of their two hidden layers.
    epochs
        Passes over the training set; None takes 40, and more for small sets so that steps suffice.
    batch_size
        Crystals of a step.
    learning_rate
        Of AdamW at its highest.
    dropout
        Share of hidden numbers left out in training.
    """

    members: int = 5
    width: int = 192
    epochs: int | None = None
    batch_size: int = 128
    learning_rate: float = 2e-3
    dropout: float = 0.1


class Members(nn.Module):
    """All networks at once: weights of shape (members, in, out)."""

    def __init__(self, members: int, n_in: int, width: int, dropout: float, random: torch.Generator) -> None:
        super().__init__()
        sizes = ((n_in, width), (width, width), (width, 2))
        self.weights = nn.ParameterList(
            nn.Parameter(torch.randn(members, a, b, generator=random) * (2 / a) ** 0.5) for a, b in sizes
        )
        self.biases = nn.ParameterList(nn.Parameter(torch.zeros(members, 1, b)) for _, b in sizes)
        self.dropout = dropout

    def forward(self, x: torch.Tensor, random: torch.Generator | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        """(members, n) means and log variances of (n, n_in) inputs; numbers are left out where `random` is given."""
        hidden = x.expand(len(self.weights[0]), *x.shape)
        for layer in range(2):
            hidden = nn.functional.silu(torch.baddbmm(self.biases[layer], hidden, self.weights[layer]))
            if random is not None and self.dropout:
                kept = torch.rand(hidden.shape, generator=random).to(hidden.device) >= self.dropout
                hidden = hidden * kept / (1 - self.dropout)
        out = torch.baddbmm(self.biases[2], hidden, self.weights[2]).float()
        return out[..., 0], 6 * torch.tanh(out[..., 1] / 6) - 1


class PropertyEnsemble(SavedModel):
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
        self._scale_by(x[~held], y[~held])
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
        arrays = {"middle": self.middle, "width": self.width, "scores": self.scores}
        return config, arrays | to_arrays(self.network, "network.")

    @classmethod
    def restored(cls, config: Config, arrays: Arrays) -> PropertyEnsemble:
        """The same out of what `packed` gave."""
        model = cls(config["property"], config["inputs"], EnsembleOptions(**config["options"]))
        model.centre, model.spread, model.stretch = (float(config[k]) for k in ("centre", "spread", "stretch"))
        model.middle, model.width, model.scores = (arrays[k] for k in ("middle", "width", "scores"))
        model.network = model._untrained(len(model.middle), torch.Generator())
        from_arrays(model.network, arrays, "network.")
        return model

    def _scale_by(self, x: Array, y: Array) -> None:
        self.middle, self.width = x.mean(axis=0), x.std(axis=0)
        self.width = np.where(self.width > 1e-9, self.width, 1.0)
        self.centre, self.spread = float(y.mean()), float(y.std()) or 1.0

    def _scaled(self, x: Array) -> torch.Tensor:
        return torch.tensor(np.clip((x - self.middle) / self.width, -CLIP, CLIP), dtype=torch.float32)

    def _untrained(self, n_in: int, random: torch.Generator) -> Members:
        return Members(self.options.members, n_in, self.options.width, self.options.dropout, random)

    def _train(
        self, x: torch.Tensor, y: Array, seed: int, progress: Callable[[str, float], None], resume: Path | None
    ) -> tuple[float, ...]:
        """Minimise the negative logarithm of the likelihood; the squared error alone in the first third."""
        random, device = torch.Generator().manual_seed(seed), best_device()
        self.network = self._untrained(x.shape[1], random).to(device)
        targets = torch.tensor(y, dtype=torch.float32, device=device)
        weights = torch.poisson(torch.ones(self.options.members, len(x)), generator=random).to(device)
        x = x.to(device)
        optimiser = torch.optim.AdamW(self.network.parameters(), self.options.learning_rate, weight_decay=1e-2)
        steps = -(-len(x) // self.options.batch_size)
        epochs = self.options.epochs or min(max(40, 1200 // steps), 200)

        def step(epoch: int) -> float:
            total = 0.0
            for place, rows in enumerate(shuffled(len(x), self.options.batch_size, random)):
                set_rate(optimiser, cosine_rate(epoch + place / steps, epochs, self.options.learning_rate))
                with precision(device):
                    mean, log_variance = self.network(x[rows], random)
                error = (mean - targets[rows]) ** 2
                if 3 * epoch >= epochs:
                    error = 0.5 * (error * torch.exp(-log_variance) + log_variance)
                loss = (weights[:, rows] * error).mean()
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                total += loss.item() * len(rows)
            return total / len(x)

        what = f"{self.property} from {self.inputs}"
        parts: dict[str, Part] = {"network": self.network, "optimiser": optimiser}
        history = run_epochs(parts, epochs, step, random, progress, what, resume)
        self.network = self.network.cpu()
        return history

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


def held_out(formulas: Sequence[str], random: np.random.Generator) -> NDArray[np.bool_]:
    """(n,) whether a crystal is kept back for the calibration: whole compositions, at least two."""
    kinds = sorted(set(formulas))
    n = max(2, round(CALIBRATION_SHARE * len(kinds)))
    chosen = {kinds[i] for i in random.permutation(len(kinds))[:n]}
    return np.array([formula in chosen for formula in formulas])
