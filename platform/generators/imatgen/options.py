"""How an Imatgen is built, trained and sampled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from pymatgen.core import Element

from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.imatgen.cells import NUMBERS
from fermiloop.platform.plugins.potentials import DEFAULT, usable

PRESETS: Final = ("paper",)
"""Beside the defaults, which have no name."""
STRATEGIES: Final = ("slerp", "random")
PARENT: Final = "none"
METRIC: Final = "metric"
IMAGE: Final = "image"
CELLS: Final = (METRIC, IMAGE)
EARLIER: Final[dict[str, Any]] = {"cell": IMAGE, "linear": False}
"""What models that were kept before these options were there have."""


@dataclass(frozen=True)
class ImatgenOptions:
    """Settings, JSON scalars only.

    Parameters
    ----------
    elements
        Pair that the virtual crystals are made of, such as ``"V-O"``; empty takes the commonest electropositive and
        electronegative element of the training set. Other pairs of a space are substituted into what is decoded.
    grid
        Voxels along an edge of basis images, a multiple of 8; 64 is the paper's, 32 trains eight times faster.
    box
        Edge of the cube that the atoms are put into, Å; crystals longer than 2 Å less are refused.
    cell
        ``"metric"`` codes a cell by the six numbers of its metric tensor, ``"image"`` by its image, as the paper does.
    cell_grid
        Voxels along an edge of cell images; no matter with ``cell: metric``, as are the other options of cells.
    channels
        Of the finest convolution of the basis autoencoder.
    code
        Numbers that an element's image becomes.
    cell_code
        Numbers that a cell's image becomes.
    latent
        Dimension of the materials generator.
    hidden
        Width of its layers.
    linear
        Whether its layers start from the principal components of the codes and learn what these leave.
    epochs
        Of the basis autoencoder.
    cell_epochs
        Of the cell autoencoder, each on cells varied again.
    augment
        Whether training images are turned, moved and, half of them, filled with pieces of the same crystals: better on
        new crystals, slower on few.
    generator_epochs
        Of the materials generator.
    max_images, max_cells
        Most crystals that the basis and the cell autoencoder learn from.
    max_sites, max_length
        Largest crystal taken: sites, and longest axis in Å.
    strategy
        ``"slerp"`` between known crystals, or ``"random"`` around the mean of the latent codes.
    spread
        Of random samples, in standard deviations of the latent codes.
    potential
        A potential's name labels the virtual crystals by an energy; ``"none"`` takes the parent's label.
    max_labelled
        Most virtual crystals that are labelled by a potential.
    stable_below
        eV/atom: formation energy, or of a labelled virtual crystal the energy above the line that fits the virtual
        set, from which on it is not stable.
    min_stability
        Least probability of the classifier for a proposal.
    threshold
        Least height of a decoded peak.
    attempts
        Latent points decoded for each proposal asked for, at most.

    Raises
    ------
    InputError
        If a value is out of range.
    """

    elements: str = ""
    grid: int = 32
    box: float = 15.0
    cell: str = METRIC
    cell_grid: int = 16
    channels: int = 16
    code: int = 1024
    cell_code: int = 20
    latent: int = 512
    hidden: int = 512
    linear: bool = True
    epochs: int = 30
    cell_epochs: int = 50
    augment: bool = True
    generator_epochs: int = 15
    max_images: int = 500
    max_cells: int = 1000
    max_sites: int = 20
    max_length: float = 10.0
    strategy: str = "slerp"
    spread: float = 1.0
    potential: str = DEFAULT
    max_labelled: int = 1000
    stable_below: float = 0.5
    min_stability: float = 0.5
    threshold: float = 0.3
    attempts: int = 20

    def __post_init__(self) -> None:
        if self.strategy not in STRATEGIES:
            raise InputError(f"{self.strategy} is no strategy of imatgen; choose one of {', '.join(STRATEGIES)}.")
        if self.cell not in CELLS:
            raise InputError(f"{self.cell} is no code of cells; choose one of {', '.join(CELLS)}.")
        usable(self.potential, (PARENT,))
        epochs = (self.epochs, self.cell_epochs, self.generator_epochs)
        limits = (self.max_images, self.max_cells, self.max_sites, self.attempts)
        if min(*epochs, *limits, self.latent, self.hidden, self.channels, self.cell_code) < 1 or self.max_labelled < 0:
            raise InputError("Sizes, epochs and limits of imatgen must be at least 1.")
        if not (0 < self.threshold < 1 and 0 <= self.min_stability <= 1 and self.spread > 0 and self.max_length > 0):
            raise InputError(
                "imatgen needs a threshold between 0 and 1, a min_stability of at most 1, and a spread and a "
                "max_length above 0."
            )
        _ = self.pair

    @property
    def cell_numbers(self) -> int:
        """Numbers of a cell's code."""
        return NUMBERS if self.cell == METRIC else self.cell_code

    @property
    def pair(self) -> tuple[str, str] | None:
        """The two symbols, or None where the training set decides."""
        if not self.elements:
            return None
        symbols = self.elements.split("-")
        if len(set(symbols)) != 2 or not all(Element.is_valid_symbol(symbol) for symbol in symbols):
            raise InputError(f"{self.elements!r} names no pair of elements; write it like V-O.")
        return symbols[0], symbols[1]


PRESET_OPTIONS: Final[dict[str, dict[str, Any]]] = {
    "paper": {
        "grid": 64, "cell": IMAGE, "cell_grid": 32, "channels": 64, "code": 200, "cell_code": 20, "latent": 500,
        "linear": False, "epochs": 20, "cell_epochs": 20, "augment": False, "generator_epochs": 200,
        "max_images": 1_000_000, "max_cells": 1_000_000,
        "max_labelled": 1_000_000, "threshold": 0.02,
    },
}  # fmt: skip
"""What the preset takes in place of the defaults. On the 10,981 crystals of the paper this wants a GPU, and 23 GB of
memory for the images."""


def options_of(preset: str | None) -> ImatgenOptions:
    """Options of a preset where none are given."""
    return ImatgenOptions(**PRESET_OPTIONS.get(preset or "", {}))
