"""What the preset ``paper`` has of its own, to the letter of the paper: coder, space, constraint and its pull.

Sites: an autoencoder for all elements, then one copy for each element, trained on from it. The constraint is one
network, whose output lies between 0 and 1, trained on the absolute error of labels scaled to that; it adds
ω · mean(exp(E)) to the generator's loss. A crystal is read from two or three random elements of the space, by single
voxels. `CompactSpace` and the preset ``graph`` say what is better.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from pymatgen.core import Element, Structure
from torch import Tensor, nn

from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.ccdcgan.coder import GraphCoder
from fermiloop.platform.generators.ccdcgan.constraint import ConstraintModel
from fermiloop.platform.generators.ccdcgan.networks import PaperConstraint
from fermiloop.platform.generators.ccdcgan.site_autoencoders import SiteAutoencoders
from fermiloop.platform.generators.ccdcgan.spaces import FULL_WIDTH, NONE_FITS, PaperSpace
from fermiloop.platform.generators.published_autoencoder import Course, PublishedAutoencoder, train_published
from fermiloop.platform.generators.published_decoding import by_single_voxels
from fermiloop.platform.generators.published_training import PublishedTraining, train_by_adam
from fermiloop.platform.predictors.device import seeded
from fermiloop.platform.representations.crystal_graph import CELL_CODE, SITE_CODE, Codes
from fermiloop.platform.representations.crystals import cells_of
from fermiloop.platform.representations.voxels import ImageCodec

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from fermiloop.platform.generators.ccdcgan.options import CcdcganOptions

    Array = NDArray[np.float64]

SITE_RATE: Final = 3e-5
"""Of the sites' autoencoders: the paper's default of five that it tried."""
CELL_RATE: Final = 1e-4
CONSTRAINT_RATE: Final = 1e-4
"""The paper tried five rates and does not say which it took."""
DENSE: Final = 256
OWN: Final = 4
"""One element's own autoencoder sees this part of the images of an epoch: 256 of 1,024."""
STEPS: Final = 100
"""Steps of the constraint in one of the options' epochs."""
CHOSEN: Final = (2, 3)
"""Elements of a crystal that is made."""


