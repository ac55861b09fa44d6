"""How a Ccdcgan is built, trained and sampled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from fermiloop.platform.errors import InputError

LOSSES: Final = ("hinge", "bce")
CELLS: Final = ("numbers", "image")
VOLUMES: Final = ("rule", "decoded")
MODES: Final = ("conditional", "combined", "separate")
PRESETS: Final = ("paper", "graph", "compact")
"""The default last."""


@dataclass(frozen=True)
class CcdcganOptions:
    """Settings, JSON scalars only.

    Parameters
    ----------
    mode
        Of the sites' autoencoder: ``"combined"`` is one network for all elements, ``"conditional"`` one that is told
        the element, which the preset ``paper`` has not, and ``"separate"`` one copy for each element, trained on from
        that for all: twice the training, and as many times the weights as there are elements.
    grid, cell_grid
        Voxels along an edge of the images of sites and of cells.
    box
        Edge of the cube that the atoms are put into, Å; crystals longer than 2 Å less are left out.
    channels
        Of the finest convolution.
    code, cell_code
        Numbers of an element's code and of a cell's; the preset ``paper`` has 200 and 25.
    cells
        How a cell is coded: ``"image"`` is the paper's autoencoder of its image, ``"numbers"`` its lengths and angles.
    volumes
        Of what is proposed: ``"decoded"`` is the graph's, ``"rule"`` that of lengths of bonds, which is nearer.
    elements_first
        Whether the compact network chooses the elements first and makes cell, amounts and sites to go with them, so
        that the elements of a space shape what is made; otherwise all come from the same noise.
    site_epochs, cell_epochs
        Of the autoencoders; a cell's images are quick, and its code needs more of them.
    epoch_images
        Images drawn for one of these epochs by the preset ``paper``.
    max_images
        Most crystals that they learn from.
    slots
        Most elements of a crystal.
    max_sites, max_length
        Largest crystal taken: sites, and longest axis in Å.
    components
        Numbers that an element's code is reduced to before the network sees it (principal components).
    latent, width
        Noise that crystals are made of, and width of the layers; of the preset ``paper`` the share of its channels
        is ``width / 256``.
    gan_steps, batch_size
        Steps of the adversarial training, and crystals of one.
    loss
        ``"hinge"``, or the paper's ``"bce"`` (binary cross-entropy).
    constraints
        Properties that crystals are drawn towards low values of while training, separated by commas; none if empty.
    constraint_weight
        Of their sum, in the standard deviations of each, beside the adversarial loss.
    constraint_epochs
        Of their models.
    descent
        Steps by which noise is moved so that crystals come into a target's windows.
    threshold
        Least height of a decoded peak.
    attempts
        Graphs made for each crystal asked for, at most.

    Raises
    ------
    InputError
        If a value is out of range.
    """

    mode: str = "conditional"
    grid: int = 32
    cell_grid: int = 16
    box: float = 15.0
    channels: int = 16
    code: int = 256
    cell_code: int = 20
    cells: str = "numbers"
    volumes: str = "rule"
    elements_first: bool = True
    site_epochs: int = 20
    cell_epochs: int = 40
    epoch_images: int = 1024
    max_images: int = 500
    slots: int = 2
    max_sites: int = 12
    max_length: float = 10.0
    components: int = 48
    latent: int = 64
    width: int = 256
    gan_steps: int = 2000
    batch_size: int = 64
    loss: str = "hinge"
    constraints: str = "formation_energy_per_atom"
    constraint_weight: float = 0.5
    constraint_epochs: int = 60
    descent: int = 30
    threshold: float = 0.3
    attempts: int = 20

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise InputError(f"{self.mode} is no mode of ccdcgan's autoencoder; choose one of {', '.join(MODES)}.")
        if self.loss not in LOSSES:
            raise InputError(f"{self.loss} is no loss of ccdcgan; choose one of {', '.join(LOSSES)}.")
        if self.cells not in CELLS:
            raise InputError(f"{self.cells} is no way to code cells of ccdcgan; choose one of {', '.join(CELLS)}.")
        if self.volumes not in VOLUMES:
            raise InputError(f"{self.volumes} is no volume of ccdcgan; choose one of {', '.join(VOLUMES)}.")
        counts = (
            self.channels,
            self.site_epochs,
            self.cell_epochs,
            self.max_images,
            self.epoch_images,
            self.slots,
            self.max_sites,
            self.components,
        )
        more = (self.latent, self.width, self.gan_steps, self.batch_size, self.constraint_epochs, self.attempts)
        if min(*counts, *more, self.code, self.cell_code) < 1 or self.descent < 0:
            raise InputError("Sizes, epochs, steps and limits of ccdcgan must be at least 1, and descent at least 0.")
        if not (0 < self.threshold < 1 and self.constraint_weight >= 0 and self.max_length > 0 and self.box > 2):
            raise InputError(
                "ccdcgan needs a threshold between 0 and 1, a constraint_weight of 0 or more, a max_length above 0 and "
                "a box above 2 Å."
            )

    @property
    def constrained(self) -> tuple[str, ...]:
        """Names of the properties."""
        return tuple(name.strip() for name in self.constraints.split(",") if name.strip())


_GRAPH: Final = {
    "mode": "combined", "grid": 64, "cell_grid": 32, "channels": 64, "code": 200, "cell_code": 25, "site_epochs": 100,
    "max_images": 1_000_000, "slots": 3, "max_sites": 20, "latent": 800, "gan_steps": 102_500, "batch_size": 128,
    "loss": "bce", "constraint_weight": 0.1, "cells": "image", "elements_first": False,
    "volumes": "decoded",
}  # fmt: skip
PRESET_OPTIONS: Final[dict[str, dict[str, Any]]] = {
    "paper": _GRAPH | {
        "mode": "separate", "cell_epochs": 400, "constraint_epochs": 1000, "descent": 0, "threshold": 0.02,
    },
    "graph": _GRAPH,
}  # fmt: skip
"""What the presets take in place of the defaults. The published sizes: 41 × 2,500 steps on 52,615 crystals take a GPU,
85 hours an epoch of images on one processor core."""


def options_of(preset: str) -> CcdcganOptions:
    """Options of a preset where none are given."""
    return CcdcganOptions(**PRESET_OPTIONS.get(preset, {}))
