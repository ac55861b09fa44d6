"""The autoencoders of images as the papers have them, to the letter: iMatGen's and CCDCGAN's.

iMatGen (Noh et al., Matter 1, 1370, 2019) and CCDCGAN (Long et al.) code the image of the sites of one element by
convolutions of stride 2 with 64 channels down to 4³ and one of width 4 to 200 numbers under a tanh; the decoder mirrors
that, and its output is clip(10⁴ (sigmoid - 1/2), 0, 1). Cells have one convolution less; CCDCGAN's end in dense layers.
Trained by Adam at a constant rate on the plain squared error. `voxel_autoencoder` says what is better and why.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import log2
from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from torch import Tensor, nn

from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.published_training import PublishedTraining, train_by_adam
from fermiloop.platform.predictors.device import best_device, precision, seeded
from fermiloop.platform.predictors.trainer import shuffled

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    Voxels = NDArray[np.float32]

SMALLEST: Final = 4
"""Voxels along an edge before the convolution that leaves one."""
SLOPE: Final = 0.2
SHARPNESS: Final = 1e4
BATCH: Final = 64
"""Images in memory at once when nothing is learned."""


class PublishedAutoencoder(nn.Module):
    """Images in `latent` numbers each.

    Parameters
    ----------
    grid
        Voxels along an edge: 4 times a power of 2.
    channels
        Of every convolution; the papers' 64.
    latent
        Numbers of a code.
    output
        What the decoder ends in: ``"clip"`` as for sites, ``"sigmoid"`` as for iMatGen's cells, ``"rectified"`` (tanh,
        then a rectifier) as for CCDCGAN's.
    dense
        Width of the dense layers between the convolutions and the code; 0 for none.
    seed
        Of the initial weights.

    Raises
    ------
    InputError
        If the grid does not fit.
    """

    def __init__(
        self, grid: int, channels: int, latent: int, output: str = "clip", dense: int = 0, seed: int = 0
    ) -> None:
        super().__init__()
        halvings = round(log2(grid / SMALLEST)) if grid >= 2 * SMALLEST else 0
        if SMALLEST * 2**halvings != grid or not halvings or min(channels, latent) < 1:
            raise InputError(f"The published autoencoders take images of 8³, 16³, 32³ or 64³, not {grid}³.")
        self.grid, self.latent, self.output, self.conditional = grid, latent, output, False
        middle = dense or latent
        with seeded(seed):
            self.down = nn.Sequential(*_down(halvings, channels, middle, dense))
            self.up = nn.Sequential(*_up(halvings, channels, middle, dense))
            self.narrow = nn.Sequential(*_dense((middle, dense, dense, latent), last=False)) if dense else nn.Identity()
            self.widen = nn.Sequential(*_dense((latent, dense, dense, dense), last=True)) if dense else nn.Identity()

    def encode(self, images: Tensor) -> Tensor:
        """(n, latent) codes between -1 and 1 of (n, grid, grid, grid) images."""
        return torch.tanh(self.narrow(self.down(images[:, None]).flatten(1)))

    def decode(self, z: Tensor) -> Tensor:
        """(n, grid, grid, grid) images of (n, latent) codes."""
        raw = self.up(self.widen(z)[:, :, None, None, None])[:, 0].float()  # the clip sees steps of 1e-4
        if self.output == "rectified":
            return torch.relu(torch.tanh(raw))
        painted = torch.sigmoid(raw)
        return (SHARPNESS * (painted - 0.5)).clamp(0, 1) if self.output == "clip" else painted

    def forward(self, images: Tensor) -> Tensor:
        """Images as they come back."""
        return self.decode(self.encode(images))

    def codes(self, images: Voxels, elements: NDArray[np.int64] | None = None) -> NDArray[np.float32]:  # noqa: ARG002 - one network for all
        """(n, latent) codes of (n, grid, grid, grid) images, without gradients."""
        return _in_batches(self.encode, images, (self.latent,))

    def images(self, codes: NDArray[np.float32], elements: NDArray[np.int64] | None = None) -> Voxels:  # noqa: ARG002 - one network for all
        """(n, grid, grid, grid) images of (n, latent) codes, without gradients."""
        return _in_batches(self.decode, codes, (self.grid,) * 3)


@dataclass(frozen=True)
class Course:
    """How a published autoencoder is trained.

    Parameters
    ----------
    epochs
        How many.
    rate
        Of Adam, constant.
    batch_size
        Images of one step.
    drawn
        Images drawn for one epoch; None for all of them once.
    """

    epochs: int
    rate: float
    batch_size: int
    drawn: int | None = None


def train_published(
    model: PublishedAutoencoder,
    images: Callable[[Tensor], Tensor],
    n: int,
    course: Course,
    seed: int,
    progress: Callable[[str, float], None],
    what: str,
    resume: Path | None = None,
) -> tuple[float, ...]:
    """Train in place; loss by epoch.

    Parameters
    ----------
    model
        What learns.
    images
        Row numbers to images.
    n
        Rows.
    course
        Epochs, rate and batches.
    seed, progress, what, resume
        As in `run_epochs`.
    """
    random, device = torch.Generator().manual_seed(seed), best_device()
    model.to(device)

    def batches() -> list[Tensor]:
        if course.drawn is None:
            return shuffled(n, course.batch_size, random)
        return list(torch.split(torch.randint(n, (course.drawn,), generator=random), course.batch_size))

    def loss(rows: Tensor) -> Tensor:
        wanted = images(rows).to(device)
        with precision(device):
            return ((model(wanted) - wanted) ** 2).mean()

    training = PublishedTraining(course.epochs, course.rate, batches, loss)
    return train_by_adam(model, training, random, progress, what, resume)


def _down(halvings: int, channels: int, middle: int, dense: int) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for i in range(halvings):
        layers += [nn.Conv3d(channels if i else 1, channels, 4, 2, 1), _bend(dense)]
    layers.append(nn.Conv3d(channels, middle, 4))
    return [*layers, nn.ReLU()] if dense else layers


def _up(halvings: int, channels: int, middle: int, dense: int) -> list[nn.Module]:
    layers: list[nn.Module] = [nn.ConvTranspose3d(middle, channels, 4), _bend(dense)]
    for _ in range(halvings - 1):
        layers += [nn.ConvTranspose3d(channels, channels, 4, 2, 1), _bend(dense)]
    return [*layers, nn.ConvTranspose3d(channels, 1, 4, 2, 1)]


def _dense(sizes: tuple[int, ...], *, last: bool) -> list[nn.Module]:
    """Linear layers with rectifiers between them, and one at the end if `last`."""
    layers: list[nn.Module] = []
    for a, b in pairwise(sizes):
        layers += [nn.Linear(a, b), nn.ReLU()]
    return layers if last else layers[:-1]


def _bend(dense: int) -> nn.Module:
    return nn.ReLU() if dense else nn.LeakyReLU(SLOPE)


def _in_batches(
    function: Callable[[Tensor], Tensor], values: NDArray[np.float32], shape: tuple[int, ...]
) -> NDArray[np.float32]:
    made = np.zeros((len(values), *shape), dtype=np.float32)
    with torch.no_grad():
        for first in range(0, len(values), BATCH):
            part = slice(first, first + BATCH)
            made[part] = function(torch.as_tensor(values[part], dtype=torch.float32)).numpy()
    return made
