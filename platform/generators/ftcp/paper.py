"""The published network: convolutions over the rows of an FTCP image, and branches that learn properties.

Layers, loss and rates as published with the paper (Ren et al., Matter 5, 314, 2022). The loss sums squares over the
whole batch, so its Kullback-Leibler term weighs next to nothing: it is an autoencoder whose latent points lie
far from N(0, 1). A second branch learns sparse labels from the labelled members of a batch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import torch
from torch import nn

from fermiloop.platform.predictors.device import normal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

CHANNELS: Final = (32, 64, 128)
MOMENTUM: Final = 0.01  # Keras's 0.99
EPSILON: Final = 1e-3
LABELLED: Final = 10.0
"""Weight of the errors of labels (lambda of case 2)."""
SEMI_LABELLED: Final = 20.0
"""The same where a second branch learns (case 3)."""
SPARSE: Final = 5.0
"""Weight of those of the second branch (gamma of case 3)."""


class PaperVae(nn.Module):
    """The network.

    Parameters
    ----------
    rows
        Of an image, a multiple of 4.
    columns
        Of an image.
    latent
        Dimensions of the latent space.
    width
        Units of the dense layer.
    sparse
        For each property whether the second branch learns it.
    """

    def __init__(self, rows: int, columns: int, latent: int, width: int, sparse: Sequence[bool]) -> None:
        super().__init__()
        self.labelled = LABELLED
        one, two, three = CHANNELS
        flat = rows // 4 * three
        self.convolve = nn.Sequential(
            nn.Conv1d(columns, one, 5, stride=2, padding=2),
            _norm(one),
            nn.LeakyReLU(0.2),
            nn.Conv1d(one, two, 3, stride=2, padding=1),
            _norm(two),
            nn.LeakyReLU(0.2),
            nn.Conv1d(two, three, 3, padding=1),
            _norm(three),
            nn.LeakyReLU(0.2),
            nn.Flatten(),
            nn.Linear(flat, width),
            nn.Sigmoid(),
        )
        self.mean, self.log_variance = nn.Linear(width, latent), nn.Linear(width, latent)
        self.expand = nn.Sequential(nn.Linear(latent, flat), nn.ReLU(), nn.Unflatten(1, (three, rows // 4)))
        self.rebuild = nn.Sequential(
            _norm(three),
            nn.ConvTranspose1d(three, two, 3, padding=1),
            _norm(two),
            nn.ReLU(),
            nn.ConvTranspose1d(two, one, 3, stride=2, padding=1, output_padding=1),
            _norm(one),
            nn.ReLU(),
            nn.ConvTranspose1d(one, columns, 5, stride=2, padding=2, output_padding=1),
            nn.Sigmoid(),
        )
        self.places = [[i for i, flag in enumerate(sparse) if flag == wanted] for wanted in (False, True)]
        self.branches = nn.ModuleList(_branch(latent, len(places)) for places in self.places if places)

    def encode(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance, (n, latent) each, of scaled (n, rows, columns) images."""
        hidden = self.convolve(images.transpose(1, 2))
        return self.mean(hidden), self.log_variance(hidden).clamp(-20, 10)

    def decode(self, z: Tensor) -> Tensor:
        """(n, rows, columns) scaled images."""
        return self.rebuild(self.expand(z)).transpose(1, 2)

    def targets(self, z: Tensor) -> Tensor:
        """(n, n_targets) properties between 0 and 1."""
        if not self.branches:
            return z[:, :0]
        order = [i for places in self.places for i in places]
        found = torch.cat([branch(z) for branch in self.branches], dim=1)
        return found[:, torch.tensor(order).argsort()]

    def loss(self, images: Tensor, targets: Tensor, beta: float, random: torch.Generator) -> Tensor:
        """Loss of a batch, summed over it, as published; NaN targets do not count.

        Parameters
        ----------
        images
            (n, rows, columns), scaled.
        targets
            (n, n_targets) between 0 and 1, NaN where unlabelled.
        beta
            Weight of the Kullback-Leibler term, which is a mean over the batch and the latent dimensions.
        random
            Of the noise.
        """
        mean, log_variance = self.encode(images)
        z = mean + normal(mean.shape, random, mean.device) * (log_variance / 2).exp()
        divergence = -0.5 * (1 + log_variance - mean**2 - log_variance.exp()).mean()
        total = ((self.decode(z) - images) ** 2).sum() + beta * divergence
        if not self.branches:
            return total
        known = ~torch.isnan(
            targets
        )  # in place of NaN a number: the derivative of what is NaN is NaN, whatever its weight
        errors = (self.targets(mean) - torch.nan_to_num(targets)) ** 2 * known
        for places, weight in zip(self.places, (self.labelled, SPARSE), strict=True):
            total = total + weight * errors[:, places].sum()
        return total


def _norm(channels: int) -> nn.BatchNorm1d:
    return nn.BatchNorm1d(channels, eps=EPSILON, momentum=MOMENTUM)


def _branch(latent: int, n: int) -> nn.Sequential:
    """From the mean of the latent point to n properties."""
    return nn.Sequential(
        nn.ReLU(), nn.Linear(latent, 128), nn.ReLU(), nn.Linear(128, 32), nn.ReLU(), nn.Linear(32, n), nn.Sigmoid()
    )
