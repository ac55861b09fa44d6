"""FTCP: a crystal as an image of real-space rows and of Fourier-transformed element properties, and back.

Rows are the element one-hots, lengths, angles, fractional coordinates, site occupancies, one empty row and 92
element properties; the first columns are the element slots, in the order in which elements first appear, and the
59 others are k points, with their distance above the transformed properties (Ren et al., Matter 5, 314, 2022).
The paper's transform is pi h·x, never wrapped, so its block has rank 3 at most; ``structure_factor`` has true
interference in its place. Sites are told from empty ones by their occupancy, so hydrogen, element 0 of the one-hot,
and gaps between sites come back as they were.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.crystals import CrystalBatch, lattice_matrices, wrap
from fermiloop.platform.representations.element_bins import N_BINS, N_ELEMENTS, element_vectors

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fermiloop.platform.representations.element_bins import Table

    Array = NDArray[np.float64]
    Ints = NDArray[np.int64]

Reciprocal = Literal["paper", "structure_factor", "none"]
RADII: Final = (1.297, 1.4)
"""1/Å, without 2 pi: the second where the first holds too few points."""
EDGE: Final = 1e-8
"""1/Å by which a point may lie outside the sphere, as pymatgen counts."""
CHUNK: Final = 64
OCCUPIED: Final = 0.5


@dataclass(frozen=True)
class FtcpFeaturizer:
    """Crystals to FTCP images and back.

    Parameters
    ----------
    max_elements
        Most distinct elements.
    max_sites
        Most sites, empty ones between them included.
    n_k
        k points.
    reciprocal
        ``"paper"``, ``"structure_factor"`` (modulus per site, free of the origin) or ``"none"``.
    table
        Element vectors by atomic number in place of the project's own.
    """

    max_elements: int = 3
    max_sites: int = 20
    n_k: int = 59
    reciprocal: Reciprocal = "paper"
    table: Table | None = field(default=None, repr=False)

    @property
    def columns(self) -> int:
        """Columns of the real-space part."""
        return max(self.max_elements, 3)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of an image."""
        rows = N_ELEMENTS + 2 + 2 * self.max_sites + 1 + N_BINS
        return rows, self.columns + (0 if self.reciprocal == "none" else self.n_k)

    def blocks(self) -> dict[str, tuple[slice, slice]]:
        """Rows and columns of each block."""
        real, k = slice(0, self.columns), slice(self.columns, None)
        sites = N_ELEMENTS + 2
        ends = (0, N_ELEMENTS, N_ELEMENTS + 1, sites, sites + self.max_sites, sites + 2 * self.max_sites)
        names = ("elements", "lengths", "angles", "coordinates", "occupancy")
        found = {name: (slice(a, b), real) for name, a, b in zip(names, ends, ends[1:], strict=False)}
        found["properties"] = (slice(ends[-1] + 1, None), real)
        if self.reciprocal != "none":
            found["distances"] = (slice(ends[-1], ends[-1] + 1), k)
            found["transform"] = (slice(ends[-1] + 1, None), k)
        return found

    def transform(self, crystals: CrystalBatch, dtype: type[np.floating] = np.float64) -> NDArray[np.floating]:
        """(n, rows, columns) images.

        Raises
        ------
        InputError
            If a crystal has too many sites or elements, or an element above Lr.
        """
        crystals = _padded(crystals, self.max_sites)
        slots, elements = element_slots(crystals.numbers, self.max_elements)
        vectors = element_vectors(self.table)
        images = np.zeros((len(crystals), *self.shape), dtype=dtype)
        for start in range(0, len(crystals), CHUNK):
            part = slice(start, start + CHUNK)
            self._fill(
                images[part], crystals.subset(np.arange(len(crystals))[part]), slots[part], elements[part], vectors
            )
        return images

    def inverse(self, images: NDArray[np.floating], occupied: float = OCCUPIED) -> CrystalBatch:
        """Crystals of images; of those that `transform` made, exactly the ones that it was given.

        Parameters
        ----------
        images
            (n, rows, columns), the k points may be left out.
        occupied
            A site whose largest occupancy is smaller is empty.
        """
        at = self.blocks()
        parts = {
            name: np.asarray(images[:, rows, columns]) for name, (rows, columns) in at.items() if columns.start == 0
        }
        occupancy = parts["occupancy"]
        slot = occupancy.argmax(axis=2)
        elements = parts["elements"].argmax(axis=1) + 1
        there = occupancy.max(axis=2) >= occupied
        numbers = np.where(there, np.take_along_axis(elements, slot, axis=1), 0)
        frac = np.where(there[..., None], wrap(parts["coordinates"][..., :3]), 0.0)
        lengths, angles = (parts[name][:, 0, :3].astype(float) for name in ("lengths", "angles"))
        return CrystalBatch(numbers.astype(np.int64), frac, lengths, angles)

    def _fill(
        self, images: NDArray[np.floating], crystals: CrystalBatch, slots: Ints, elements: Ints, vectors: Array
    ) -> None:
        at = {name: (slice(None), *where) for name, where in self.blocks().items()}
        crystal, slot = np.nonzero(elements)
        images[crystal, elements[crystal, slot] - 1, slot] = 1
        images[at["lengths"]][:, 0, :3] = crystals.lengths
        images[at["angles"]][:, 0, :3] = crystals.angles
        images[at["coordinates"]][:, :, :3] = crystals.frac
        occupancy = slots[..., None] == np.arange(self.max_elements)
        images[at["occupancy"]][:, :, : self.max_elements] = occupancy
        properties = np.ascontiguousarray(vectors[elements].transpose(0, 2, 1))
        images[at["properties"]][:, :, : self.max_elements] = properties
        if self.reciprocal == "none":
            return
        hkl, distances = k_points(crystals.lengths, crystals.angles, self.n_k)
        images[at["distances"]][:, 0] = distances
        if self.reciprocal == "paper":  # linear in the coordinates: sites of one element are summed first
            first = np.matmul(occupancy.transpose(0, 2, 1).astype(float), crystals.frac)
            phases = np.matmul(np.pi * first, hkl.transpose(0, 2, 1))
            np.matmul(properties, phases, out=images[at["transform"]])
        else:
            images[at["transform"]] = structure_factors(crystals, hkl, occupancy, properties)


