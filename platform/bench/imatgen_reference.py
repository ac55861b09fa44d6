"""The images as the published script of iMatGen makes them, rewritten: the yardstick of speed and value.

The script asks ASE for the distance of an atom to every voxel, periodic images included, one atom at a time, and
for the distance of every point of the cell to its centre; then it takes the Gaussian and cuts it off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from ase.geometry import get_distances

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fermiloop.platform.representations.voxels import ImageCodec

    Array = NDArray[np.float64]


def reference_basis(codec: ImageCodec, numbers: NDArray[np.int64], positions: Array) -> Array:
    """(n_elements, grid, grid, grid) images of atoms.

    Parameters
    ----------
    codec
        Its grid, box, width and cut-off.
    numbers
        (n,) atomic numbers.
    positions
        (n, 3) in the box, Å.
    """
    grid = codec.basis_grid
    voxels = _points(grid) * codec.box
    elements = sorted({int(z) for z in numbers})
    images = np.zeros((len(elements), grid**3))
    for z, position in zip(numbers, positions, strict=True):
        _, distances = get_distances([position], voxels, cell=np.eye(3) * codec.box, pbc=True)
        value = np.exp(-(distances[0] ** 2) / (2 * codec.sigma**2))
        images[elements.index(int(z))] += np.where(value < codec.cutoff, 0, value)
    return images.reshape(-1, grid, grid, grid)


def reference_cell(codec: ImageCodec, matrix: Array) -> Array:
    """(grid, grid, grid) image of a (3, 3) cell, rows a, b, c, Å."""
    points = _points(codec.cell_grid) @ matrix
    _, distances = get_distances([0.5 * matrix.sum(axis=0)], points, cell=matrix, pbc=True)
    value = np.exp(-(distances[0] ** 2) / (2 * codec.cell_sigma**2))
    return np.where(value < codec.cutoff, 0, value).reshape((codec.cell_grid,) * 3)


def _points(grid: int) -> Array:
    line = np.arange(grid) / grid
    return np.stack(np.meshgrid(line, line, line, indexing="ij"), axis=-1).reshape(-1, 3)
