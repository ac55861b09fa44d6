"""Many crystals as arrays: what vectorised representations read and write.

Cells follow pymatgen's convention: rows are a, b, c in Å, c along z, a in the xz plane.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from pymatgen.core import Element, Lattice, Structure

from fermiloop.platform.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True)
class CrystalBatch:
    """Ordered crystals, padded to the same number of sites.

    Parameters
    ----------
    numbers
        (n, max_sites) atomic numbers, 0 where there is no atom.
    frac
        (n, max_sites, 3) fractional coordinates in [0, 1), 0 where there is no atom.
    lengths
        (n, 3) a, b, c, Å.
    angles
        (n, 3) α, β, γ, degrees.
    """

    numbers: NDArray[np.int64]
    frac: Array
    lengths: Array
    angles: Array

    def __post_init__(self) -> None:
        n, sites = self.numbers.shape
        if self.frac.shape != (n, sites, 3) or self.lengths.shape != (n, 3) or self.angles.shape != (n, 3):
            raise InputError(
                f"A batch of {n} crystals of at most {sites} sites does not fit coordinates {self.frac.shape}, "
                f"lengths {self.lengths.shape} and angles {self.angles.shape}."
            )

    def __len__(self) -> int:
        return len(self.numbers)

    @classmethod
    def from_structures(cls, structures: Sequence[Structure], max_sites: int | None = None) -> Self:
        """Crystals in their own site order.

        Raises
        ------
        InputError
            If a crystal is disordered, has more than `max_sites` sites, or is not finite.
        """
        most = max((len(structure) for structure in structures), default=0)
        sites = most if max_sites is None else max_sites
        if most > sites:
            raise InputError(f"A crystal has {most} sites, more than the {sites} that there is room for.")
        numbers = np.zeros((len(structures), sites), dtype=np.int64)
        frac = np.zeros((len(structures), sites, 3))
        for i, structure in enumerate(structures):
            if not structure.is_ordered:
                raise InputError(f"{structure.formula} has partly occupied sites; only ordered crystals are taken.")
            numbers[i, : len(structure)] = structure.atomic_numbers
            frac[i, : len(structure)] = wrap(structure.frac_coords)
        lattices = [structure.lattice for structure in structures]
        lengths = np.array([lattice.abc for lattice in lattices], dtype=float).reshape(-1, 3)
        angles = np.array([lattice.angles for lattice in lattices], dtype=float).reshape(-1, 3)
        if not (np.isfinite(frac).all() and np.isfinite(lengths).all() and np.isfinite(angles).all()):
            raise InputError("A crystal holds coordinates or a cell that are not finite; leave it out.")
        return cls(numbers, frac, lengths, angles)

    @property
    def occupied(self) -> NDArray[np.bool_]:
        """(n, max_sites) where there is an atom."""
        return self.numbers > 0

    @property
    def n_sites(self) -> NDArray[np.int64]:
        """(n,) atoms of each crystal."""
        return np.asarray(self.occupied.sum(axis=1))

    def matrices(self) -> Array:
        """(n, 3, 3) cells, rows a, b, c, Å."""
        return lattice_matrices(self.lengths, self.angles)

    def structure(self, i: int) -> Structure:
        """Crystal `i`."""
        there = self.occupied[i]
        species = [Element.from_Z(int(number)) for number in self.numbers[i, there]]
        lattice = Lattice.from_parameters(*self.lengths[i], *self.angles[i])
        return Structure(lattice, species, self.frac[i, there])

    def subset(self, rows: Sequence[int] | NDArray[np.int64]) -> Self:
        """The crystals at `rows`, in that order."""
        take = np.asarray(rows, dtype=int)
        return type(self)(self.numbers[take], self.frac[take], self.lengths[take], self.angles[take])


def wrap(frac: ArrayLike) -> Array:
    """Fractional coordinates in [0, 1); a tiny negative number becomes 0, not 1."""
    wrapped = np.mod(np.asarray(frac, dtype=float), 1.0)
    return np.where(wrapped == 1.0, 0.0, wrapped)


def lattice_matrices(lengths: ArrayLike, angles: ArrayLike) -> Array:
    """(n, 3, 3) cells of (n, 3) lengths, Å, and (n, 3) angles, degrees."""
    a, b, c = np.asarray(lengths, dtype=float).T
    alpha, beta, gamma = np.radians(np.asarray(angles, dtype=float)).T
    cosine = (np.cos(alpha) * np.cos(beta) - np.cos(gamma)) / (np.sin(alpha) * np.sin(beta))
    gamma_star = np.arccos(np.clip(cosine, -1, 1))
    zero = np.zeros_like(a)
    rows = (
        (a * np.sin(beta), zero, a * np.cos(beta)),
        (-b * np.sin(alpha) * np.cos(gamma_star), b * np.sin(alpha) * np.sin(gamma_star), b * np.cos(alpha)),
        (zero, zero, c),
    )
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def cells_of(structures: Sequence[Structure]) -> Array:
    """(n, 3, 3) cells of crystals, turned to the convention of `lattice_matrices`."""
    return lattice_matrices([s.lattice.abc for s in structures], [s.lattice.angles for s in structures])


def lattice_parameters(matrices: ArrayLike) -> tuple[Array, Array]:
    """(n, 3) lengths, Å, and (n, 3) angles, degrees, of (n, 3, 3) cells."""
    cells = np.asarray(matrices, dtype=float)
    lengths = np.linalg.norm(cells, axis=-1)
    a, b, c = np.moveaxis(cells / lengths[..., None], -2, 0)
    cosines = np.stack([(b * c).sum(-1), (a * c).sum(-1), (a * b).sum(-1)], axis=-1)
    return lengths, np.degrees(np.arccos(np.clip(cosines, -1, 1)))
