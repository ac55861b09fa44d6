"""What the preset ``paper`` has of its own, to the letter: autoencoders, the materials generator, their training.

Layers of the materials generator are those of a public re-implementation, since the paper's table of layers (S1) is not
at hand: the codes of up to five elements and of the cell, each filled up to 200 numbers, are six channels of one line,
which four convolutions bring to 1,250 numbers and a dense layer to 500 latent ones. The weight of the classifier's
cross-entropy is not published; here it is 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from torch import Tensor, nn

from fermiloop.platform.generators.imatgen.coder import SLOTS, CrystalCoder
from fermiloop.platform.generators.imatgen.network import BATCH, DIVERGENCE, MaterialsGenerator, cross_entropy
from fermiloop.platform.generators.published_autoencoder import Course, PublishedAutoencoder, train_published
from fermiloop.platform.generators.published_decoding import by_single_voxels
from fermiloop.platform.generators.published_training import PublishedTraining, train_by_adam
from fermiloop.platform.predictors.device import best_device, normal, seeded
from fermiloop.platform.predictors.trainer import shuffled
from fermiloop.platform.representations.crystals import cells_of
from fermiloop.platform.representations.voxels import ImageCodec

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from pymatgen.core import Structure

    from fermiloop.platform.generators.imatgen.options import ImatgenOptions
    from fermiloop.platform.representations.voxels import Images

    Array = NDArray[np.float64]
    Voxels = NDArray[np.float32]

BASIS_RATE: Final = 3e-4
BASIS_BATCH: Final = 24
CELL_RATE: Final = 1e-4
CELL_BATCH: Final = 32
RATE: Final = 1e-4
CLASSES: Final = 1.0
"""Weight of the classifier's cross-entropy."""
ROWS: Final = 5
"""Rows of elements, before that of the cell."""
CHANNELS: Final = (100, 100, 100, 50)
CLASSIFIER: Final = 500
SLOPE: Final = 0.2


class PublishedCrystalCoder(CrystalCoder):
    """The published autoencoders; see `CrystalCoder`.

    Parameters
    ----------
    options
        Grids, sizes and epochs.
    seed
        Of the initial weights.
    """

    # other networks in the same places: what reads them asks for codes and images alone
    basis: PublishedAutoencoder  # type: ignore[assignment]
    cell: PublishedAutoencoder  # type: ignore[assignment]

    def __init__(self, options: ImatgenOptions, seed: int = 0) -> None:
        self.options = options
        widths = ImageCodec.for_grid(options.grid, options.box)
        self.codec = ImageCodec(options.cell_grid, options.grid, options.box, widths.sigma)
        self.basis = PublishedAutoencoder(options.grid, options.channels, options.code, seed=seed)
        self.cell = PublishedAutoencoder(
            options.cell_grid, options.channels, options.cell_code, "sigmoid", seed=seed + 1
        )

    def train(
        self,
        structures: Sequence[Structure],
        seed: int,
        progress: Callable[[str, float], None],
        resume: Path | None = None,
    ) -> tuple[float, ...]:
        """Train both on images as they are, each once an epoch; loss of the basis autoencoder by epoch."""
        options = self.options
        bases = self.codec.encode_bases(structures[: options.max_images])
        images = torch.as_tensor(np.concatenate([item.images for item in bases]))
        course = Course(options.epochs, BASIS_RATE, BASIS_BATCH)
        history = train_published(
            self.basis, images.__getitem__, len(images), course, seed, progress, "basis autoencoder", resume
        )
        cells = torch.as_tensor(self.codec.encode_cells(cells_of(structures[: options.max_cells])))
        course = Course(options.cell_epochs, CELL_RATE, CELL_BATCH)
        train_published(self.cell, cells.__getitem__, len(cells), course, seed, progress, "cell autoencoder", resume)
        return history

    def _crystal(self, cell: Voxels, images: Images, pair: tuple[str, str], threshold: float) -> Structure | str:  # noqa: ARG002 - the image shows the cell
        return by_single_voxels(self.codec, cell, images.elements, images.images, threshold)


