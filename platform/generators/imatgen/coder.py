"""Crystals of two elements as one vector: a code for each element's image and one for the cell.

The first step of iMatGen (Noh et al., 2019): images are coded by autoencoders that are trained once; the second
step, the materials generator, learns from the codes alone. The cell is coded by its image, as in the paper, or by the
six numbers behind it (`cells`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from pymatgen.core import Element
from scipy.optimize import linear_sum_assignment

from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.imatgen.cells import cell_codes, cells, pair_counts
from fermiloop.platform.generators.imatgen.filled import sublattices, with_full_images
from fermiloop.platform.generators.imatgen.options import IMAGE
from fermiloop.platform.generators.voxel_autoencoder import (
    BasisAutoencoder,
    CellAutoencoder,
    rows_of,
    train_autoencoder,
)
from fermiloop.platform.predictors.files import from_arrays, to_arrays
from fermiloop.platform.representations.crystals import cells_of, lattice_matrices
from fermiloop.platform.representations.voxels import ImageCodec, Images

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from pymatgen.core import Structure
    from torch import Tensor

    from fermiloop.platform.generators.imatgen.options import ImatgenOptions

    Array = NDArray[np.float64]
    Voxels = NDArray[np.float32]

SLOTS: Final = 2
SHIFTS: Final = 3
"""Voxels by which training images are moved at most."""
CELL_CHANNELS: Final = 8
CELL_SIGMA: Final = 1.0
"""Å; wide, so that a coarse image of a long axis still has several voxels."""
CELL_THRESHOLD: Final = 0.2
"""Voxels of a painted cell image below it are left out."""
STRAIN: Final = 0.1
"""Standard deviation of the logarithms of lengths by which training cells are varied."""
BEND: Final = 4.0
"""Degrees by which their angles are."""
CHUNK: Final = 64
"""Crystals whose images are held at once."""
RATE: Final = 3e-3
BATCH: Final = 8
"""Images of one step of the basis autoencoder."""
CELL_RATE: Final = 2e-3


@dataclass(frozen=True)
class ImageScore:
    """How well images of crystals come back.

    Parameters
    ----------
    n
        Images.
    counted
        Those with the right number of atoms, all within 1 Å.
    errors
        Å of each atom of those.
    """

    n: int
    counted: int
    errors: tuple[float, ...]


class CrystalCoder:
    """Codec and autoencoders together.

    Parameters
    ----------
    options
        Grids and sizes.
    seed
        Of the initial weights.
    """

    def __init__(self, options: ImatgenOptions, seed: int = 0) -> None:
        self.options = options
        widths = ImageCodec.for_grid(options.grid, options.box)
        self.codec = replace(widths, cell_grid=options.cell_grid, cell_sigma=CELL_SIGMA)
        self.basis = BasisAutoencoder(options.grid, options.channels, options.code, seed=seed)
        self.cell: CellAutoencoder | None = None
        if options.cell == IMAGE:
            self.cell = CellAutoencoder(options.cell_grid, CELL_CHANNELS, options.cell_code, seed=seed + 1)

    @property
    def width(self) -> int:
        """Numbers of a crystal's code."""
        return SLOTS * self.options.code + self.options.cell_numbers

    def train(
        self,
        structures: Sequence[Structure],
        seed: int,
        progress: Callable[[str, float], None],
        resume: Path | None = None,
    ) -> tuple[float, ...]:
        """Train both autoencoders on crystals that fit the box, in this order as many as the options say.

        Returns
        -------
        Loss of the basis autoencoder by epoch.
        """
        options = self.options
        pictured, celled = structures[: options.max_images], structures[: options.max_cells]
        images = np.concatenate([item.images for item in self.codec.encode_bases(pictured)])
        draw = rows_of(torch.as_tensor(images), None, SHIFTS if options.augment else -1)
        if options.augment:
            draw = with_full_images(draw, self.codec, sublattices(pictured))
        n, epochs, what = len(images), options.epochs, "basis autoencoder"
        history = train_autoencoder(self.basis, draw, n, epochs, seed, progress, what, RATE, BATCH, resume)
        if self.cell is not None:
            cells, epochs = varied_cells(self.codec, celled), options.cell_epochs
            train_autoencoder(
                self.cell, cells, len(celled), epochs, seed, progress, "cell autoencoder", CELL_RATE, resume=resume
            )
        return history

    def codes(self, structures: Sequence[Structure], pair: tuple[str, str]) -> Array:
        """(n, width) codes of crystals of a pair of elements that fit the box.

        Raises
        ------
        InputError
            If a crystal holds another element or does not fit.
        """
        numbers = [Element(symbol).Z for symbol in pair]
        made = np.zeros((len(structures), self.width))
        for first in range(0, len(structures), CHUNK):
            part = structures[first : first + CHUNK]
            slots = np.zeros((len(part), SLOTS, *(self.options.grid,) * 3), dtype=np.float32)
            for i, images in enumerate(self.codec.encode_bases(part)):
                if not set(images.elements) <= set(numbers):
                    raise InputError(f"{part[i].formula} is no crystal of {pair[0]} and {pair[1]} alone.")
                for z, image in zip(images.elements, images.images, strict=True):
                    slots[i, numbers.index(z)] = image
            basis = self.basis.codes(slots.reshape(-1, *slots.shape[2:])).reshape(len(part), -1)
            made[first : first + CHUNK] = np.concatenate([basis, self._cell_codes(part, pair)], axis=1)
        return made

    def crystals(
        self, codes: Array, pair: tuple[str, str], threshold: float | None = None
    ) -> Iterator[Structure | str]:
        """The crystal of each of (n, width) codes, or why it shows none; peaks above a threshold are atoms."""
        least = self.options.threshold if threshold is None else threshold
        order = np.argsort([Element(symbol).Z for symbol in pair])
        elements = tuple(sorted(Element(symbol).Z for symbol in pair))
        for first in range(0, len(codes), CHUNK):
            part = codes[first : first + CHUNK].astype(np.float32)
            slots = part[:, : SLOTS * self.options.code].reshape(-1, self.options.code)
            images = self.basis.images(slots).reshape(len(part), SLOTS, *(self.options.grid,) * 3)
            cells = part[:, SLOTS * self.options.code :]
            if self.cell is not None:
                cells = self.cell.images(cells)
            for cell, image in zip(cells, images, strict=True):
                yield self._crystal(cell, Images(elements, image[order]), pair, least)

    def score_images(self, structures: Sequence[Structure]) -> ImageScore:
        """How the basis images of crystals come back from their codes."""
        counted, n, errors = 0, 0, []
        for structure in structures:
            images, positions = self.codec.encode_basis(structure), self.codec.boxed_positions(structure)
            numbers = np.array(structure.atomic_numbers)
            made = self.basis.images(self.basis.codes(images.images))
            for z, image in zip(images.elements, made, strict=True):
                _, found = self.codec.decode_basis(Images((z,), image[None]), self.options.threshold)
                away = deviations(positions[numbers == z], found, self.codec.box)
                n += 1
                if away is not None and away.max() < 1:
                    counted += 1
                    errors += away.tolist()
        return ImageScore(n, counted, tuple(errors))

    def score_cells(self, structures: Sequence[Structure]) -> tuple[Array, Array]:
        """(n, 3) errors of lengths, Å, and of angles, degrees, of cells from their codes; NaN where none comes."""
        lengths = np.array([structure.lattice.abc for structure in structures])
        angles = np.array([structure.lattice.angles for structure in structures])
        if self.cell is None:  # six numbers are the cell
            return np.zeros_like(lengths), np.zeros_like(angles)
        images = self.cell.images(self.cell.codes(self.codec.encode_cells(lattice_matrices(lengths, angles))))
        found = np.full((len(structures), 2, 3), np.nan)
        for i, image in enumerate(images):
            try:
                found[i] = self.codec.decode_cell(image, CELL_THRESHOLD)
            except InputError:
                continue
        return np.abs(found[:, 0] - lengths), np.abs(found[:, 1] - angles)

    def state(self) -> dict[str, NDArray[Any]]:
        """Weights."""
        return to_arrays(self.basis, "basis/") | ({} if self.cell is None else to_arrays(self.cell, "cell/"))

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take over weights."""
        from_arrays(self.basis, arrays, "basis/")
        if self.cell is not None:
            from_arrays(self.cell, arrays, "cell/")

    def _cell_codes(self, structures: Sequence[Structure], pair: tuple[str, str]) -> Array:
        matrices = cells_of(structures)
        if self.cell is not None:
            return self.cell.codes(self.codec.encode_cells(matrices)).astype(float)
        counts = np.array([pair_counts(np.array(s.atomic_numbers), pair) for s in structures])
        return cell_codes(matrices, counts, pair)

    def _crystal(self, cell: Voxels, images: Images, pair: tuple[str, str], threshold: float) -> Structure | str:
        """The crystal of the image or the six numbers of a cell and the images of both elements."""
        try:
            if self.cell is not None:
                lengths, angles = self.codec.decode_cell(cell, CELL_THRESHOLD)
            else:
                lengths, angles = self._cell(cell, images, pair, threshold)
        except InputError:
            return "no cell decoded"
        try:
            return self.codec.assemble(lengths, angles, images, threshold)
        except InputError:
            return "no atom decoded"

    def _cell(self, code: Voxels, images: Images, pair: tuple[str, str], threshold: float) -> tuple[Array, Array]:
        """Lengths and angles at the volume of the atoms that the images show."""
        numbers, _ = self.codec.decode_basis(images, threshold)
        if not len(numbers):
            raise InputError("The images show no atom, so there is no volume.")
        lengths, angles = cells(code[None].astype(float), pair_counts(numbers, pair)[None], pair)
        return lengths[0], angles[0]


def deviations(true: Array, found: Array, box: float) -> Array | None:
    """(n,) Å between positions and the found ones that belong to them; None where their numbers differ."""
    if len(true) != len(found):
        return None
    away = true[:, None] - found[None]
    away -= box * np.round(away / box)
    distance = np.linalg.norm(away, axis=2)
    rows, columns = linear_sum_assignment(distance)
    return np.asarray(distance[rows, columns])


def varied_cells(
    codec: ImageCodec, structures: Sequence[Structure]
) -> Callable[[Tensor, torch.Generator], tuple[Tensor, None]]:
    """A `draw` for `train_autoencoder`: cell images of crystals, each time strained and bent a little."""
    lengths = np.array([structure.lattice.abc for structure in structures])
    angles = np.array([structure.lattice.angles for structure in structures])

    def cells(rows: Tensor, random: torch.Generator) -> tuple[Tensor, None]:
        change = torch.randn((2, len(rows), 3), generator=random).double().numpy()
        varied = np.clip(angles[rows] + BEND * change[1], 15, 165)
        matrices = lattice_matrices(lengths[rows] * np.exp(STRAIN * change[0]), _possible(varied, angles[rows]))
        return torch.as_tensor(codec.encode_cells(matrices)), None

    return cells


def _possible(angles: Array, otherwise: Array) -> Array:
    """Angles that enclose a volume, `otherwise` in place of those that do not."""
    x, y, z = np.cos(np.radians(angles)).T
    volume = 1 - x * x - y * y - z * z + 2 * x * y * z
    return np.where(volume[:, None] > 0.02, angles, otherwise)
