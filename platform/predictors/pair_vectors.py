"""Crystals as sums over elements and over bonds, in a space in which like elements lie close.

An inner product of two such vectors is a kernel: that of the mixtures lets a linear model learn a number per element,
that of the bonds a number per pair of bonded elements, and like elements share what is learned. To first order a
formation energy is a sum over bonds (Pauling, J. Am. Chem. Soc. 54, 3570, 1932; Miedema et al., Physica B 100, 1,
1980), so this is where a model that has seen few crystals does well.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np

from fermiloop.platform.predictors.descriptors import BOND_END, REACH, SOFTNESS, atomic_fractions
from fermiloop.platform.predictors.element_table import N_ELEMENTS, RADIUS, element_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from pymatgen.core import Structure

    Array = NDArray[np.float64]

IDENTITY: Final = 0.1
"""Share of the likeness that belongs to an element alone."""
DIRECTIONS: Final = 40
"""Leading directions of the space of elements that bonds are told in: 93 % of its variance."""
FAINT: Final = 1e-4
"""Weight of a neighbour just beyond a bond: a site without a bond still has a nearest neighbour."""


@cache
def element_space() -> Array:
    """(103, 103) coordinates of the elements H to Lr, the direction of greatest weight first.

    The inner product of two rows is their likeness: a Gaussian of their distance in the standardised columns of the
    element table, with a share for identity.
    """
    table = element_table()[1:]
    scaled = (table - table.mean(axis=0)) / table.std(axis=0)
    squared = ((scaled[:, None] - scaled[None]) ** 2).mean(axis=-1)
    likeness = IDENTITY * np.eye(N_ELEMENTS) + (1 - IDENTITY) * np.exp(-squared / 2)
    weights, directions = np.linalg.eigh(likeness)
    return np.asarray((directions * np.sqrt(np.maximum(weights, 0)))[:, ::-1])


def mixture_vectors(structures: Sequence[Structure]) -> Array:
    """(n, 103) mean place of the atoms in the space of elements.

    Raises
    ------
    InputError
        If an element lies beyond Lr.
    """
    return atomic_fractions(structures) @ element_space()


def bond_vectors(structures: Sequence[Structure]) -> Array:
    """(n, 820) mean over the bonds of the product of both ends' places, each site's bonds together counting one.

    Raises
    ------
    InputError
        If an element lies beyond Lr.
    """
    atomic_fractions(structures)  # refuses elements beyond the table
    space = element_space()[:, :DIRECTIONS]
    rows, columns = np.triu_indices(DIRECTIONS)
    scale = np.where(rows == columns, 1.0, np.sqrt(2))  # so that the inner product is that of the whole matrices
    found = np.zeros((len(structures), len(rows)))
    for i, structure in enumerate(structures):
        found[i] = (space.T @ _bonds(structure) @ space)[rows, columns] * scale
    return found


def _bonds(structure: Structure) -> Array:
    """(103, 103) symmetric share of the bonds between each pair of elements; adds up to 1."""
    numbers = np.array(structure.atomic_numbers)
    radii = element_table()[numbers, RADIUS]
    length = (structure.volume / len(structure)) ** (1 / 3)
    centres, others, _, distances = structure.get_neighbor_list(REACH * length)
    beyond = distances / (radii[centres] + radii[others]) - BOND_END
    weight = 1 / (1 + np.exp(np.clip(beyond / SOFTNESS, -50, 50))) + FAINT * np.exp(-5 * np.maximum(beyond, 0))
    total = np.bincount(centres, weight, len(numbers))
    shares = np.zeros((N_ELEMENTS, N_ELEMENTS))
    np.add.at(shares, (numbers[centres] - 1, numbers[others] - 1), weight / total[centres] / len(numbers))
    return (shares + shares.T) / 2
