"""Voxel images to short codes and back: three-dimensional convolutional autoencoders.

iMatGen (Noh et al., Matter 1, 1370, 2019, supplement S1) and CCDCGAN (Long et al.) code each 64³ image of the
sites of one element in 200 numbers and each cell image in 20 to 25, by convolutions of stride 2 down to one
voxel. Two things differ here. The code of a basis image stays local: a block of 8³ voxels has its own few
numbers, so a network that has seen a thousand images places atoms well in images it has not seen. And outputs
are linear with a weighted squared error, since the papers' clip of 10⁴ (sigmoid - 1/2) passes no gradient and a
plain squared error is content with an empty image.
"""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from torch import Tensor, nn

from fermiloop.platform.errors import InputError
from fermiloop.platform.predictors.device import best_device, precision, seeded
from fermiloop.platform.predictors.trainer import cosine_rate, follow, run_epochs, set_rate, shuffled

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    Voxels = NDArray[np.float32]

BLOCK: Final = 8
"""Voxels along an edge of the block that shares one group of code numbers."""
BRIGHT: Final = 30.0
"""Weight of a voxel of value 1 beside a dark one."""
HIGHEST_Z: Final = 118
BATCH: Final = 256
"""Images in memory at once when nothing is learned."""


class Film(nn.Module):
    """Scale and shift of each channel by the element (Perez et al., AAAI 2018): one network in place of 118 copies."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.table = nn.Embedding(HIGHEST_Z + 1, 2 * channels)
        nn.init.zeros_(self.table.weight)

    def forward(self, x: Tensor, elements: Tensor) -> Tensor:
        """(n, channels, …) features of images of the (n,) elements."""
        scale, shift = self.table(elements).view(len(x), 2, -1, 1, 1, 1).unbind(1)
        return x * (1 + scale) + shift


class Stage(nn.Module):
    """A convolution, the element's scale and shift, and a leaky rectifier."""

    def __init__(self, convolution: nn.Module, channels: int, conditional: bool) -> None:
        super().__init__()
        self.convolution = convolution
        self.film = Film(channels) if conditional else None

    def forward(self, x: Tensor, elements: Tensor | None) -> Tensor:
        """Features of the next resolution."""
        x = self.convolution(x)
        if self.film is not None and elements is not None:
            x = self.film(x, elements)
        return nn.functional.leaky_relu(x, 0.1)