def structure_factors(crystals: CrystalBatch, hkl: Array, occupancy: NDArray[np.bool_], properties: Array) -> Array:
    """(n, 92, n_k) moduli of sum Z exp(2 pi i h·x) per site: the same wherever the origin lies.

    Parameters
    ----------
    crystals
        n of them.
    hkl
        (n, n_k, 3).
    occupancy
        (n, sites, slots).
    properties
        (n, 92, slots).
    """
    waves = np.exp(2j * np.pi * np.matmul(crystals.frac, hkl.transpose(0, 2, 1)))
    by_slot = np.matmul(occupancy.transpose(0, 2, 1).astype(complex), waves)
    sites = np.maximum(crystals.n_sites, 1)[:, None, None]
    return np.asarray(np.abs(np.matmul(properties.astype(complex), by_slot)) / sites)


def element_slots(numbers: Ints, max_elements: int) -> tuple[Ints, Ints]:
    """(n, sites) slot of each site, -1 where empty, and (n, max_elements) elements in order of appearance, 0 = none.

    Raises
    ------
    InputError
        If a crystal has more elements than slots, or one that has no place.
    """
    if numbers.size and numbers.max() > N_ELEMENTS:
        raise InputError(f"Element {numbers.max()} has no place in FTCP; {N_ELEMENTS} (Lr) is the last.")
    same = (numbers[:, :, None] == numbers[:, None, :]) & (numbers[:, :, None] > 0)
    first_place = same.argmax(axis=2)
    first = (first_place == np.arange(numbers.shape[1])) & (numbers > 0)
    rank = np.cumsum(first, axis=1) - 1
    slots = np.where(numbers > 0, np.take_along_axis(rank, first_place, axis=1), -1)
    most = int(slots.max(initial=-1)) + 1
    if most > max_elements:
        raise InputError(f"A crystal has {most} elements, more than the {max_elements} that there is room for.")
    elements = np.zeros((len(numbers), max_elements), dtype=np.int64)
    crystal, site = np.nonzero(first)
    elements[crystal, rank[crystal, site]] = numbers[crystal, site]
    return slots, elements


def k_points(lengths: Array, angles: Array, n_k: int = 59) -> tuple[Array, Array]:
    """Miller indices (n, n_k, 3) and distances (n, n_k), 1/Å, of the k points; zero where there are too few.

    They lie in a sphere and are sorted by |h| + |k| + |l|, then -h, -k, -l; 000 is left out.
    """
    inverse = np.linalg.inv(lattice_matrices(lengths, angles))
    metric = np.matmul(inverse.transpose(0, 2, 1), inverse)
    hkl, distances = np.zeros((len(lengths), n_k, 3)), np.zeros((len(lengths), n_k))
    todo = np.arange(len(lengths))
    for radius in RADII:
        todo = _search(metric, lengths.sum(axis=1), todo, radius, hkl, distances)
    return hkl, distances


