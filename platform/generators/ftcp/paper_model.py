"""Training and use of the published network: to the letter, and with what makes short trainings of use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch

from fermiloop.platform.generators.ftcp.model import TargetScale
from fermiloop.platform.generators.ftcp.paper import MOMENTUM, SEMI_LABELLED, PaperVae
from fermiloop.platform.predictors.device import best_device, precision, seeded
from fermiloop.platform.predictors.files import from_arrays, to_arrays
from fermiloop.platform.predictors.trainer import run_epochs, set_rate, shuffled
from fermiloop.platform.representations.element_bins import N_ELEMENTS
from fermiloop.platform.representations.ftcp import OCCUPIED, FtcpFeaturizer, RowScaler

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from fermiloop.platform.generators.ftcp.model import Array, Progress
    from fermiloop.platform.generators.ftcp.options import Training
    from fermiloop.platform.representations.crystals import CrystalBatch

RATES: Final = ((0.25, 1.0), (0.5, 0.2), (1.0, 0.1))
"""Share of the training up to which a share of the learning rate holds: 5e-4, 1e-4 at epoch 50, 5e-5 at 100 of 200."""
SEMI_RATES: Final = ((0.25, 1.6), (0.5, 0.4), (1.0, 0.1))
"""The same where a label is sparse, as in the paper's case 3: 8e-4, 2e-4, 5e-5."""
SEMI_BETA: Final = 1.5
"""Of the weight of the divergence there: 3 in place of 2."""
FEW: Final = 0.5
"""Labelled share under which the second, semi-supervised, branch learns a label."""
PUBLISHED_OCCUPIED: Final = 0.05
"""Occupancy from which on a site is there."""
CHUNK: Final = 256
THRESHOLDS: Final = (0.5, 0.4, 0.3, 0.2, 0.1, 0.05)
ASKED: Final = 500
"""Crystals that the threshold is chosen on."""
SETTLED: Final = 32
"""Batches over which the batch norms are averaged at the end."""


class Plateau(torch.nn.Module):
    """A learning rate that is set at milestones and falls where the loss does not (Keras's ReduceLROnPlateau).

    Its state is kept with the networks, so that a training that goes on has it.
    """

    FACTOR: Final = 0.3
    PATIENCE: Final = 4
    LOWEST: Final = 1e-6
    LEAST_CHANGE: Final = 1e-4

    rate: torch.Tensor
    best: torch.Tensor
    waited: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        for name, value in (("rate", 0.0), ("best", np.inf), ("waited", 0.0)):
            self.register_buffer(name, torch.tensor(value, dtype=torch.float64))

    def begin(self, rate: float | None) -> float:
        """The rate of an epoch; a number sets it."""
        if rate is not None:
            self.rate.fill_(rate)
        return float(self.rate)

    def end(self, loss: float) -> None:
        """Told the loss of an epoch."""
        if loss < float(self.best) - self.LEAST_CHANGE:
            self.best.fill_(loss)
            self.waited.fill_(0)
            return
        self.waited += 1
        if float(self.waited) >= self.PATIENCE:
            self.rate.fill_(max(self.FACTOR * float(self.rate), self.LOWEST))
            self.waited.fill_(0)


