"""Crystals to codes and back: the autoencoders of sites and of cells (section "autoencoders" of the paper)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from pymatgen.core import Element

from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.ccdcgan.site_autoencoders import SiteAutoencoders
from fermiloop.platform.generators.imatgen.coder import CELL_SIGMA, CELL_THRESHOLD, varied_cells
from fermiloop.platform.generators.voxel_autoencoder import (
    CellAutoencoder,
    VoxelAutoencoder,
    rows_of,
    train_autoencoder,
)
from fermiloop.platform.predictors.files import from_arrays, to_arrays
from fermiloop.platform.representations.crystal_graph import Codes
from fermiloop.platform.representations.crystals import lattice_matrices
from fermiloop.platform.representations.voxel_decode import MERGE_RADIUS, find_peaks, merge_peaks
from fermiloop.platform.representations.voxels import ImageCodec, Images

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from pymatgen.core import Structure

    from fermiloop.platform.generators.ccdcgan.options import CcdcganOptions

    Voxels = NDArray[np.float32]

PAPER_BOX: Final = 15.0
CELL_CHANNELS: Final = 8
SHIFTS: Final = 3
RATE: Final = 3e-3
CELL_RATE: Final = 2e-3
FINER: Final = 10
"""One element's own autoencoder goes on from that for all at this part of the rate."""
CHUNK: Final = 64
LEAST_SQUARE: Final = 1e-4
"""Of the volume of a possible cell of lengths 1."""
FAINTEST: Final = 0.12
"""Least height of a peak, of that of the brightest, that is taken for an atom because the graph says that there is one
more."""
CROWD: Final = 4
"""Peaks for each of the most sites, beyond which images show no crystal."""
DARK: Final = 0.02
"""Brightest voxel of an image that shows nothing."""


