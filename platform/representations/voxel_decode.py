"""Reading voxel images: peaks within the voxel, the metric tensor, overlaps; and the paper's own decoder.

The paper's decoder (Noh et al., Matter 1, 1370, 2019; supplement S3) takes the brightest voxel of each atom and
the dimmest voxel along six directions of the cell image. It is kept to reproduce its published error.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import TYPE_CHECKING, Final

import numpy as np
from ase.data import covalent_radii
from scipy import ndimage

from fermiloop.platform.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Voxels = NDArray[np.float32]

MERGE_RADIUS: Final = 0.75
"""Å within which two peaks of one element are one atom."""
OVERLAP: Final = 0.7
"""Share of the sum of covalent radii within which the weaker of two peaks of different elements goes."""
SMOOTHING: Final = 0.15
"""Voxels; width of the filter before the paper's peak search."""


@dataclass(frozen=True)
class Peaks:
    """Maxima of basis images.

    Parameters
    ----------
    channels
        (n,) which image each is of.
    positions
        (n, 3) Å.
    heights
        (n,) value of the brightest voxel.
    """

    channels: NDArray[np.int64]
    positions: Array
    heights: Array

    def keep(self, rows: NDArray[np.bool_]) -> Peaks:
        """Those marked true."""
        return Peaks(self.channels[rows], self.positions[rows], self.heights[rows])


def find_peaks(images: Voxels, threshold: float, sigma: float, box: float) -> Peaks:
    """Maxima above a threshold, placed within their voxel by a parabola through three logarithms.

    Where a neighbour is cut off, the known width stands in for the parabola's curvature.

    Parameters
    ----------
    images
        (n_channels, grid, grid, grid), periodic.
    threshold
        Least height.
    sigma
        Width of the Gaussians, Å.
    box
        Edge, Å.
    """
    grid = images.shape[-1]
    bright = np.argwhere(images > threshold)
    values = images[tuple(bright.T)]
    highest = np.ones(len(bright), dtype=bool)
    for shift in product((-1, 0, 1), repeat=3):
        if any(shift):
            still = np.flatnonzero(highest)
            highest[still] = values[still] >= _beside(images, bright[still], shift)
    peaks, heights = bright[highest], values[highest].astype(float)
    floor = min(threshold, 0.0183)
    middle = np.log(np.maximum(heights, 1e-6))
    moved = np.zeros((len(peaks), 3))
    stiffness = (box / grid / sigma) ** 2
    for axis in range(3):
        step = np.eye(3, dtype=int)[axis]
        below, above = (_beside(images, peaks, tuple(sign * step)).astype(float) for sign in (-1, 1))
        moved[:, axis] = _parabola(below, middle, above, floor, stiffness)
    return Peaks(peaks[:, 0], np.mod((peaks[:, 1:] + moved) * (box / grid), box), heights)


def _beside(images: Voxels, voxels: NDArray[np.int64], shift: tuple[int, ...]) -> Voxels:
    place = (voxels[:, 1:] + np.array(shift)) % images.shape[-1]
    return np.asarray(images[voxels[:, 0], place[:, 0], place[:, 1], place[:, 2]])


def _parabola(below: Array, middle: Array, above: Array, floor: float, stiffness: float) -> Array:
    """Voxels from the brightest one to the maximum; `below` and `above` are values, `middle` is a logarithm."""
    seen_below, seen_above = below > floor, above > floor
    a, e = (np.log(np.maximum(side, 1e-6)) for side in (below, above))
    curvature = a - 2 * middle + e
    both = seen_below & seen_above & (curvature < -1e-6)
    one_sided = np.where(
        seen_above, (e - middle) / stiffness + 0.5, np.where(seen_below, (middle - a) / stiffness - 0.5, 0.0)
    )
    moved = np.where(both, 0.5 * (a - e) / np.where(both, curvature, 1.0), one_sided)
    return np.asarray(np.clip(moved, -0.6, 0.6))


def merge_peaks(peaks: Peaks, cell: Array, radius: float) -> Peaks:
    """Peaks of one element within a radius of each other as one, at their mean by height.

    Parameters
    ----------
    peaks
        Maxima.
    cell
        (3, 3) period, rows Å.
    radius
        Å.
    """
    order = np.argsort(-peaks.heights, kind="stable")
    near = _shortest(peaks.positions, cell)
    same = peaks.channels[:, None] == peaks.channels[None]
    close = (np.linalg.norm(near, axis=2) < radius) & same
    if close.sum() == len(order):
        return peaks
    taken = np.zeros(len(order), dtype=bool)
    kept = np.zeros(len(order), dtype=bool)
    positions = peaks.positions.copy()
    for i in order:
        if taken[i]:
            continue
        group = close[i] & ~taken
        positions[i] += np.average(near[i, group], axis=0, weights=peaks.heights[group])
        taken |= group
        kept[i] = True
    return Peaks(peaks.channels, positions, peaks.heights).keep(kept)


def drop_overlapping(peaks: Peaks, elements: tuple[int, ...], cell: Array) -> Peaks:
    """Without the weaker of any two peaks of different elements closer than 0.7 sums of covalent radii."""
    radii = covalent_radii[np.array(elements, dtype=int)][peaks.channels]
    reach = OVERLAP * (radii[:, None] + radii[None])
    close = np.linalg.norm(_shortest(peaks.positions, cell), axis=2) < reach
    close &= peaks.channels[:, None] != peaks.channels[None]
    kept = np.ones(len(radii), dtype=bool)
    for i in np.argsort(-peaks.heights, kind="stable"):
        if kept[i]:
            kept[close[i]] = False
    return peaks.keep(kept)


