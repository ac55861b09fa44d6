"""FTCP the slow way, one crystal after the other: what the vectorised transform is measured against.

Follows the published algorithm (Ren et al., Matter 5, 314, 2022) step by step, with pymatgen's own search for points
of the reciprocal lattice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fermiloop.platform.representations.element_bins import N_BINS, N_ELEMENTS
from fermiloop.platform.representations.ftcp import RADII

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from pymatgen.core import Lattice, Structure

    Array = NDArray[np.float64]


def reference_images(
    structures: Sequence[Structure], vectors: Array, max_elements: int = 3, max_sites: int = 20, n_k: int = 59
) -> Array:
    """(n, rows, columns) images of crystals, made one by one.

    Parameters
    ----------
    structures
        Ordered crystals.
    vectors
        (104, 92) element vectors by atomic number.
    max_elements, max_sites, n_k
        Size of an image.
    """
    return np.stack([_image(structure, vectors, max(max_elements, 3), max_sites, n_k) for structure in structures])


def _image(structure: Structure, vectors: Array, columns: int, max_sites: int, n_k: int) -> Array:
    numbers = list(structure.atomic_numbers)
    elements: list[int] = []
    for number in numbers:
        if number not in elements:
            elements.append(number)
    one_hot = np.zeros((N_ELEMENTS, columns))
    properties = np.zeros((N_BINS, columns))
    for slot, number in enumerate(elements):
        one_hot[number - 1, slot] = 1
        properties[:, slot] = vectors[number]
    cell = np.zeros((2, columns))
    cell[:, :3] = structure.lattice.abc, structure.lattice.angles
    coordinates, occupancy = np.zeros((max_sites, columns)), np.zeros((max_sites, columns))
    for place, site in enumerate(structure):
        coordinates[place, :3] = site.frac_coords
        occupancy[place, elements.index(numbers[place])] = 1
    real = np.concatenate([one_hot, cell, coordinates, occupancy, np.zeros((1, columns)), properties])
    hkl, distances = reference_k_points(structure.lattice, n_k)
    transform = np.zeros((N_BINS, len(hkl)))
    for place, number in enumerate(numbers):
        transform += np.outer(vectors[number], np.pi * (hkl @ coordinates[place, :3]))
    reciprocal = np.zeros((len(real), n_k))
    reciprocal[-N_BINS - 1, : len(hkl)] = distances
    reciprocal[-N_BINS:, : len(hkl)] = transform
    return np.concatenate([real, reciprocal], axis=1)


def reference_k_points(lattice: Lattice, n_k: int = 59) -> tuple[Array, Array]:
    """Miller indices (at most n_k, 3) and their distances, 1/Å, by pymatgen's search in a sphere."""
    reciprocal = lattice.reciprocal_lattice_crystallographic
    hkl, distances = np.zeros((0, 3)), np.zeros(0)
    for radius in RADII:
        found: Any = reciprocal.get_points_in_sphere([[0, 0, 0]], [0, 0, 0], radius, zip_results=False)
        hkl, distances = np.rint(np.asarray(found[0], dtype=float)), np.asarray(found[1], dtype=float)
        if len(hkl) > n_k:
            break
    away = np.abs(hkl).sum(axis=1) > 0
    hkl, distances = hkl[away], distances[away]
    order = np.lexsort((-hkl[:, 2], -hkl[:, 1], -hkl[:, 0], np.abs(hkl).sum(axis=1)))[:n_k]
    return hkl[order], distances[order]