class GraphCoder:
    """Codec and autoencoders.

    Parameters
    ----------
    options
        Grids, sizes and mode.
    local
        Whether blocks of a site image have numbers of their own; the paper's code is shared by the whole.
    seed
        Of the initial weights.
    """

    def __init__(self, options: CcdcganOptions, local: bool = True, seed: int = 0) -> None:
        self.options = options
        sigma = ImageCodec.for_grid(round(options.grid * PAPER_BOX / options.box)).sigma
        self.codec = ImageCodec(options.cell_grid, options.grid, options.box, sigma, cell_sigma=CELL_SIGMA)
        conditional = options.mode == "conditional"
        network = VoxelAutoencoder(options.grid, options.channels, options.code, conditional, local, seed)
        self.sites: Any = SiteAutoencoders(network) if options.mode == "separate" else network
        self.cells: Any = None
        if options.cells == "image":
            self.cells = CellAutoencoder(options.cell_grid, CELL_CHANNELS, options.cell_code, seed=seed + 1)

    def fits(self, structure: Structure) -> bool:
        """Whether the box, the slots and the limits take a crystal."""
        limits = self.options
        if len(structure) > limits.max_sites or max(structure.lattice.abc) > limits.max_length:
            return False
        if len(structure.composition) > limits.slots or not structure.is_ordered:
            return False
        try:
            self.codec.boxed_positions(structure)
        except InputError:
            return False
        return True

    def train(
        self,
        structures: Sequence[Structure],
        seed: int,
        progress: Callable[[str, float], None],
        resume: Path | None = None,
    ) -> tuple[float, ...]:
        """Train both on crystals that fit; loss of the sites' autoencoder by epoch."""
        history = self._train_sites(structures, seed, progress, resume)
        if self.cells is None:
            return history
        draw = varied_cells(self.codec, structures)
        train_autoencoder(
            self.cells,
            draw,
            len(structures),
            self.options.cell_epochs,
            seed,
            progress,
            "cell autoencoder",
            CELL_RATE,
            resume=resume,
        )
        return history

    def _train_sites(
        self,
        structures: Sequence[Structure],
        seed: int,
        progress: Callable[[str, float], None],
        resume: Path | None,
    ) -> tuple[float, ...]:
        """Train on all images; in the mode ``"separate"`` a copy for each element on from there, on its own images."""
        bases = self.codec.encode_bases(structures)
        images = torch.as_tensor(np.concatenate([item.images for item in bases]))
        elements = torch.tensor([number for item in bases for number in item.elements])
        separate, epochs = isinstance(self.sites, SiteAutoencoders), self.options.site_epochs
        history = train_autoencoder(
            self.sites.combined if separate else self.sites, rows_of(images, elements, SHIFTS), len(images), epochs,
            seed, progress, "site autoencoder", RATE, resume=resume,
        )  # fmt: skip
        if separate:
            numbers = sorted(set(elements.tolist()))
            self.sites.add(numbers)
            for number in numbers:
                mine, what = images[elements == number], f"site autoencoder of {Element.from_Z(number).symbol}"
                draw, rate = rows_of(mine, None, SHIFTS), RATE / FINER
                train_autoencoder(
                    self.sites.of(number), draw, len(mine), epochs, seed, progress, what, rate, resume=resume
                )
        return history

    def encode(self, structures: Sequence[Structure]) -> list[Codes]:
        """Codes of crystals that fit."""
        found = []
        for first in range(0, len(structures), CHUNK):
            part = structures[first : first + CHUNK]
            bases = self.codec.encode_bases(part)
            images = np.concatenate([item.images for item in bases])
            elements = np.array([number for item in bases for number in item.elements])
            sites = np.split(self.sites.codes(images, elements), np.cumsum([len(item.elements) for item in bases])[:-1])
            cells = self._cell_codes(part)
            for structure, item, cell, code in zip(part, bases, cells, sites, strict=True):
                numbers = np.array(structure.atomic_numbers)
                amounts = np.array([(numbers == number).sum() for number in item.elements], dtype=float)
                found.append(Codes(cell.astype(float), item.elements, amounts, code.astype(float)))
        return found

    def decode(self, codes: Codes) -> Structure | str:
        """The crystal that codes show, or why they show none."""
        if not codes.elements:
            return "no element in the graph"
        order = np.argsort(codes.elements)
        elements = np.array(codes.elements)[order]
        images = self.sites.images(codes.sites[order].astype(np.float32), elements)
        images = self.as_many_as_said(images, codes.amounts[order])
        cell = self.cell_of(codes.cell)
        if cell is None:
            return "no cell decoded"
        lengths, angles = cell
        peaks = find_peaks(images, self.options.threshold, self.codec.sigma, self.codec.box)
        if len(peaks.heights) > CROWD * self.options.max_sites:  # of which each pair would be looked at
            return "too many atoms decoded"
        try:
            crystal = self.codec.assemble(
                lengths, angles, Images(tuple(int(z) for z in elements), images), self.options.threshold
            )
        except InputError:
            return "no atom decoded"
        if len(crystal.composition) < len(codes.elements):
            return "an element without atoms"
        return crystal

    def cell_of(self, code: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
        """(3,) lengths, Å, and (3,) angles, degrees, of a cell's code; None where it shows no possible cell."""
        if self.cells is not None:
            try:
                return self.codec.decode_cell(self.cells.images(code[None].astype(np.float32))[0], CELL_THRESHOLD)
            except InputError:
                return None
        lengths, angles = np.exp(code[:3]), np.degrees(code[3:])
        if not (np.isfinite(lengths).all() and ((angles > 0) & (angles < 180)).all()):
            return None
        a, b, c = np.cos(np.radians(angles))
        return (lengths, angles) if 1 + 2 * a * b * c - a * a - b * b - c * c > LEAST_SQUARE else None

    def _cell_codes(self, structures: Sequence[Structure]) -> NDArray[np.float32]:
        """Codes of the cells: logarithms of lengths and angles in radians, or those of the images."""
        lengths, angles = [s.lattice.abc for s in structures], [s.lattice.angles for s in structures]
        if self.cells is None:
            return np.hstack([np.log(lengths), np.radians(angles)]).astype(np.float32)
        made: NDArray[np.float32] = self.cells.codes(self.codec.encode_cells(lattice_matrices(lengths, angles)))
        return made

    def as_many_as_said(self, images: Voxels, amounts: NDArray[np.float64]) -> Voxels:
        """Images scaled so that as many peaks as the graph says are higher than the threshold, if so many stand out.

        What stands out is measured by the brightest voxel, since images of graphs that were made are dim. An image is
        left as it is where the graph says nothing, or there is next to nothing in it.
        """
        made = images.copy()
        for i, amount in enumerate(np.round(amounts)):
            brightest = float(images[i].max())
            if not 1 <= amount <= self.options.max_sites or brightest < DARK:
                continue
            faintest = FAINTEST * min(brightest, 1.0)
            peaks = find_peaks(images[i : i + 1], faintest, self.codec.sigma, self.codec.box)
            rank = np.argsort(np.argsort(-peaks.heights, kind="stable"), kind="stable")
            peaks = peaks.keep(rank < CROWD * self.options.max_sites)  # of noise, thousands
            peaks = merge_peaks(peaks, np.eye(3) * self.codec.box, MERGE_RADIUS)
            heights = np.append(np.sort(peaks.heights)[::-1], faintest)
            asked = min(int(amount), len(heights) - 1)
            if asked:
                made[i] *= self.options.threshold / (0.5 * (heights[asked - 1] + heights[asked]))
        return made

    def state(self) -> dict[str, NDArray[Any]]:
        """Weights."""
        arrays = to_arrays(self.sites, "sites/")
        return arrays if self.cells is None else arrays | to_arrays(self.cells, "cells/")

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take over weights."""
        if isinstance(self.sites, SiteAutoencoders):
            self.sites.restore(arrays, "sites/")
        else:
            from_arrays(self.sites, arrays, "sites/")
        if self.cells is not None:
            from_arrays(self.cells, arrays, "cells/")