def _shortest(positions: Array, cell: Array) -> Array:
    """(n, n, 3) vectors from each position to the nearest periodic image of each other, Å."""
    frac = positions @ np.linalg.inv(cell)
    between = frac[None] - frac[:, None]
    between -= np.round(between)
    shifts = np.array(list(product((-1, 0, 1), repeat=3)))
    choices = (between[:, :, None] + shifts) @ cell
    nearest = (choices**2).sum(-1).argmin(axis=2)
    return np.asarray(np.take_along_axis(choices, nearest[:, :, None, None], axis=2)[:, :, 0])


def unwrap(positions: Array, box: float) -> Array:
    """Positions joined across the walls of the box: the choice whose mean is nearest to the middle, as encoded."""
    joined = np.mod(positions, box)
    n = len(joined)
    for axis in range(3):
        order = np.argsort(joined[:, axis], kind="stable")
        moved = np.arange(-n + 1, n)  # that many of the lowest go up, or of the highest go down
        k = int(moved[np.abs(joined[:, axis].mean() - box / 2 + moved * box / n).argmin()])
        if k > 0:
            joined[order[:k], axis] += box
        elif k < 0:
            joined[order[k:], axis] -= box
    return joined


def least_squares_cell(image: Voxels, quadratic: Array, sigma: float, cutoff: float) -> tuple[Array, Array]:
    """Lengths, Å, and angles, degrees, from the metric tensor that fits all voxels best.

    Parameters
    ----------
    image
        (voxels,) cell image.
    quadratic
        (voxels, 6) products of fractional coordinates.
    sigma
        Width of the Gaussian, Å.
    cutoff
        Voxels below it are left out.

    Raises
    ------
    InputError
        If six independent voxels are not there, or the tensor belongs to no cell.
    """
    used = image > cutoff
    value = image[used].astype(float)
    squared = -2 * sigma**2 * np.log(np.minimum(value, 1.0))
    solution, _, rank, _ = np.linalg.lstsq(quadratic[used] * value[:, None], squared * value, rcond=1e-10)
    if rank < 6:
        raise InputError(f"A cell image with {used.sum()} voxels above {cutoff:g} does not determine a cell.")
    aa, bb, cc, bc, ac, ab = solution
    metric = np.array([[aa, ab, ac], [ab, bb, bc], [ac, bc, cc]])
    if not np.linalg.eigvalsh(metric)[0] > 1e-3:
        raise InputError("The metric tensor of the cell image is not positive; the image shows no cell.")
    lengths = np.sqrt(solution[:3])
    cosines = solution[3:] / lengths[[1, 0, 0]] / lengths[[2, 2, 1]]
    return lengths, np.degrees(np.arccos(cosines))


def paper_decode_basis(images: Voxels, box: float, cutoff: float = 0.02) -> tuple[NDArray[np.int64], Array]:
    """(n,) channel and (n, 3) position, Å, of the brightest voxels, as the paper finds them.

    Parameters
    ----------
    images
        (n_channels, grid, grid, grid).
    box
        Edge, Å.
    cutoff
        Voxels below it are background.
    """
    channels, positions = [], []
    around = ndimage.generate_binary_structure(3, 2)  # the voxel and its 18 neighbours
    for channel, image in enumerate(images):
        smooth = ndimage.gaussian_filter(image, SMOOTHING, mode="wrap")
        brightest = ndimage.maximum_filter(smooth, footprint=around, mode="wrap") == smooth
        background = ndimage.binary_erosion(smooth < cutoff, structure=around, border_value=1)
        places = np.argwhere(brightest & ~background)
        channels += [channel] * len(places)
        positions.append(places * (box / image.shape[0]))
    return np.array(channels, dtype=np.int64), np.concatenate(positions).astype(float)


def paper_decode_cell(image: Voxels, sigma: float) -> tuple[Array, Array]:
    """Lengths, Å, and angles, degrees, from the dimmest voxel along three axes and three face diagonals.

    Parameters
    ----------
    image
        (grid, grid, grid) cell image.
    sigma
        Width of the Gaussian, Å.

    Raises
    ------
    InputError
        If a line shows only the centre, or the six lengths belong to no cell.
    """
    grid = image.shape[0]
    middle = grid // 2
    lines = [image[tuple(index)] for index in _lines(grid)]
    lengths = []
    for line in lines:
        there = np.flatnonzero(line > 0)
        place = there[line[there].argmin()] if len(there) else middle
        if place == middle:
            raise InputError("A cell image shows nothing but its centre along one direction.")
        lengths.append(np.sqrt(-2 * sigma**2 * np.log(float(line[place]))) * grid / abs(middle - place))
    a, b, c, bc, ac, ab = lengths
    cosines = np.array([(x * x + y * y - d * d) / (-2 * x * y) for x, y, d in ((b, c, bc), (a, c, ac), (a, b, ab))])
    if (np.abs(cosines) >= 1).any():
        raise InputError("The lengths along the axes and diagonals of a cell image belong to no cell.")
    return np.array([a, b, c]), np.degrees(np.arccos(cosines))


@cache
def _lines(grid: int) -> tuple[tuple[NDArray[np.int64] | int, ...], ...]:
    line, middle = np.arange(grid), grid // 2
    axes = ((line, middle, middle), (middle, line, middle), (middle, middle, line))
    return (*axes, (middle, line, line), (line, middle, line), (line, line, middle))
