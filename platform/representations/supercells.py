"""The smallest supercell in which an atom keeps its distance from its own images.

All supercells of n primitive cells are looked at, by their matrices in Hermite normal form (Phys.
Rev. B 77, 224115, 2008), not multiples of the axes alone: of a primitive cubic crystal with 3.9 Å, two cells suffice
for 5 Å and four for 6 Å, where multiples of the axes take eight.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Lattice, Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from fermiloop.platform.errors import EngineError

MOST_CELLS: Final = 64
MORE_CELLS: Final = 1.5  # of the fewest that suffice, for the sake of symmetry
SAME_CELL: Final = 0.05  # Å, of atoms that a translation maps onto each other
SYMPREC: Final = 0.02  # Å
SLACK: Final = 1e-3  # Å
MAGMOM: Final = "magmom"


def primitive(structure: Structure) -> Structure:
    """Primitive cell with short, nearly orthogonal axes, in the orientation of the given one.

    Where moments stand at the sites, atoms that differ in theirs are not the same, as in an antiferromagnet.
    """
    bare = Structure(structure.lattice, structure.species, structure.frac_coords, site_properties=_moments(structure))
    return _with_short_axes(bare.get_primitive_structure(tolerance=SAME_CELL, use_site_props=True))


def matrix_for(structure: Structure, separation: float, cells: int = 0) -> NDArray[np.int_]:
    """Supercell of a primitive cell, as a matrix whose rows are its axes.

    Of those whose shortest translation is no shorter than `separation`, with the fewest cells or half as many again,
    the one that costs least: symmetry saves k-points. Where `cells` allows none, the one with the longest shortest
    translation.

    Parameters
    ----------
    separation
        Å.
    cells
        Most primitive cells; 0 for as many as it takes.

    Raises
    ------
    EngineError
        If it takes more than 64.
    """
    short, rotations = _short_vectors(structure.lattice, separation - SLACK), _rotations(structure)
    # a lattice whose shortest translation is d has a cell of at least d³/√2, that of face-centred cubic packing
    fewest = max(1, math.floor((separation - SLACK) ** 3 / math.sqrt(2.0) / structure.volume))
    fitting: list[NDArray[np.int_]] = []
    for n in range(fewest, (cells or MOST_CELLS) + 1):
        if fitting and n > MORE_CELLS * _index(fitting[0]):
            break
        fitting += [matrix for matrix in hermite_forms(n) if math.isinf(_shortest(matrix, short))]
    if fitting:
        return min(fitting, key=lambda matrix: _index(matrix) ** 1.5 / _kept(matrix, rotations))
    if not cells:
        raise EngineError(f"no supercell of {MOST_CELLS} cells keeps images {separation:g} Å apart; ask for less")
    return max(
        (matrix for n in range(1, cells + 1) for matrix in hermite_forms(n)),
        key=lambda matrix: (round(_shortest(matrix, short), 3), -_index(matrix), _kept(matrix, rotations)),
    )


def hermite_forms(n: int) -> Iterator[NDArray[np.int_]]:
    """All integer matrices in Hermite normal form of a determinant: the sublattices of that index, each once."""
    for a in (d for d in range(1, n + 1) if n % d == 0):
        for c in (d for d in range(1, n // a + 1) if (n // a) % d == 0):
            f = n // (a * c)
            for b in range(c):
                for d in range(f):
                    for e in range(f):
                        yield np.array([[a, b, d], [0, c, e], [0, 0, f]])


def repeated(structure: Structure, matrix: NDArray[np.int_]) -> Structure:
    """The supercell, with short axes and the moments of the atoms."""
    large = structure.copy()
    large.make_supercell(matrix)
    return _with_short_axes(large)


def images_apart(lattice: Lattice) -> float:
    """Length of a lattice's shortest translation, Å."""
    coefficients = np.array([c for c in np.ndindex(5, 5, 5) if c != (2, 2, 2)]) - 2
    reduced = lattice.get_niggli_reduced_lattice().matrix
    return float(np.linalg.norm(coefficients @ reduced, axis=1).min())


def _with_short_axes(structure: Structure) -> Structure:
    return Structure(
        structure.lattice.get_lll_reduced_lattice(),
        structure.species,
        structure.cart_coords,
        coords_are_cartesian=True,
        to_unit_cell=True,
        site_properties=_moments(structure),
    )


def _moments(structure: Structure) -> dict[str, Sequence[float]]:
    return {name: given for name, given in structure.site_properties.items() if name == MAGMOM}


def _short_vectors(lattice: Lattice, limit: float) -> tuple[NDArray[np.int_], NDArray[np.float64]]:
    """Translations below a length, shortest first: (n, 3) integers and (n,) Å."""
    heights = 1.0 / np.linalg.norm(np.linalg.inv(lattice.matrix), axis=0)
    ranges = [np.arange(-n, n + 1) for n in np.ceil(limit / heights).astype(int)]
    coefficients = np.stack(np.meshgrid(*ranges, indexing="ij"), axis=-1).reshape(-1, 3)
    lengths = np.linalg.norm(coefficients @ lattice.matrix, axis=1)
    order = np.argsort(lengths)
    chosen = order[(lengths[order] > 1e-6) & (lengths[order] < limit)]
    return coefficients[chosen], lengths[chosen]


def _index(matrix: NDArray[np.int_]) -> int:
    """Primitive cells of a supercell in Hermite normal form."""
    return int(matrix.diagonal().prod())


def _shortest(matrix: NDArray[np.int_], short: tuple[NDArray[np.int_], NDArray[np.float64]]) -> float:
    """The shortest of given translations that a sublattice holds, Å; infinite where it holds none."""
    held = _whole(short[0] @ np.linalg.inv(matrix)).all(axis=1)
    return float(short[1][held].min(initial=math.inf))


def _kept(matrix: NDArray[np.int_], rotations: NDArray[np.int_]) -> int:
    """How many rotations map a sublattice onto itself."""
    moved = matrix @ rotations.transpose(0, 2, 1) @ np.linalg.inv(matrix)
    return int(_whole(moved).all(axis=(1, 2)).sum())


def _rotations(structure: Structure) -> NDArray[np.int_]:
    operations = SpacegroupAnalyzer(structure, symprec=SYMPREC).get_symmetry_operations()
    return np.unique(np.array([np.rint(one.rotation_matrix).astype(int) for one in operations]), axis=0)


def _whole(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.asarray(np.abs(values - np.rint(values)) < 1e-6)
