"""The materials generator: codes of a crystal in a latent space, with a classifier of stability.

Noh et al. (2019) stack the codes of the elements and of the cell, pass them through one-dimensional convolutions
to 500 latent numbers and back, with 10⁻⁶ of the Kullback-Leibler divergence, and classify the latent code as
stable or not; so does the preset ``paper``, see `published`. Here the layers are dense, since neighbouring code numbers
are no neighbours in space.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

import numpy as np
import torch
from torch import Tensor, nn

from fermiloop.platform.predictors.device import best_device, normal, seeded
from fermiloop.platform.predictors.trainer import cosine_rate, run_epochs, set_rate, shuffled

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

DIVERGENCE: Final = 1e-6
"""Weight of the Kullback-Leibler divergence, summed over dimensions: the paper's, nearly a plain autoencoder."""
CLASSES: Final = 0.05
"""Weight of the classifier's cross-entropy."""
QUIET: Final = -6.0
"""Logarithm of the variance of latent points that a linear start begins with."""
RATE: Final = 1e-3
BATCH: Final = 64


class MaterialsGenerator(nn.Module):
    """Variational autoencoder of standardised codes, with a classifier on the latent mean.

    Parameters
    ----------
    width
        Numbers of a crystal's code.
    hidden
        Width of the layers.
    latent
        Dimension of the latent space.
    seed
        Of the initial weights.
    linear
        Whether a linear map goes past the layers, from the principal components of the codes on; the layers then learn
        what it leaves. Codes unlike those learned from come back better: they need not be learned.
    """

    def __init__(self, width: int, hidden: int, latent: int, seed: int = 0, linear: bool = False) -> None:
        super().__init__()
        with seeded(seed):
            self.encoder = nn.Sequential(
                nn.Linear(width, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(), nn.Linear(hidden, 2 * latent)
            )
            self.decoder = nn.Sequential(
                nn.Linear(latent, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(), nn.Linear(hidden, width)
            )
            self.classifier = nn.Sequential(nn.Linear(latent, 64), nn.Tanh(), nn.Linear(64, 1))
        self.project = nn.Linear(width, latent, bias=False) if linear else None
        self.expand = nn.Linear(latent, width, bias=False) if linear else None
        self.middle: Tensor
        self.scale: Tensor
        self.register_buffer("middle", torch.zeros(width))
        self.register_buffer("scale", torch.ones(width))

    def standardise(self, codes: Array, weights: Array | None = None) -> None:
        """Take mean and standard deviation of (n, width) codes; numbers that never change are left alone.

        With a linear map past the layers, numbers of one weight share one scale, by which the weight counts: blocks of
        a box that nearly always are empty then stay small, and components are those of the weighted error.
        """
        spread = codes.std(axis=0)
        if self.project is not None and weights is not None:
            for weight in np.unique(weights):
                alike = weights == weight
                spread[alike] = np.sqrt((spread[alike] ** 2).mean() / weight)
        self.middle.copy_(torch.as_tensor(codes.mean(axis=0)))
        self.scale.copy_(torch.as_tensor(np.where(spread > 1e-6, spread, 1.0)))

    def start_linear(self, codes: Array) -> None:
        """Begin at the principal components of (n, width) codes, with layers that add nothing; no-op without them.

        Components without variance are kept: what differs from all codes learned from in a new way still gets through.
        """
        if self.project is None or self.expand is None:
            return
        with torch.no_grad():
            standard = (torch.as_tensor(codes, dtype=torch.float32) - self.middle) / self.scale
            _, vectors = torch.linalg.eigh(standard.double().T @ standard.double() / len(codes))
            best = vectors.flip(1)[:, : self.project.out_features].T.float()
            self.project.weight.zero_()[: len(best)] = best
            self.expand.weight.zero_()[:, : len(best)] = best.T
            for layers, lowest in ((self.encoder, QUIET), (self.decoder, 0.0)):
                last = cast("nn.Linear", layers[-1])
                last.weight.zero_()
                last.bias.zero_()
                last.bias[self.project.out_features :] = lowest

    def forward(self, codes: Tensor) -> tuple[Tensor, Tensor]:
        """(n, latent) mean and log variance of (n, width) codes."""
        standard = (codes - self.middle) / self.scale
        mean, log_variance = self.encoder(standard).chunk(2, dim=1)
        if self.project is not None:
            mean = mean + self.project(standard)
        return mean, log_variance.clamp(-12, 4)

    def made(self, latent: Tensor) -> Tensor:
        """(n, width) standardised codes of (n, latent) points."""
        codes = self.decoder(latent)
        return torch.as_tensor(codes if self.expand is None else codes + self.expand(latent))

    def encode(self, codes: Array) -> Array:
        """(n, latent) latent means of (n, width) codes, without gradients."""
        with torch.no_grad():
            return np.asarray(self(torch.as_tensor(codes, dtype=torch.float32))[0].double().numpy())

    def decode(self, latent: Array) -> Array:
        """(n, width) codes of (n, latent) points, without gradients."""
        with torch.no_grad():
            made = self.made(torch.as_tensor(latent, dtype=torch.float32)) * self.scale + self.middle
            return np.asarray(made.double().numpy())

    def stability(self, latent: Array) -> Array:
        """(n,) probability of being stable of (n, latent) points."""
        with torch.no_grad():
            logits = self.classifier(torch.as_tensor(latent, dtype=torch.float32))[:, 0]
            return np.asarray(torch.sigmoid(logits).double().numpy())


@dataclass(frozen=True)
class GeneratorPlan:
    """How long and from what a materials generator learns.

    Parameters
    ----------
    epochs
        How many.
    weights
        (width,) of the squared error of each standardised number.
    divergence
        Weight of the Kullback-Leibler divergence.
    """

    epochs: int
    weights: Array
    divergence: float = DIVERGENCE


def train_generator(
    model: MaterialsGenerator,
    codes: Array,
    stable: Array,
    plan: GeneratorPlan,
    seed: int,
    progress: Callable[[str, float], None],
    resume: Path | None = None,
) -> tuple[float, ...]:
    """Train in place; loss by epoch.

    Parameters
    ----------
    model
        What learns.
    codes
        (n, width).
    stable
        (n,) 1 or 0, NaN where it is not known.
    plan
        Epochs and weights.
    seed, progress, resume
        As in `run_epochs`.
    """
    weighted = plan.weights / plan.weights.mean()
    model.standardise(codes, weighted)
    model.start_linear(codes)
    random, device = torch.Generator().manual_seed(seed), best_device()
    model.to(device)
    optimiser = torch.optim.AdamW(model.parameters(), RATE, weight_decay=1e-3)
    data, labels, weights = (
        torch.as_tensor(part, dtype=torch.float32, device=device)
        for part in (codes, stable, weighted if model.project is None else np.ones_like(weighted))
    )

    def step(epoch: int) -> float:
        set_rate(optimiser, cosine_rate(epoch, plan.epochs, RATE))
        total = 0.0
        for rows in shuffled(len(data), BATCH, random):
            mean, log_variance = model(data[rows])
            noise = normal(mean.shape, random, device)
            made = model.made(mean + noise * torch.exp(0.5 * log_variance))
            wanted = (data[rows] - model.middle) / model.scale
            loss = (weights * (made - wanted) ** 2).mean()
            divergence = -0.5 * (1 + log_variance - mean**2 - log_variance.exp()).sum(dim=1).mean()
            loss = loss + plan.divergence * divergence
            loss = loss + CLASSES * cross_entropy(model.classifier(mean)[:, 0], labels[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            total += float(loss.detach()) * len(rows)
        return total / len(data)

    parts: dict[str, nn.Module | torch.optim.Optimizer] = {"model": model, "optimiser": optimiser}
    try:
        return run_epochs(parts, plan.epochs, step, random, progress, "materials generator", resume)
    finally:
        model.cpu()


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Of (n,) logits and labels, NaN where there is none."""
    known = ~torch.isnan(labels)
    if not known.any():
        return logits.sum() * 0
    return nn.functional.binary_cross_entropy_with_logits(logits[known], labels[known])
