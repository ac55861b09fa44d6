"""Training images full of atoms: pieces of the crystal that is learned from, repeated, turned and cut at random.

A primitive cell leaves most of its box empty, and a convolution learns of an atom only what stands around it. A piece
of the same crystal that fills the box shows thirty times as many atoms at the same cost, each with its neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from scipy.spatial.transform import Rotation

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from pymatgen.core import Structure
    from torch import Tensor

    from fermiloop.platform.representations.voxels import ImageCodec

    Array = NDArray[np.float64]
    Draw = Callable[[Tensor, torch.Generator], tuple[Tensor, Tensor | None]]

WALL: Final = 1.0
"""Å that atoms keep from the walls of the box."""
SMALLEST: Final = 4.0
"""Å of the smallest piece along an axis."""
SHARE: Final = 0.5
"""Of the images of a batch that become full ones."""


@dataclass(frozen=True)
class Sublattice:
    """All atoms of one element of a crystal.

    Parameters
    ----------
    cell
        (3, 3) rows, Å.
    places
        (n, 3) fractional coordinates.
    """

    cell: Array
    places: Array

    def piece(self, box: float, rng: np.random.Generator) -> Array:
        """(k, 3) places in the box, Å, of a piece in a random orientation, of random size, at a random place."""
        reach = np.ceil(box * np.linalg.norm(np.linalg.inv(self.cell), axis=0)).astype(int)
        ranges = [np.arange(-n, n + 1) for n in reach]
        repeats = np.stack(np.meshgrid(*ranges, indexing="ij"), axis=-1).reshape(-1, 1, 3)
        around = ((repeats + self.places + rng.random(3)).reshape(-1, 3)) @ self.cell
        turned = around @ Rotation.random(random_state=int(rng.integers(2**31))).as_matrix()
        cut = turned @ Rotation.random(random_state=int(rng.integers(2**31))).as_matrix()
        inside = (np.abs(turned) < box / 2 - WALL).all(axis=1)
        inside &= (np.abs(cut) < rng.uniform(SMALLEST, 2 * box, 3) / 2).all(axis=1)
        return np.asarray(turned[inside] + box / 2)


def sublattices(structures: Sequence[Structure]) -> list[Sublattice]:
    """One for each element of each crystal, elements by atomic number."""
    found = []
    for structure in structures:
        numbers = np.array(structure.atomic_numbers)
        found += [Sublattice(structure.lattice.matrix, structure.frac_coords[numbers == z]) for z in np.unique(numbers)]
    return found


def with_full_images(draw: Draw, codec: ImageCodec, of_rows: Sequence[Sublattice], share: float = SHARE) -> Draw:
    """A `draw` for `train_autoencoder` in which a share of the images shows pieces of the same sublattices instead."""

    def mixed(rows: Tensor, random: torch.Generator) -> tuple[Tensor, Tensor | None]:
        images, elements = draw(rows, random)
        chosen = torch.rand(len(rows), generator=random) < share
        rng = np.random.default_rng(int(torch.randint(2**31, (1,), generator=random)))
        pieces = [of_rows[int(row)].piece(codec.box, rng) for row in rows[chosen]]
        if pieces:
            images = images.clone()
            images[chosen] = torch.as_tensor(codec.paint(pieces))
        return images, elements

    return mixed