class PaperModel:
    """The published network on FTCP images: see `paper`.

    Learning rates change at milestones alone, the occupancy from which on a site is there is chosen on the training
    set, and the batch norms are averaged again at the end.

    Parameters
    ----------
    training
        Sizes and training.
    n_targets
        Properties.
    """

    unit_noise = True
    element_dimensions = 0
    published = False
    """Whether everything is to the letter."""

    def __init__(self, training: Training, n_targets: int) -> None:
        self.training = training
        self.featurizer = FtcpFeaturizer(training.max_elements, training.max_sites)
        rows = self.featurizer.shape[0]
        self.rows = rows + -rows % 4
        self.scaler = RowScaler(np.zeros(rows), np.ones(rows))
        self.scale = TargetScale(np.zeros(n_targets), np.ones(n_targets))
        self.sparse = [False] * n_targets
        self.occupied = OCCUPIED
        self.network = self._network(0)

    def fit(
        self, crystals: CrystalBatch, targets: Array, seed: int, progress: Progress, resume: Path | None
    ) -> tuple[float, ...]:
        """Train by RMSprop; images are made batch by batch, never all at once."""
        plan = self.training
        self.scaler = self._learn_scaler(crystals)
        self.scale = TargetScale.unit(targets)
        self.sparse = [bool(share < FEW) for share in np.isfinite(targets).mean(axis=0)]
        device = best_device()
        labels = torch.tensor(self.scale.scaled(targets), dtype=torch.float32, device=device)
        self.network = self._network(seed).to(device)
        optimiser = torch.optim.RMSprop(self.network.parameters(), lr=plan.learning_rate, alpha=0.9, eps=1e-7)
        random, plateau = torch.Generator().manual_seed(seed), Plateau()
        semi = self.published and any(self.sparse)
        beta = plan.beta * (SEMI_BETA if semi else 1.0)

        def step(epoch: int) -> float:
            self.network.train()
            self._set_rate(optimiser, plateau, epoch, SEMI_RATES if semi else RATES)
            total, batches = 0.0, shuffled(len(labels), plan.batch_size, random)
            for batch in batches:
                images = self._images(crystals.subset(batch.numpy())).to(device)
                with precision(device):
                    loss = self.network.loss(images, labels[batch], beta, random)
                optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                total += loss.item()
            plateau.end(total / len(batches))
            return total / len(labels)

        parts: dict[str, torch.nn.Module | torch.optim.Optimizer] = {"network": self.network, "optimiser": optimiser}
        if self.published:
            parts["plateau"] = plateau
        history = run_epochs(parts, plan.epochs, step, random, progress, "ftcp paper", resume)
        self.network.cpu().eval()
        if not self.published:
            self._settle(crystals, random)
            self.occupied = self._best_threshold(crystals.subset(np.arange(min(len(crystals), ASKED))))
        return history

    def encode(self, crystals: CrystalBatch) -> Array:
        """(n, latent) means."""
        with torch.no_grad():
            parts = [
                self.network.encode(self._images(crystals.subset(np.arange(start, min(start + CHUNK, len(crystals))))))
                for start in range(0, len(crystals), CHUNK)
            ]
        return np.concatenate([mean.numpy().astype(float) for mean, _ in parts])

    def decode(self, z: Array, allowed: NDArray[np.bool_] | None = None) -> CrystalBatch:
        """Crystals of (n, latent) points."""
        images = self.rebuilt(z)
        if allowed is not None:
            images[:, :N_ELEMENTS] = np.where(allowed[1:, None], images[:, :N_ELEMENTS], -1.0)
        return self.featurizer.inverse(images, self.occupied)

    def rebuilt(self, z: Array) -> NDArray[np.floating]:
        """(n, rows, columns) images of (n, latent) points, in their own units."""
        with torch.no_grad():
            scaled = self.network.decode(torch.tensor(z, dtype=torch.float32)).numpy()
        return self.scaler.inverse(scaled[:, : self.featurizer.shape[0]])

    def predict(self, z: torch.Tensor) -> torch.Tensor:
        """(n, n_targets) properties in their units."""
        return self.scale.in_units(self.network.targets(z))

    def config(self) -> dict[str, Any]:
        """As JSON."""
        return {"scale": self.scale.config(), "sparse": self.sparse, "occupied": self.occupied}

    def state(self) -> dict[str, NDArray[Any]]:
        """Weights and the scaling of rows."""
        scaling = {"scaler.low": self.scaler.low, "scaler.span": self.scaler.span}
        return to_arrays(self.network, "network.") | scaling

    def restore(self, config: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
        """Take over what `config` and `state` gave."""
        self.scale, self.sparse = TargetScale.restore(config["scale"]), list(config["sparse"])
        self.occupied = float(config["occupied"])
        self.scaler = RowScaler(arrays["scaler.low"], arrays["scaler.span"])
        self.network = self._network(0)
        from_arrays(self.network, arrays, "network.")
        self.network.eval()

    def _network(self, seed: int) -> PaperVae:
        plan = self.training
        with seeded(seed):
            network = PaperVae(self.rows, self.featurizer.shape[1], plan.latent, plan.width, self.sparse)
            if self.published and any(self.sparse):
                network.labelled = SEMI_LABELLED
        return network.eval()

    def _set_rate(
        self, optimiser: torch.optim.Optimizer, plateau: Plateau, epoch: int, rates: Sequence[tuple[float, float]]
    ) -> None:
        """That of the milestone; to the letter it may have fallen since the last one."""
        epochs, highest = self.training.epochs, self.training.learning_rate
        now, before = (
            next(share for until, share in rates if (max(e, 0) + 0.5) / epochs <= until) for e in (epoch, epoch - 1)
        )
        if not self.published:
            set_rate(optimiser, highest * now)
            return
        set_rate(optimiser, plateau.begin(highest * now if epoch == 0 or now != before else None))

    def _settle(self, crystals: CrystalBatch, random: torch.Generator) -> None:
        """Take the running averages of the batch norms again: after few steps they lag behind the weights."""
        norms = [layer for layer in self.network.modules() if isinstance(layer, torch.nn.BatchNorm1d)]
        for layer in norms:
            layer.reset_running_stats()
            layer.momentum = None  # a plain mean over the batches
        self.network.train()
        with torch.no_grad():
            for batch in shuffled(len(crystals), self.training.batch_size, random)[:SETTLED]:
                self.network.decode(self.network.encode(self._images(crystals.subset(batch.numpy())))[0])
        for layer in norms:
            layer.momentum = MOMENTUM
        self.network.eval()

    def _best_threshold(self, crystals: CrystalBatch) -> float:
        """Least occupancy of a site at which most training crystals have the right number of sites.

        The published 0.05 is right only once the network has converged.
        """
        images = self.rebuilt(self.encode(crystals))
        right = [(self.featurizer.inverse(images, t).n_sites == crystals.n_sites).sum() for t in THRESHOLDS]
        return THRESHOLDS[int(np.argmax(right))]

    def _images(self, crystals: CrystalBatch) -> torch.Tensor:
        images = self.scaler.transform(self.featurizer.transform(crystals, np.float32))
        return torch.from_numpy(np.pad(images, ((0, 0), (0, self.rows - images.shape[1]), (0, 0))))

    def _learn_scaler(self, crystals: CrystalBatch) -> RowScaler:
        found = [
            RowScaler.bounds(
                self.featurizer.transform(crystals.subset(np.arange(start, min(start + CHUNK, len(crystals)))))
            )
            for start in range(0, len(crystals), CHUNK)
        ]
        return RowScaler.between(np.min([low for low, _ in found], axis=0), np.max([high for _, high in found], axis=0))


class PublishedModel(PaperModel):
    """The same to the letter.

    The rate also falls on a plateau, sites are there from the published occupancy on, and where a label is sparse the
    weights and rates are those of the paper's case 3.
    """

    published = True

    def __init__(self, training: Training, n_targets: int) -> None:
        super().__init__(training, n_targets)
        self.occupied = PUBLISHED_OCCUPIED
