"""What a forward model sees of a crystal: composition, geometry and coupling, the same for every way to write its cell.

The coupling of a site is the sum of ((R_i + R_j) / d)⁴ over its neighbours, R covalent radii: to first order the second
moment of its bands, whose root is their width (Cyrot-Lackmann, Adv. Phys. 16, 393, 1967). The matrix elements of s and
p states fall off as d⁻² (Harrison, Electronic Structure and the Properties of Solids, 1980), those of d states faster;
the exponent 4 fitted known curves best of 2, 3, 4 and 6.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from fermiloop.platform.errors import InputError
from fermiloop.platform.predictors.element_table import RADIUS, element_table
from fermiloop.platform.representations.element_features import ELEMENTS_KNOWN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from pymatgen.core import Structure

    Array = NDArray[np.float64]

NEIGHBOUR_RANGE: Final = 1.6
"""In units of the cube root of the volume per atom, of the geometry; and where couplings begin to be cut off ..."""
COUPLING_RANGE: Final = 2.0
"""... and where none is left."""
COUPLING_POWER: Final = 4


@dataclass(frozen=True)
class CrystalInputs:
    """n crystals.

    Parameters
    ----------
    fractions
        (n, 83) atomic fractions of H to Bi.
    geometry
        (n, 3) logarithm of the volume per atom in Å³, shortest distance over the cube root of the volume per atom, and
        share of unlike neighbours.
    coupling
        (n, 83) mean coupling of the sites of each element, zero where there are none.
    """

    fractions: Array
    geometry: Array
    coupling: Array


def describe_crystals(structures: Sequence[Structure]) -> CrystalInputs:
    """Describe crystals.

    Raises
    ------
    InputError
        If a structure holds an element beyond Bi.
    """
    n, n_elements = len(structures), len(ELEMENTS_KNOWN)
    found = CrystalInputs(np.zeros((n, n_elements)), np.zeros((n, 3)), np.zeros((n, n_elements)))
    for i, structure in enumerate(structures):
        for element, fraction in structure.composition.element_composition.fractional_composition.items():
            if element.Z not in ELEMENTS_KNOWN:
                raise InputError(
                    f"The forward model knows elements up to Bi, not {element.symbol}; leave that crystal out."
                )
            found.fractions[i, element.Z - 1] = fraction
        found.geometry[i], found.coupling[i] = _environment(structure, n_elements)
    return found


def coupling_strength(radii: Array, distances: Array, length: float) -> Array:
    """Contribution of each bond to the coupling of a site.

    Parameters
    ----------
    radii
        (m,) sums of the covalent radii of both ends, Å.
    distances
        (m,) Å.
    length
        Cube root of the volume per atom, Å.
    """
    beyond = np.clip((distances / length - NEIGHBOUR_RANGE) / (COUPLING_RANGE - NEIGHBOUR_RANGE), 0, 1)
    return np.asarray((radii / distances) ** COUPLING_POWER * (0.5 + 0.5 * np.cos(np.pi * beyond)))


def _environment(structure: Structure, n_elements: int) -> tuple[tuple[float, float, float], Array]:
    length = (structure.volume / len(structure)) ** (1 / 3)
    numbers = np.array(structure.atomic_numbers)
    centres, others, _, distances = structure.get_neighbor_list(COUPLING_RANGE * length)
    radii = element_table()[numbers, RADIUS]
    strength = coupling_strength(radii[centres] + radii[others], distances, length)
    total = np.bincount(numbers[centres] - 1, strength, n_elements)
    amount = np.bincount(numbers - 1, minlength=n_elements)
    return _geometry(length, numbers, centres, others, distances), total / np.maximum(amount, 1)


def _geometry(
    length: float, numbers: NDArray[np.int64], centres: NDArray[np.int64], others: NDArray[np.int64], distances: Array
) -> tuple[float, float, float]:
    near = distances <= NEIGHBOUR_RANGE * length
    if not near.any():
        return 3 * float(np.log(length)), NEIGHBOUR_RANGE, 0.0
    centres, others, distances = centres[near], others[near], distances[near]
    closeness = np.exp(-2 * (distances / length) ** 2)
    unlike = (closeness * (numbers[centres] != numbers[others])).sum() / closeness.sum()
    return 3 * float(np.log(length)), float(distances.min() / length), float(unlike)
