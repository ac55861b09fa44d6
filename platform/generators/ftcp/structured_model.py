"""Training and use of the structured network, FTCP-H."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch

from fermiloop.platform.generators.ftcp.codec import CrystalCodec
from fermiloop.platform.generators.ftcp.model import TargetScale
from fermiloop.platform.generators.ftcp.structured import StructuredVae, as_codes, as_tensors
from fermiloop.platform.predictors.device import best_device, precision, seeded
from fermiloop.platform.predictors.files import from_arrays, to_arrays
from fermiloop.platform.predictors.trainer import cosine_rate, follow, run_epochs, set_rate, shuffled

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from fermiloop.platform.generators.ftcp.model import Array, Progress
    from fermiloop.platform.generators.ftcp.options import Training
    from fermiloop.platform.representations.crystals import CrystalBatch

WARM_UP: Final = 0.3
"""Share of the epochs over which the Kullback-Leibler term rises."""
CLIP: Final = 5.0
FOLLOW: Final = 0.995
DECAY: Final = 1e-4


class StructuredModel:
    """FTCP-H: see `structured`.

    Parameters
    ----------
    training
        Sizes and training.
    n_targets
        Properties.
    """

    unit_noise = False

    def __init__(self, training: Training, n_targets: int) -> None:
        self.training, self.n_targets = training, n_targets
        self.codec = CrystalCodec(training.max_elements, training.max_sites, np.zeros(6), np.ones(6))
        self.scale = TargetScale(np.zeros(n_targets), np.ones(n_targets))
        self.network = self._network(0)

    @property
    def element_dimensions(self) -> int:
        """Latent dimensions of the element slots, which come first."""
        return self.network.coded

    def fit(
        self, crystals: CrystalBatch, targets: Array, seed: int, progress: Progress, resume: Path | None
    ) -> tuple[float, ...]:
        """Train by AdamW; what is kept is a moving average of the weights."""
        plan = self.training
        self.codec = CrystalCodec.learn(crystals, plan.max_elements, plan.max_sites)
        self.scale = TargetScale.standard(targets)
        device = best_device()
        codes = [part.to(device) for part in as_tensors(self.codec.encode(crystals))]
        labels = torch.tensor(self.scale.scaled(targets), dtype=torch.float32, device=device)
        network, self.network = self._network(seed).to(device), self._network(seed).to(device)
        optimiser = torch.optim.AdamW(network.parameters(), lr=plan.learning_rate, weight_decay=DECAY, fused=True)
        random = torch.Generator().manual_seed(seed)
        steps = -(-len(labels) // plan.batch_size)

        def step(epoch: int) -> float:
            total = 0.0
            weight = plan.beta * min(1.0, epoch / (WARM_UP * plan.epochs))
            for i, batch in enumerate(shuffled(len(labels), plan.batch_size, random)):
                set_rate(optimiser, cosine_rate(epoch + i / steps, plan.epochs, plan.learning_rate, lowest=0.001))
                with precision(device):
                    loss = network.loss([part[batch] for part in codes], labels[batch], weight, random)
                optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                torch.nn.utils.clip_grad_norm_(network.parameters(), CLIP)
                optimiser.step()
                done = epoch * steps + i + 1
                follow(self.network, network, min(FOLLOW, done / (done + 10)))
                total += loss.item() * len(batch)
            return total / len(labels)

        parts: dict[str, torch.nn.Module | torch.optim.Optimizer]
        parts = {"network": network, "average": self.network, "optimiser": optimiser}
        history = run_epochs(parts, plan.epochs, step, random, progress, "ftcp structured", resume)
        self.network.cpu()
        return history

    def encode(self, crystals: CrystalBatch) -> Array:
        """(n, latent) means."""
        with torch.no_grad():
            return self.network.encode(as_tensors(self.codec.encode(crystals)))[0].numpy().astype(float)

    def decode(self, z: Array, allowed: NDArray[np.bool_] | None = None) -> CrystalBatch:
        """Crystals of (n, latent) points."""
        with torch.no_grad():
            elements, *rest = self.network.decode(torch.tensor(z, dtype=torch.float32))
            if allowed is not None:
                elements = elements.masked_fill(~torch.tensor(allowed), -torch.inf)
            return self.codec.decode(as_codes((elements, *rest)))

    def predict(self, z: torch.Tensor) -> torch.Tensor:
        """(n, n_targets) properties in their units."""
        return self.scale.in_units(self.network.targets(z))

    def config(self) -> dict[str, Any]:
        """As JSON."""
        return {"codec": self.codec.config(), "scale": self.scale.config()}

    def state(self) -> dict[str, NDArray[Any]]:
        """Weights."""
        return to_arrays(self.network, "network.")

    def restore(self, config: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
        """Take over what `config` and `state` gave."""
        self.codec, self.scale = CrystalCodec.restore(config["codec"]), TargetScale.restore(config["scale"])
        from_arrays(self.network, arrays, "network.")

    def _network(self, seed: int) -> StructuredVae:
        plan = self.training
        with seeded(seed):
            return StructuredVae(plan.max_elements, plan.max_sites, plan.latent, plan.width, self.n_targets)
