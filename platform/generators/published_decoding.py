"""A crystal from images as iMatGen's and CCDCGAN's scripts read it: by single voxels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from pymatgen.core import Element, Lattice, Structure

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.crystals import lattice_matrices, wrap
from fermiloop.platform.representations.voxel_decode import paper_decode_basis, paper_decode_cell, unwrap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fermiloop.platform.representations.voxels import ImageCodec

    Voxels = NDArray[np.float32]

MOST_PEAKS: Final = 200
"""Peaks from which on an image shows noise, not atoms."""


def by_single_voxels(
    codec: ImageCodec, cell: Voxels, elements: Sequence[int], images: Voxels, threshold: float
) -> Structure | str:
    """The crystal, or why there is none; the mean of the atoms is put in the cell's centre.

    Parameters
    ----------
    codec
        Its box, width of cell images and cut-off.
    cell
        (cell_grid, cell_grid, cell_grid) image.
    elements
        (k,) atomic numbers.
    images
        (k, grid, grid, grid) of each element's sites.
    threshold
        Voxels below it are background.
    """
    try:
        lengths, angles = paper_decode_cell(np.where(cell < codec.cutoff, 0, cell), codec.cell_sigma)
    except InputError:
        return "no cell decoded"
    channels, positions = paper_decode_basis(images, codec.box, threshold)
    if not 0 < len(channels) <= MOST_PEAKS:
        return "more peaks than atoms can be" if len(channels) else "no atom decoded"
    matrix = lattice_matrices([lengths], [angles])[0]
    if not np.isfinite(matrix).all():
        return "no cell decoded"
    positions = unwrap(positions, codec.box)
    positions += 0.5 * matrix.sum(axis=0) - positions.mean(axis=0)
    lattice = Lattice.from_parameters(*lengths, *angles)
    species = [Element.from_Z(int(elements[channel])) for channel in channels]
    return Structure(lattice, species, wrap(lattice.get_fractional_coords(positions)))
