"""Crystals as voxel images: one image of the cell, one image of the sites of each element.

iMatGen (Noh et al., Matter 1, 1370, 2019, Experimental procedures) and CCDCGAN (Long et al.) write a crystal
this way. The cell image is a Gaussian of the distance to the cell's centre on a grid of fractional coordinates;
a basis image is the sum of the Gaussians of the atoms of one element in a periodic cube of 15 Å, all atoms
moved together so that their mean sits in the middle. Values below a cut-off are 0.

The images come back as crystals exactly: a Gaussian's logarithm is a parabola, so three voxels give the place
of an atom within the voxel, and all voxels of a cell image together give the metric tensor by least squares.
The paper reads single voxels instead (see `voxel_decode`) and is 0.11 Å off.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Final, Self

import numpy as np
from pymatgen.core import Element, Lattice, Structure

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.crystals import lattice_matrices, wrap
from fermiloop.platform.representations.voxel_decode import (
    MERGE_RADIUS,
    Peaks,
    drop_overlapping,
    find_peaks,
    least_squares_cell,
    merge_peaks,
    unwrap,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Voxels = NDArray[np.float32]

MARGIN: Final = 2.0
"""Å of the box that atoms must leave free, so that none meets another through its walls."""
ROOM: Final = 64_000_000
"""Voxels that one batch fills at most."""


@dataclass(frozen=True)
class Images:
    """Basis images of one crystal.

    Parameters
    ----------
    elements
        Atomic numbers, ascending.
    images
        (n_elements, grid, grid, grid), one image each.
    """

    elements: tuple[int, ...]
    images: Voxels

    def __post_init__(self) -> None:
        if self.images.ndim != 4 or len(self.images) != len(self.elements):
            raise InputError(f"{len(self.elements)} elements need as many cubic images, not {self.images.shape}.")


@dataclass(frozen=True)
class ImageCodec:
    """Crystal to images and back.

    Parameters
    ----------
    cell_grid, basis_grid
        Voxels along an edge of the cell image and of a basis image; even.
    box
        Edge of the cube that the atoms are put into, Å.
    sigma
        Width of an atom's Gaussian, Å; the paper's 0.26 suits 64³, 0.5 suits 32³.
    cutoff
        Values below it are 0.
    cell_sigma
        Width of the cell image's Gaussian, Å.

    Raises
    ------
    InputError
        If a grid is odd or too small, or the voxels are too coarse for the Gaussians.
    """

    cell_grid: int = 32
    basis_grid: int = 64
    box: float = 15.0
    sigma: float = 0.26
    cutoff: float = 0.02
    cell_sigma: float = 0.26

    def __post_init__(self) -> None:
        if min(self.cell_grid, self.basis_grid) < 8 or self.cell_grid % 2 or self.basis_grid % 2:
            raise InputError(f"Grids must be even and at least 8, not {self.cell_grid} and {self.basis_grid}.")
        if not (0 < self.cutoff < 1 and self.box > MARGIN and min(self.sigma, self.cell_sigma) > 0):
            raise InputError("An image codec needs 0 < cutoff < 1, widths above 0 and a box longer than 2 Å.")
        if self.spacing > 1.5 * self.sigma:
            raise InputError(
                f"Voxels of {self.spacing:.2f} Å are too coarse for a Gaussian of {self.sigma:g} Å; "
                f"take sigma above {self.spacing / 1.5:.2f} or a finer grid."
            )

    @classmethod
    def for_grid(cls, grid: int, box: float = 15.0) -> Self:
        """The widths that go with basis images of 64³ (the paper's) and of coarser grids, or of other boxes."""
        if (grid, box) == (64, 15.0):
            return cls()
        return cls(basis_grid=grid, box=box, sigma=16 / 15 * box / grid, cell_sigma=0.5)

    @property
    def spacing(self) -> float:
        """Å between voxels of a basis image."""
        return self.box / self.basis_grid

    @property
    def largest_extent(self) -> float:
        """Å that the atoms of a crystal may span along x, y or z."""
        return self.box - MARGIN

    def encode_cell(self, matrix: Array) -> Voxels:
        """(grid, grid, grid) image of a (3, 3) cell, rows a, b, c, Å."""
        return np.asarray(self.encode_cells(np.asarray(matrix)[None])[0])

    def encode_cells(self, matrices: Array) -> Voxels:
        """(n, grid, grid, grid) images of (n, 3, 3) cells.

        The distance is taken along the fractional coordinates between -1/2 and 1/2, which is the nearest one
        as long as lattice planes are two radii of the Gaussian apart, and which `decode_cell` inverts in any case.
        """
        cells = np.asarray(matrices, dtype=float)
        metric = cells @ cells.swapaxes(1, 2)
        pairs = metric[:, (0, 1, 2, 1, 0, 0), (0, 1, 2, 2, 2, 1)]
        images = np.exp(pairs @ self._quadratic.T / (-2 * self.cell_sigma**2))
        images[images < self.cutoff] = 0
        return images.astype(np.float32).reshape(-1, *(self.cell_grid,) * 3)

    def encode_basis(self, structure: Structure) -> Images:
        """Basis images of an ordered crystal.

        Raises
        ------
        InputError
            If it is disordered, or does not fit the box whichever periodic images are taken.
        """
        return self.encode_bases([structure])[0]

    def encode_bases(self, structures: Sequence[Structure]) -> list[Images]:
        """Basis images of many crystals."""
        boxed = [self.boxed_positions(structure) for structure in structures]
        numbers = [np.array(structure.atomic_numbers) for structure in structures]
        elements = [tuple(sorted({int(z) for z in row})) for row in numbers]
        made: list[Images] = []
        per_batch = max(1, ROOM // (8 * self.basis_grid**3))
        for first in range(0, len(structures), per_batch):
            made += self._encode(
                elements[first : first + per_batch],
                numbers[first : first + per_batch],
                boxed[first : first + per_batch],
            )
        return made

    def paint(self, positions: Sequence[Array]) -> Voxels:
        """(n, grid, grid, grid) images of atoms of one element at each of n lists of (k, 3) places in the box, Å."""
        numbers = [np.ones(len(places), dtype=np.int64) for places in positions]
        images = self._encode([(1,)] * len(positions), numbers, positions)
        return np.concatenate([one.images for one in images])

    def boxed_positions(self, structure: Structure) -> Array:
        """(n_sites, 3) positions in the box, Å, their mean in its middle; some may lie beyond its walls.

        Raises
        ------
        InputError
            If the crystal is disordered or too long for the box.
        """
        if not structure.is_ordered:
            raise InputError(f"{structure.formula} has partly occupied sites; only ordered crystals have images.")
        lattice = structure.lattice
        cell = lattice_matrices([lattice.abc], [lattice.angles])[0]
        positions = nearest_images(wrap(structure.frac_coords), np.array(structure.atomic_numbers), cell)
        extent = float(np.ptp(positions, axis=0).max())
        if not extent <= self.largest_extent:
            raise InputError(
                f"{structure.formula} spans {extent:.1f} Å, more than the {self.largest_extent:g} Å that fit a box "
                f"of {self.box:g} Å; leave it out or take a larger box."
            )
        return np.asarray(positions - positions.mean(axis=0) + self.box / 2)

    def decode_cell(self, image: Voxels, threshold: float | None = None) -> tuple[Array, Array]:
        """(3,) lengths, Å, and (3,) angles, degrees, by least squares over all voxels above a threshold.

        Parameters
        ----------
        image
            (grid, grid, grid).
        threshold
            The cut-off by default; 0.2 or so for the image of a network, whose dark voxels are never quite dark.

        Raises
        ------
        InputError
            If the image holds too few voxels or no possible cell.
        """
        return least_squares_cell(image.ravel(), self._quadratic, self.cell_sigma, threshold or self.cutoff)

    def decode_basis(
        self, images: Images, threshold: float | None = None, resolve: bool = True
    ) -> tuple[NDArray[np.int64], Array]:
        """(n,) atomic numbers and (n, 3) positions in the box, Å, of all peaks, element by element.

        Parameters
        ----------
        images
            Of one crystal.
        threshold
            Least height of a peak: the cut-off for clean images, about 0.3 for those of a network.
        resolve
            Merge peaks of one element within 0.75 Å and drop the weaker of two that overlap.
        """
        peaks = find_peaks(images.images, self.cutoff if threshold is None else threshold, self.sigma, self.box)
        if resolve:
            peaks = merge_peaks(peaks, np.eye(3) * self.box, MERGE_RADIUS)
            peaks = drop_overlapping(peaks, images.elements, np.eye(3) * self.box)
        return np.array(images.elements, dtype=np.int64)[peaks.channels], peaks.positions

    def decode(
        self, cell: Voxels, elements: tuple[int, ...], images: Voxels, threshold: float | None = None
    ) -> Structure:
        """The crystal that a cell image and basis images show.

        Raises
        ------
        InputError
            If there is no possible cell or no atom.
        """
        lengths, angles = self.decode_cell(cell)
        return self.assemble(lengths, angles, Images(elements, images), threshold)

    def assemble(self, lengths: Array, angles: Array, images: Images, threshold: float | None = None) -> Structure:
        """The crystal of a decoded cell and basis images; the mean of the atoms is put in the cell's centre.

        Peaks of one element closer than 0.75 Å, periodic images included, become one site; of two elements that
        overlap the weaker peak goes.

        Raises
        ------
        InputError
            If there is no atom.
        """
        matrix = lattice_matrices([lengths], [angles])[0]
        peaks = find_peaks(images.images, self.cutoff if threshold is None else threshold, self.sigma, self.box)
        peaks = merge_peaks(peaks, np.eye(3) * self.box, MERGE_RADIUS)
        if not len(peaks.channels):
            raise InputError("The basis images show no atom; nothing can be decoded.")
        positions = unwrap(peaks.positions, self.box)
        positions += 0.5 * matrix.sum(axis=0) - positions.mean(axis=0)
        peaks = merge_peaks(Peaks(peaks.channels, positions, peaks.heights), matrix, MERGE_RADIUS)
        peaks = drop_overlapping(peaks, images.elements, matrix)
        species = [Element.from_Z(images.elements[channel]) for channel in peaks.channels]
        lattice = Lattice.from_parameters(*lengths, *angles)
        return Structure(lattice, species, wrap(lattice.get_fractional_coords(peaks.positions)))

    def _encode(
        self,
        elements: Sequence[tuple[int, ...]],
        numbers: Sequence[NDArray[np.int64]],
        positions: Sequence[Array],
    ) -> list[Images]:
        """A Gaussian in three dimensions is a product of three in one; only a window around each atom is filled."""
        grid, reach = self.basis_grid, int(np.ceil(self.sigma * np.sqrt(-2 * np.log(self.cutoff)) / self.spacing))
        edges = np.cumsum([0, *(len(row) for row in elements)])
        image = np.concatenate(
            [edges[i] + np.searchsorted(row, numbers[i]) for i, row in enumerate(elements)], dtype=np.int64
        )
        places = np.concatenate(positions) / self.spacing
        voxels = np.floor(places).astype(np.int64)[:, :, None] + np.arange(-reach, reach + 2)  # (atoms, 3, window)
        lines = np.exp(((voxels - places[:, :, None]) * self.spacing) ** 2 / (-2 * self.sigma**2))
        x, y, z = lines[:, 0, :, None, None], lines[:, 1, None, :, None], lines[:, 2, None, None, :]
        values = x * y * z
        inside = values >= self.cutoff
        voxels %= grid
        flat = image[:, None, None, None] * grid + voxels[:, 0, :, None, None]
        flat = (flat * grid + voxels[:, 1, None, :, None]) * grid + voxels[:, 2, None, None, :]
        filled = np.zeros(edges[-1] * grid**3, dtype=np.float32)
        np.add.at(filled, flat[inside], values[inside].astype(np.float32))
        cubes = filled.reshape(-1, grid, grid, grid)
        return [Images(row, cubes[lo:hi]) for row, (lo, hi) in zip(elements, pairwise(edges), strict=True)]

    @cached_property
    def _quadratic(self) -> Array:
        """(cell_grid³, 6) products of the fractional coordinates: squared distance = these · metric tensor."""
        line = np.arange(self.cell_grid) / self.cell_grid - 0.5
        u, v, w = (axis.ravel() for axis in np.meshgrid(line, line, line, indexing="ij"))
        return np.stack([u * u, v * v, w * w, 2 * v * w, 2 * u * w, 2 * u * v], axis=1)


def nearest_images(frac: Array, numbers: NDArray[np.int64], cell: Array) -> Array:
    """(n, 3) positions, Å, of the periodic images that lie together: the same whatever the origin.

    Along each axis the cell is cut at the widest gap between atoms. Where that leaves a longer crystal than
    taking for each atom the image nearest to the mean, the latter is taken.
    """
    cut = np.stack([_cut_at_widest_gap(frac[:, axis], numbers) for axis in range(3)], axis=1) @ cell
    round_mean = _around_mean(cut, cell)
    shorter = np.ptp(round_mean, axis=0).max() < np.ptp(cut, axis=0).max() - 1e-3
    return np.asarray(round_mean if shorter else cut)


def _cut_at_widest_gap(coordinates: Array, numbers: NDArray[np.int64]) -> Array:
    order = np.argsort(coordinates, kind="stable")
    sorted_ = coordinates[order]
    gaps = np.diff(np.append(sorted_, sorted_[0] + 1))  # gaps[i] follows atom i
    starts = (np.flatnonzero(gaps > gaps.max() - 1e-4) + 1) % len(order)
    if len(starts) > 1:  # equal gaps: the order of the elements and of the distances decides

        def key(start: int) -> tuple[float, ...]:
            return (*np.roll(numbers[order], -start), *np.round(np.roll(gaps, -start), 3))

        starts = np.array([min(starts.tolist(), key=key)])
    return np.asarray(np.mod(coordinates - sorted_[starts[0]] + 1e-9, 1.0))


def _around_mean(positions: Array, cell: Array) -> Array:
    shifts = np.array(np.meshgrid(*[(-1, 0, 1)] * 3)).reshape(3, -1).T @ cell
    current = positions
    for _ in range(10):
        choices = current[:, None] + shifts
        nearest = (np.linalg.norm(choices - current.mean(axis=0), axis=2) - 1e-6 * ~shifts.any(axis=1)).argmin(axis=1)
        moved = choices[np.arange(len(current)), nearest]
        if np.array_equal(moved, current):
            break
        current = moved
    return np.asarray(current)
