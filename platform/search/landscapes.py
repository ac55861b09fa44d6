"""Two energy landscapes whose lowest minimum is known, fast enough for statistics: toys, no materials.

Lennard-Jones clusters (minima: Wales and Doye, J. Phys. Chem. A 101, 5111, 1997), and an ionic crystal of point
charges (screened and shifted Coulomb forces: Fennell and Gezelter, J. Chem. Phys. 124, 234104, 2006) with a power
law repulsion (Born and Landé, 1918).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import erfc

from fermiloop.platform.search.oracle import Evaluation, Point

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

LJ_MINIMA: Final = {13: -44.326801, 19: -72.659782}
"""Lowest energies of clusters by number of atoms, ε."""
COULOMB: Final = 14.3996454
"""e²/4πε₀, eV Å."""
MOST_IMAGES: Final = 7
"""Images of the cell along one axis in each direction; a flatter cell is refused."""
REFUSED: Final = 1e4
"""Energy of a cell too flat to sum over, eV."""


class LennardJonesCluster:
    """4ε[(σ/r)¹² − (σ/r)⁶] over all pairs, ε = σ = 1, no cut-off.

    Parameters
    ----------
    n
        Atoms.
    """

    def __init__(self, n: int) -> None:
        self._first, self._second = np.triu_indices(n, 1)

    def __call__(self, point: Point) -> Evaluation:
        """Energy, ε, and (n, 3) forces, ε/σ."""
        between = point.sites[self._first] - point.sites[self._second]
        inverse = 1 / np.maximum(np.einsum("ij,ij->i", between, between), 1e-2)
        sixth = inverse**3
        pulls = (24 * inverse * sixth * (2 * sixth - 1))[:, None] * between
        forces = np.zeros_like(point.sites)
        for axis in range(3):
            forces[:, axis] = np.bincount(self._first, pulls[:, axis], len(forces)) - np.bincount(
                self._second, pulls[:, axis], len(forces)
            )
        return Evaluation(float(4 * (sixth * (sixth - 1)).sum()), forces)


@dataclass(frozen=True)
class IonicOptions:
    """A model of point ions; the values are of a toy like rock salt.

    Parameters
    ----------
    repulsion
        Energy of the repulsion of two ions at the sum of their radii, eV.
    exponent
        Of the repulsion.
    cutoff
        Of all interactions, Å.
    damping
        Of the screened charges, 1/Å.
    """

    repulsion: float = 0.2
    exponent: int = 9
    cutoff: float = 8.0
    damping: float = 0.15


class IonicCrystal:
    """Energy, forces and stress of point ions in a periodic cell.

    Parameters
    ----------
    charges
        (n,) elementary charges, summing to zero.
    radii
        (n,) Å.
    options
        The model.
    """

    def __init__(self, charges: Sequence[float], radii: Sequence[float], options: IonicOptions | None = None) -> None:
        self.options = options or IonicOptions()
        charge, radius = np.asarray(charges, dtype=float), np.asarray(radii, dtype=float)
        self._first, self._second = np.triu_indices(len(charge))
        self._product = COULOMB * charge[self._first] * charge[self._second]
        self._sum = radius[self._first] + radius[self._second]
        self._edge = _screened(np.array([self.options.cutoff]), self.options.damping)

    def __call__(self, point: Point) -> Evaluation:
        """Energy (without the constant of each ion with itself), eV, (n, 3) forces, eV/Å, (3, 3) stress, eV/Å³."""
        cell, cutoff = point.cell, self.options.cutoff
        assert cell is not None
        volume = abs(float(np.linalg.det(cell)))
        heights = volume / np.linalg.norm(np.cross(cell[[1, 2, 0]], cell[[2, 0, 1]]), axis=1).clip(1e-9)
        reach = np.floor(cutoff / heights.clip(1e-3) + 0.5).astype(int)
        if reach.max() > MOST_IMAGES or volume < 1e-3:
            return Evaluation(REFUSED, np.zeros_like(point.sites), np.zeros((3, 3)))
        frac = point.sites[self._first] - point.sites[self._second]
        frac -= np.round(frac)
        between = (frac @ cell)[:, None] + (_images(*(int(n) for n in reach)) @ cell)[None]
        squared = np.einsum("psi,psi->ps", between, between)
        pair, image = np.nonzero((squared < cutoff**2) & (squared > 1e-12))
        return self._summed(point, volume, pair, between[pair, image], np.sqrt(squared[pair, image]))

    def _summed(self, point: Point, volume: float, pair: NDArray[np.int64], between: Array, r: Array) -> Evaluation:
        first, second = self._first[pair], self._second[pair]
        share = np.where(first == second, 0.5, 1.0)  # an ion and its image are met twice
        r = np.maximum(r, 0.3)
        value, slope = _screened(r, self.options.damping)
        at_edge, slope_at_edge = self._edge[0][0], self._edge[1][0]
        charge = self._product[pair]
        coulomb = charge * (value - at_edge - slope_at_edge * (r - self.options.cutoff))
        push, fall = self._repulsion(r, self._sum[pair])
        derivative = share * (charge * (slope - slope_at_edge) + fall)
        pulls = -(derivative / r)[:, None] * between
        forces = np.zeros_like(point.sites)
        for axis in range(3):
            forces[:, axis] = np.bincount(first, pulls[:, axis], len(forces)) - np.bincount(
                second, pulls[:, axis], len(forces)
            )
        stress = -(between.T @ pulls) / volume
        return Evaluation(float((share * (coulomb + push)).sum()), forces, stress)

    def _repulsion(self, r: Array, contact: Array) -> tuple[Array, Array]:
        """Energy and derivative, both zero at the cut-off."""
        power, cutoff = self.options.exponent, self.options.cutoff
        here, edge = (
            self.options.repulsion * (contact / r) ** power,
            self.options.repulsion * (contact / cutoff) ** power,
        )
        slope = -power * edge / cutoff
        return here - edge - slope * (r - cutoff), -power * here / r - slope


def _screened(r: Array, damping: float) -> tuple[Array, Array]:
    """erfc(αr)/r and its derivative."""
    value = erfc(damping * r) / r
    slope = -value / r - 2 * damping / np.sqrt(np.pi) * np.exp(-((damping * r) ** 2)) / r
    return value, slope


@lru_cache(maxsize=512)
def _images(a: int, b: int, c: int) -> Array:
    grid = np.meshgrid(*(np.arange(-n, n + 1) for n in (a, b, c)), indexing="ij")
    return np.stack([axis.ravel() for axis in grid], axis=1).astype(float)
