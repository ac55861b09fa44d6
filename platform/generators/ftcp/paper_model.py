"""Training and use of the published network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch

from fermiloop.platform.generators.ftcp.model import TargetScale
from fermiloop.platform.generators.ftcp.paper import MOMENTUM, PaperVae
from fermiloop.platform.predictors.device import best_device, precision
from fermiloop.platform.predictors.files import from_arrays, to_arrays
from fermiloop.platform.predictors.trainer import run_epochs, set_rate, shuffled
from fermiloop.platform.representations.element_bins import N_ELEMENTS
from fermiloop.platform.representations.ftcp import OCCUPIED, FtcpFeaturizer, RowScaler

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from fermiloop.platform.generators.ftcp.model import Array, Progress
    from fermiloop.platform.generators.ftcp.options import Training
    from fermiloop.platform.representations.crystals import CrystalBatch

RATES: Final = ((0.25, 1.0), (0.5, 0.2), (1.0, 0.1))
"""Share of the training up to which a share of the learning rate holds: 5e-4, 1e-4 at epoch 50, 5e-5 at 100 of 200."""
FEW: Final = 0.5
"""Labelled share under which the second, semi-supervised, branch learns a label."""
CHUNK: Final = 256
THRESHOLDS: Final = (0.5, 0.4, 0.3, 0.2, 0.1, 0.05)
ASKED: Final = 500
"""Crystals that the threshold is chosen on."""
SETTLED: Final = 32
"""Batches over which the batch norms are averaged at the end."""


class PaperModel:
    """The published network on FTCP images: see `paper`.

    Parameters
    ----------
    training
        Sizes and training.
    n_targets
        Properties.
    """

    unit_noise = True

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
        random = torch.Generator().manual_seed(seed)

        def step(epoch: int) -> float:
            self.network.train()
            share = next(share for until, share in RATES if (epoch + 0.5) / plan.epochs <= until)
            set_rate(optimiser, plan.learning_rate * share)
            total = 0.0
            for batch in shuffled(len(labels), plan.batch_size, random):
                images = self._images(crystals.subset(batch.numpy())).to(device)
                with precision(device):
                    loss = self.network.loss(images, labels[batch], plan.beta, random)
                optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                total += loss.item()
            return total / len(labels)

        parts: dict[str, torch.nn.Module | torch.optim.Optimizer] = {"network": self.network, "optimiser": optimiser}
        history = run_epochs(parts, plan.epochs, step, random, progress, "ftcp paper", resume)
        self.network.cpu()
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
        shift, span = (torch.tensor(x, dtype=torch.float32) for x in (self.scale.shift, self.scale.span))
        return self.network.targets(z) * span + shift

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
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = PaperVae(self.rows, self.featurizer.shape[1], plan.latent, plan.width, self.sparse)
        return network.eval()

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