class VoxelAutoencoder(nn.Module):
    """Images of one kind in `latent` numbers each.

    Parameters
    ----------
    grid
        Voxels along an edge, a multiple of 8.
    channels
        Of the finest convolution; doubled at each of the next two.
    latent
        Numbers of a code; with `local` a multiple of (grid / 8)³.
    conditional
        Whether the element of an image is known to the network.
    local
        Whether each block of 8³ voxels has numbers of its own, or all share all.
    seed
        Of the initial weights.

    Raises
    ------
    InputError
        If grid and latent do not fit.
    """

    def __init__(
        self, grid: int, channels: int, latent: int, conditional: bool = False, local: bool = True, seed: int = 0
    ) -> None:
        super().__init__()
        side = grid // BLOCK
        if grid % BLOCK or side < 1 or (local and latent % side**3) or min(channels, latent) < 1:
            raise InputError(
                f"Images of {grid}³ in {latent} numbers do not fit: the grid must be a multiple of {BLOCK}"
                + (f" and the code one of {max(side, 1) ** 3}." if local else ".")
            )
        self.grid, self.latent, self.conditional = grid, latent, conditional
        widest = 4 * channels
        with seeded(seed):
            self.down = nn.ModuleList(
                Stage(_convolution(a, b, 2), b, conditional)
                for a, b in ((1, channels), (channels, 2 * channels), (2 * channels, widest))
            )
            self.before = Stage(_convolution(widest, widest, 1), widest, conditional)
            self.after = Stage(_convolution(widest, widest, 1), widest, conditional)
            if local:
                per_block = latent // side**3
                self.narrow: nn.Module = nn.Sequential(nn.Conv3d(widest, per_block, 1), nn.Flatten())
                self.widen: nn.Module = nn.Sequential(
                    nn.Unflatten(1, (per_block, side, side, side)), nn.Conv3d(per_block, widest, 1), nn.LeakyReLU(0.1)
                )
            else:
                wide = widest * side**3
                self.narrow = nn.Sequential(nn.Flatten(), nn.Linear(wide, latent))
                self.widen = nn.Sequential(
                    nn.Linear(latent, wide), nn.LeakyReLU(0.1), nn.Unflatten(1, (widest, side, side, side))
                )
            self.up = nn.ModuleList(
                Stage(nn.ConvTranspose3d(a, b, 4, 2, 1), b, conditional)
                for a, b in ((widest, 2 * channels), (2 * channels, channels))
            )
            self.paint = nn.ConvTranspose3d(channels, 1, 4, 2, 1)

    def encode(self, images: Tensor, elements: Tensor | None = None) -> Tensor:
        """(n, latent) codes of (n, grid, grid, grid) images, of the (n,) atomic numbers if conditional."""
        x, elements = images[:, None], self._known(elements)
        for stage in self.down:
            x = stage(x, elements)
        return torch.as_tensor(self.narrow(self.before(x, elements)))

    def decode(self, z: Tensor, elements: Tensor | None = None) -> Tensor:
        """(n, grid, grid, grid) images of (n, latent) codes."""
        elements = self._known(elements)
        x = self.after(self.widen(z), elements)
        for stage in self.up:
            x = stage(x, elements)
        return torch.as_tensor(self.paint(x)[:, 0])

    def forward(self, images: Tensor, elements: Tensor | None = None) -> Tensor:
        """Images as they come back."""
        return self.decode(self.encode(images, elements), elements)

    def codes(self, images: Voxels, elements: NDArray[np.int64] | None = None) -> NDArray[np.float32]:
        """(n, latent) codes of (n, grid, grid, grid) images, without gradients."""
        return self._in_batches(self.encode, images, elements, (self.latent,))

    def images(self, codes: NDArray[np.float32], elements: NDArray[np.int64] | None = None) -> Voxels:
        """(n, grid, grid, grid) images of (n, latent) codes, cut to [0, 1], without gradients."""
        return np.clip(self._in_batches(self.decode, codes, elements, (self.grid,) * 3), 0, 1)

    def _in_batches(
        self,
        function: Callable[[Tensor, Tensor | None], Tensor],
        values: NDArray[np.float32],
        elements: NDArray[np.int64] | None,
        shape: tuple[int, ...],
    ) -> NDArray[np.float32]:
        made = np.zeros((len(values), *shape), dtype=np.float32)
        with torch.no_grad():
            for first in range(0, len(values), BATCH):
                part = slice(first, first + BATCH)
                known = None if elements is None else torch.as_tensor(elements[part])
                made[part] = function(torch.as_tensor(values[part], dtype=torch.float32), known).numpy()
        return made

    def _known(self, elements: Tensor | None) -> Tensor | None:
        if self.conditional and elements is None:
            raise InputError("A conditional autoencoder needs the element of each image.")
        return elements if self.conditional else None


class BasisAutoencoder(VoxelAutoencoder):
    """Of the sites of one element; local codes."""

    def __init__(
        self, grid: int = 32, channels: int = 16, latent: int = 256, conditional: bool = False, seed: int = 0
    ) -> None:
        super().__init__(grid, channels, latent, conditional, True, seed)


class CellAutoencoder(VoxelAutoencoder):
    """Of the cell; six numbers are behind its image, so its code is short and shared by the whole of it."""

    def __init__(self, grid: int = 32, channels: int = 8, latent: int = 20, seed: int = 0) -> None:
        super().__init__(grid, channels, latent, False, False, seed)