def _search(metric: Array, perimeter: Array, todo: Ints, radius: float, hkl: Array, distances: Array) -> Ints:
    """Fill in the points within a radius; the crystals that have too few."""
    short: list[Ints] = []
    n_k, reach = hkl.shape[1], 4
    while len(todo):
        table = _miller(reach)
        h = table.T
        squares = np.stack([h[0] ** 2, h[1] ** 2, h[2] ** 2, 2 * h[1] * h[2], 2 * h[0] * h[2], 2 * h[0] * h[1]])
        entries = metric[todo][:, [0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]]
        length = np.sqrt(np.maximum(entries @ squares, 0))
        inside = length <= radius + EDGE
        enough = inside.sum(axis=1) >= n_k
        complete = reach >= np.floor(radius * perimeter[todo])
        done = enough | complete
        order = np.argsort(~inside[done], axis=1, kind="stable")[:, :n_k]
        kept = np.take_along_axis(inside[done], order, axis=1)
        width = order.shape[1]
        hkl[todo[done]] = 0
        hkl[todo[done], :width] = table[order] * kept[..., None]
        distances[todo[done], :width] = np.take_along_axis(length[done], order, axis=1) * kept
        short.append(todo[complete & ~enough])
        todo, reach = todo[~done], 2 * reach
    return np.sort(np.concatenate(short)) if short else todo


@cache
def _miller(reach: int) -> Array:
    """(m, 3) all indices but 000 with |h| + |k| + |l| up to `reach`, in the order of k points."""
    span = np.arange(-reach, reach + 1)
    h, k, l = (x.ravel() for x in np.meshgrid(span, span, span, indexing="ij"))  # noqa: E741 - Miller's letters
    total = np.abs(h) + np.abs(k) + np.abs(l)
    there = (total > 0) & (total <= reach)
    h, k, l, total = h[there], k[there], l[there], total[there]  # noqa: E741
    return np.stack([h, k, l], axis=1)[np.lexsort((-l, -k, -h, total))].astype(float)


@dataclass(frozen=True)
class RowScaler:
    """Min-max scaling of images by row, over samples and columns together; a constant row becomes zero.

    Parameters
    ----------
    low, span
        (rows,) smallest value and range.
    """

    low: Array
    span: Array

    @classmethod
    def fit(cls, images: NDArray[np.floating]) -> RowScaler:
        """Learn from (n, rows, columns) images."""
        return cls.between(*cls.bounds(images))

    @staticmethod
    def bounds(images: NDArray[np.floating]) -> tuple[Array, Array]:
        """(rows,) smallest and largest values."""
        return images.min(axis=(0, 2)).astype(float), images.max(axis=(0, 2)).astype(float)

    @classmethod
    def between(cls, low: Array, high: Array) -> RowScaler:
        """Of the smallest and largest values of many images."""
        return cls(low, np.where(high > low, high - low, 1.0))

    def transform(self, images: NDArray[np.floating]) -> NDArray[np.floating]:
        """Images between 0 and 1."""
        return (images - self.low[:, None].astype(images.dtype)) / self.span[:, None].astype(images.dtype)

    def inverse(self, scaled: NDArray[np.floating]) -> NDArray[np.floating]:
        """Images as they were."""
        return scaled * self.span[:, None].astype(scaled.dtype) + self.low[:, None].astype(scaled.dtype)


def _padded(crystals: CrystalBatch, max_sites: int) -> CrystalBatch:
    sites = crystals.numbers.shape[1]
    if sites > max_sites:
        if (crystals.numbers[:, max_sites:] > 0).any():
            raise InputError(f"A crystal has a site beyond the {max_sites} that there is room for.")
        numbers, frac = crystals.numbers[:, :max_sites], crystals.frac[:, :max_sites]
        return CrystalBatch(numbers, frac, crystals.lengths, crystals.angles)
    more = max_sites - sites
    numbers, frac = np.pad(crystals.numbers, ((0, 0), (0, more))), np.pad(crystals.frac, ((0, 0), (0, more), (0, 0)))
    return CrystalBatch(numbers, frac, crystals.lengths, crystals.angles)