class PublishedGenerator(MaterialsGenerator):
    """The published variational autoencoder of codes; see `MaterialsGenerator`.

    Parameters
    ----------
    code, cell_code
        Numbers of an element's code and of a cell's, which is not longer.
    latent
        Dimension of the latent space.
    seed
        Of the initial weights.
    """

    def __init__(self, code: int, cell_code: int, latent: int, seed: int = 0) -> None:
        nn.Module.__init__(self)
        self.code, self.cell_code = code, cell_code
        one, two, three, last = CHANNELS
        length = code // 8
        with seeded(seed):
            bend = nn.LeakyReLU(SLOPE)
            self.encoder = nn.Sequential(
                nn.Conv2d(ROWS + 1, one, (1, 4), (1, 2), (0, 1)), bend, nn.Conv2d(one, two, (1, 4), (1, 2), (0, 1)),
                bend, nn.Conv2d(two, three, (1, 4), (1, 2), (0, 1)), bend, nn.Conv2d(three, last, 1), bend,
                nn.Flatten(), nn.Linear(last * length, 2 * latent),
            )  # fmt: skip
            self.decoder_layers = nn.Sequential(
                nn.Linear(latent, last * length), bend, nn.Unflatten(1, (last, 1, length)),
                nn.ConvTranspose2d(last, three, 1), bend, nn.ConvTranspose2d(three, two, (1, 4), (1, 2), (0, 1)), bend,
                nn.ConvTranspose2d(two, one, (1, 4), (1, 2), (0, 1)), bend,
                nn.ConvTranspose2d(one, ROWS + 1, (1, 4), (1, 2), (0, 1)), nn.Tanh(),
            )  # fmt: skip
            self.classifier = nn.Sequential(nn.Linear(latent, CLASSIFIER), nn.Tanh(), nn.Linear(CLASSIFIER, 1))

    def image(self, codes: Tensor) -> Tensor:
        """(n, 6, 1, code) lines of (n, width) codes: rows of elements, empty ones, the cell's."""
        made = torch.zeros(len(codes), ROWS + 1, 1, self.code, device=codes.device)
        made[:, :SLOTS, 0] = codes[:, : SLOTS * self.code].view(len(codes), SLOTS, self.code)
        made[:, ROWS, 0, : self.cell_code] = codes[:, SLOTS * self.code :]
        return made

    def forward(self, codes: Tensor) -> tuple[Tensor, Tensor]:
        """(n, latent) mean and log variance of (n, width) codes."""
        mean, log_variance = self.encoder(self.image(codes)).chunk(2, dim=1)
        return mean, log_variance.clamp(-12, 4)

    def decode(self, latent: Array) -> Array:
        """(n, width) codes of (n, latent) points, without gradients."""
        with torch.no_grad():
            made = self.decoder_layers(torch.as_tensor(latent, dtype=torch.float32))
        codes = torch.cat([made[:, :SLOTS, 0].flatten(1), made[:, ROWS, 0, : self.cell_code]], dim=1)
        return np.asarray(codes.double().numpy())


def train_published_generator(
    model: PublishedGenerator,
    codes: Array,
    stable: Array,
    epochs: int,
    seed: int,
    progress: Callable[[str, float], None],
    resume: Path | None = None,
) -> tuple[float, ...]:
    """Train in place by Adam at a constant rate; loss by epoch.

    Parameters
    ----------
    model
        What learns.
    codes
        (n, width).
    stable
        (n,) 1 or 0, NaN where it is not known.
    epochs
        How many.
    seed, progress, resume
        As in `run_epochs`.
    """
    random, device = torch.Generator().manual_seed(seed), best_device()
    model.to(device)
    data, labels = (torch.as_tensor(part, dtype=torch.float32, device=device) for part in (codes, stable))

    def loss(rows: Tensor) -> Tensor:
        mean, log_variance = model(data[rows])
        made = model.decoder_layers(mean + normal(mean.shape, random, device) * torch.exp(0.5 * log_variance))
        divergence = -0.5 * (1 + log_variance - mean**2 - log_variance.exp()).sum(dim=1).mean()
        error = ((made - model.image(data[rows])) ** 2).mean()
        return error + DIVERGENCE * divergence + CLASSES * cross_entropy(model.classifier(mean)[:, 0], labels[rows])

    training = PublishedTraining(epochs, RATE, lambda: shuffled(len(data), BATCH, random), loss)
    return train_by_adam(model, training, random, progress, "materials generator", resume)