def train_autoencoder(
    model: VoxelAutoencoder,
    draw: Callable[[Tensor, torch.Generator], tuple[Tensor, Tensor | None]],
    n: int,
    epochs: int,
    seed: int,
    progress: Callable[[str, float], None],
    what: str = "autoencoder",
    rate: float = 2e-3,
    batch_size: int | None = None,
    resume: Path | None = None,
) -> tuple[float, ...]:
    """Train in place; the weights at the end are the moving average. Loss by epoch.

    Parameters
    ----------
    model
        What learns.
    draw
        Gives images, and their elements if the model is conditional, of a batch of row numbers; it may vary them
        at random, by the generator it is handed.
    n
        Rows.
    epochs
        Times each row is seen.
    seed
        Of the order and of what `draw` varies.
    progress, what, resume
        As in `run_epochs`.
    rate
        Highest learning rate.
    batch_size
        Images of one step; None takes 16, or fewer where there are few rows.

    Raises
    ------
    InputError
        If there is nothing to learn from.
    """
    if n < 1 or epochs < 1:
        raise InputError(f"An autoencoder needs at least one image and one epoch, not {n} and {epochs}.")
    batch_size = batch_size or min(max(n // 32, 4), 16)
    random, device = torch.Generator().manual_seed(seed), best_device()
    model.to(device)
    average = deepcopy(model)
    optimiser = torch.optim.AdamW(model.parameters(), rate, weight_decay=1e-4)
    steps = -(-n // batch_size)

    def step(epoch: int) -> float:
        total = 0.0
        for i, rows in enumerate(shuffled(n, batch_size, random)):
            done = epoch * steps + i
            set_rate(optimiser, cosine_rate(done, epochs * steps, rate))
            images, elements = draw(rows, random)
            images, elements = images.to(device), None if elements is None else elements.to(device)
            with precision(device):
                loss = weighted_error(model(images, elements), images)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            follow(average, model, min(0.99, (1 + done) / (10 + done)))
            total += float(loss.detach()) * len(rows)
        return total / n

    parts: dict[str, nn.Module | torch.optim.Optimizer] = {"model": model, "average": average, "optimiser": optimiser}
    try:
        history = run_epochs(parts, epochs, step, random, progress, what, resume)
        model.load_state_dict(average.state_dict())
    finally:
        model.to("cpu")
    return history


def weighted_error(made: Tensor, images: Tensor) -> Tensor:
    """Mean squared error in which bright voxels count more: most voxels are 0."""
    return ((1 + BRIGHT * images) * (made - images) ** 2).mean()


def rows_of(
    images: Tensor, elements: Tensor | None = None, shifts: int = 2
) -> Callable[[Tensor, torch.Generator], tuple[Tensor, Tensor | None]]:
    """A `draw` for `train_autoencoder`: stored images in one of 48 orientations, moved by a few voxels.

    Parameters
    ----------
    images
        (n, grid, grid, grid).
    elements
        (n,) atomic numbers.
    shifts
        Most voxels along each axis; with -1 the images are given as they are.
    """

    def draw(rows: Tensor, random: torch.Generator) -> tuple[Tensor, Tensor | None]:
        chosen = images[rows]
        if shifts >= 0:
            chosen = torch.stack([turned(image, shifts, random) for image in chosen])
        return chosen, None if elements is None else elements[rows]

    return draw


def turned(image: Tensor, shifts: int, random: torch.Generator) -> Tensor:
    """A (grid, grid, grid) image with its axes exchanged, turned round and moved at random."""
    order = torch.randperm(3, generator=random).tolist()
    flips = [axis for axis, flip in enumerate(torch.randint(2, (3,), generator=random).tolist()) if flip]
    moves = torch.randint(-shifts, shifts + 1, (3,), generator=random).tolist()
    return image.permute(order).flip(flips).roll(moves, (0, 1, 2))


def _convolution(inside: int, outside: int, stride: int) -> nn.Conv3d:
    """Halves the resolution at stride 2; the box is periodic, but codes do not reach across its empty walls."""
    return nn.Conv3d(inside, outside, 4, 2, 1) if stride == 2 else nn.Conv3d(inside, outside, 3, 1, 1)
