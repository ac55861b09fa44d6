"""Crystals as fixed rows of numbers that do not depend on how their cell is written.

Composition: amounts and statistics of element properties weighted by amount, after Ward et al., npj Comput. Mater.
2, 16028 (2016). Structure: beside these the volume, the packing and statistics over the sites of their bonds and of
the differences across them, in the spirit of Ward et al., Phys. Rev. B 96, 024104 (2017), with bonds weighted by a
smooth step at the sum of covalent radii in place of Voronoi faces. Both use the project's own table of elements.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from pymatgen.core import Composition, Structure

from fermiloop.platform.errors import InputError
from fermiloop.platform.predictors.element_table import (
    COLUMNS,
    ELECTRONEGATIVITY,
    N_ELEMENTS,
    RADIUS,
    element_table,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

NORMS: Final = (2, 3, 5, 7, 10)
VALENCE: Final = slice(COLUMNS.index("s electrons"), COLUMNS.index("f electrons") + 1)
REACH: Final = 2.4
"""Neighbours are looked for within this many cube roots of the volume per atom."""
BOND_END: Final = 1.25
"""A bond ends at this multiple of the sum of covalent radii ..."""
SOFTNESS: Final = 0.06
"""... with a smooth step of this width."""
SHELLS: Final = np.linspace(0.6, 2.2, 17)
"""Distances, in cube roots of the volume per atom, at which neighbours are counted."""
ACROSS: Final = tuple(
    COLUMNS.index(name)
    for name in ("electronegativity", "covalent radius", "mendeleev", "row", "p electrons", "d electrons")
)
"""Columns whose differences across bonds count."""


def composition_descriptors(items: Sequence[Structure | Composition]) -> Array:
    """(n, 193) descriptors of compositions.

    Columns: 103 atomic fractions; number of elements; 5 norms of the fractions; of each of 16 element properties the
    mean, the mean deviation, the least, the greatest and the range; the shares of s, p, d and f valence electrons.

    Raises
    ------
    InputError
        If an element lies beyond Lr.
    """
    fractions = atomic_fractions(items)
    table = element_table()[1:]
    mean = fractions @ table
    deviation = np.einsum("ne,nec->nc", fractions, np.abs(table[None] - mean[:, None]))
    there = fractions[:, :, None] > 0
    least = np.where(there, table[None], np.inf).min(axis=1, initial=np.inf)
    most = np.where(there, table[None], -np.inf).max(axis=1, initial=-np.inf)
    valence = mean[:, VALENCE] / np.maximum(mean[:, VALENCE].sum(axis=1, keepdims=True), 1e-9)
    norms = np.stack([(fractions**p).sum(axis=1) ** (1 / p) for p in NORMS], axis=1)
    count = (fractions > 0).sum(axis=1, keepdims=True)
    return np.hstack([fractions, count, norms, mean, deviation, least, most, most - least, valence])


def structure_descriptors(structures: Sequence[Structure]) -> Array:
    """(n, 271) descriptors of crystals: those of the composition, then 78 of the geometry.

    Raises
    ------
    InputError
        If an element lies beyond Lr.
    """
    geometry = np.array([_geometry(structure) for structure in structures]).reshape(len(structures), -1)
    return np.hstack([composition_descriptors(structures), geometry]) if len(structures) else np.zeros((0, 0))


def atomic_fractions(items: Sequence[Structure | Composition]) -> Array:
    """(n, 103) share of each element.

    Raises
    ------
    InputError
        If an element lies beyond Lr.
    """
    found = np.zeros((len(items), N_ELEMENTS))
    for i, item in enumerate(items):
        composition = item.composition if isinstance(item, Structure) else item
        for element, share in composition.element_composition.fractional_composition.items():
            if not 1 <= element.Z <= N_ELEMENTS:
                raise InputError(f"Descriptors know elements up to Lr, not {element.symbol}.")
            found[i, element.Z - 1] = share
    return found


def _geometry(structure: Structure) -> Array:
    """(78,) sizes, neighbour counts by distance, and statistics over sites of bonds."""
    numbers = np.array(structure.atomic_numbers)
    table = element_table()
    radii = table[numbers, RADIUS]
    length = (structure.volume / len(structure)) ** (1 / 3)
    centres, others, _, distances = structure.get_neighbor_list(REACH * length)
    reduced = distances / length
    bond = distances / (radii[centres] + radii[others])
    weight = 1 / (1 + np.exp(np.clip((bond - BOND_END) / SOFTNESS, -50, 50)))
    packing = (4 / 3) * np.pi * (radii**3).sum() / structure.volume
    mass = table[numbers, COLUMNS.index("atomic mass")].sum()
    sizes = [np.log(structure.volume / len(structure)), packing, np.log(mass / structure.volume), radii.mean() / length]
    counts = np.exp(-0.5 * ((reduced[:, None] - SHELLS) / 0.08) ** 2).sum(axis=0) / len(structure)
    unlike = np.abs(table[numbers[centres], ELECTRONEGATIVITY] - table[numbers[others], ELECTRONEGATIVITY])
    charged = (unlike[:, None] * np.exp(-0.5 * ((reduced[:, None] - SHELLS) / 0.08) ** 2)).sum(axis=0) / len(structure)
    return np.concatenate([sizes, np.log1p(counts), charged, _over_sites(numbers, centres, others, bond, weight)])


def _over_sites(
    numbers: NDArray[np.int64], centres: NDArray[np.int64], others: NDArray[np.int64], bond: Array, weight: Array
) -> Array:
    """(40,) mean, deviation, least and greatest over sites of ten numbers of each site's bonds."""
    n, table = len(numbers), element_table()
    total = np.bincount(centres, weight, n)
    safe = np.maximum(total, 1e-6)
    shortest = np.full(n, 3.0)
    np.minimum.at(shortest, centres, bond)
    columns = [total, np.bincount(centres, weight * bond, n) / safe, shortest]
    columns.append(np.bincount(centres, weight * (numbers[centres] != numbers[others]), n) / safe)
    for column in ACROSS:
        apart = np.abs(table[numbers[centres], column] - table[numbers[others], column])
        columns.append(np.bincount(centres, weight * apart, n) / safe)
    sites = np.stack(columns, axis=1)
    return np.concatenate([sites.mean(axis=0), sites.std(axis=0), sites.min(axis=0), sites.max(axis=0)])