class PublishedCoder(GraphCoder):
    """The published autoencoders, and decoding by single voxels.

    Parameters
    ----------
    options
        Grids, sizes, mode and epochs.
    seed
        Of the initial weights.
    """

    def __init__(self, options: CcdcganOptions, seed: int = 0) -> None:
        self.options = options
        self.codec = ImageCodec(options.cell_grid, options.grid, options.box, ImageCodec.for_grid(options.grid).sigma)
        self.sites: Any = SiteAutoencoders(
            PublishedAutoencoder(options.grid, options.channels, options.code, seed=seed)
        )
        self.cells: Any = PublishedAutoencoder(
            options.cell_grid, options.channels, options.cell_code, "rectified", DENSE, seed + 1
        )

    def train(
        self,
        structures: Sequence[Structure],
        seed: int,
        progress: Callable[[str, float], None],
        resume: Path | None = None,
    ) -> tuple[float, ...]:
        """Train all; loss of the sites' autoencoder for all elements by epoch."""
        options = self.options
        bases = self.codec.encode_bases(structures)
        images = torch.as_tensor(np.concatenate([item.images for item in bases]))
        elements = np.array([number for item in bases for number in item.elements])
        course = Course(options.site_epochs, SITE_RATE, 1, options.epoch_images)
        history = train_published(
            self.sites.combined, images.__getitem__, len(images), course, seed, progress, "site autoencoder", resume
        )
        if options.mode == "separate":
            self.sites.add(np.unique(elements).tolist())
            short = Course(options.site_epochs, SITE_RATE, 1, max(1, options.epoch_images // OWN))
            for number in np.unique(elements).tolist():
                mine, what = images[elements == number], f"site autoencoder of {Element.from_Z(number).symbol}"
                train_published(self.sites.of(number), mine.__getitem__, len(mine), short, seed, progress, what, resume)
        cells = torch.as_tensor(self.codec.encode_cells(cells_of(structures)))
        course = Course(options.cell_epochs, CELL_RATE, 1, options.epoch_images)
        train_published(self.cells, cells.__getitem__, len(cells), course, seed, progress, "cell autoencoder", resume)
        return history

    def decode(self, codes: Codes) -> Structure | str:
        """The crystal that codes show, or why they show none."""
        if not codes.elements:
            return "no element in the graph"
        elements = np.array(codes.elements)
        images = self.sites.images(codes.sites.astype(np.float32), elements)
        cell = self.cells.images(codes.cell[None].astype(np.float32))[0]
        crystal = by_single_voxels(self.codec, cell, codes.elements, images, self.options.threshold)
        if isinstance(crystal, Structure) and len(crystal.composition) < len(codes.elements):
            return "an element without atoms"
        return crystal


class PublishedSpace(PaperSpace):
    """The graph of 160 × 160 as it is, read for random elements."""

    published = True

    @classmethod
    def learned(cls, options: CcdcganOptions, codes: Sequence[Codes]) -> PublishedSpace:
        """Nothing is learned: codes lie between -1 and 1 as they are.

        Raises
        ------
        InputError
            If there are none.
        """
        if not codes:
            raise InputError(NONE_FITS)
        return cls(options, {"scale": np.ones(1), "least_norm": np.zeros(1)})

    def codes(self, rows: Tensor, allowed: Sequence[int] | None = None) -> list[Codes]:
        """Codes of (n, 25600) rows: of two or three elements among the allowed ones, drawn by the row itself."""
        numbers = np.array(sorted(allowed) if allowed is not None else range(1, 119))
        made = []
        for row in rows.detach().double().numpy():
            rng = np.random.default_rng(zlib.crc32(row.tobytes()))
            n = min(int(rng.integers(CHOSEN[0], CHOSEN[1] + 1)), len(numbers), self.options.slots)
            elements = tuple(sorted(int(z) for z in rng.choice(numbers, n, replace=False)))
            starts = [160 + SITE_CODE * (z - 1) for z in elements]
            sites = np.stack([row[start : start + SITE_CODE] for start in starts])
            made.append(Codes(row[:CELL_CODE], elements, np.full(n, np.nan), sites))
        return made

    def constraint(self) -> nn.Module:
        """An untrained model of a property, its output between 0 and 1."""
        return PaperConstraint(self.options.width / FULL_WIDTH, rectified=True)


class PublishedConstraint(ConstraintModel):
    """One network of a property scaled to [0, 1]; see `ConstraintModel`."""

    n_members = 1

    def _scale(self, targets: Tensor) -> tuple[Tensor, Tensor]:
        return targets.min(), targets.max() - targets.min()

    def _train(
        self,
        rows: Tensor,
        scaled: Tensor,
        options: CcdcganOptions,
        random: torch.Generator,
        progress: Callable[[str, float], None],
        resume: Path | None,
    ) -> tuple[float, ...]:
        """Train by Adam on the mean absolute error; loss by epoch of 100 steps."""

        def batches() -> list[Tensor]:
            return [torch.randint(len(rows), (options.batch_size,), generator=random) for _ in range(STEPS)]

        def loss(batch: Tensor) -> Tensor:
            return (self.members[0](rows[batch]) - scaled[batch]).abs().mean()

        training = PublishedTraining(options.constraint_epochs, CONSTRAINT_RATE, batches, loss, lambda: seeded(random))
        return train_by_adam(self.train(), training, random, progress, f"constraint on {self.property}", resume)


@dataclass(frozen=True)
class ExponentialPull:
    """ω · exp(E), E scaled to [0, 1]."""

    model: ConstraintModel
    weight: float

    def __call__(self, rows: Tensor) -> Tensor:
        """(n,) of (n, width) rows."""
        return torch.exp(self.model.members[0](rows))
