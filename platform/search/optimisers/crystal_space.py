"""Crystals of one composition: a cell and fractional coordinates, and moves between them.

The generalised coordinates of a relaxation are the sites in the frame of the starting cell and the deformation of
that cell, scaled to a like stiffness (Tadmor et al., Phys. Rev. B 59, 235, 1999, as in ASE's UnitCellFilter). Cut
and splice along an axis, strain and exchange are those of USPEX (Glass, Oganov and Hansen, Comput. Phys. Commun.
175, 713, 2006).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linear_sum_assignment

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.crystals import lattice_matrices, lattice_parameters
from fermiloop.platform.search.optimisers.random_symmetric import symmetric_crystal
from fermiloop.platform.search.optimisers.spreading import NEIGHBOURS, nearest, spread_periodic
from fermiloop.platform.search.oracle import Point

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fermiloop.platform.search.oracle import Evaluation

    Array = NDArray[np.float64]


@dataclass(frozen=True)
class CrystalOptions:
    """How random crystals are made and moved.

    Parameters
    ----------
    floor
        Least distance of two atoms at the start of a relaxation, in sums of their radii.
    volumes
        Smallest and largest volume of a random cell, in units of the expected one.
    lengths
        Largest ratio of two axes of a random cell.
    strain
        Standard deviation of a large strain.
    symmetric_share
        Share of random crystals that are given symmetry.
    space_groups
        Numbers allowed where there is symmetry.
    """

    floor: float = 0.7
    volumes: tuple[float, float] = (0.9, 1.4)
    lengths: float = 2.5
    strain: float = 0.3
    symmetric_share: float = 0.0
    space_groups: tuple[int, ...] = tuple(range(2, 231))


class CrystalSpace:
    """Crystals of fixed species in any cell.

    Parameters
    ----------
    symbols
        Element of each site.
    radii
        (n,) radius of each site, Å.
    volume
        Expected volume of the cell, Å³.
    options
        How crystals are made and moved.

    Raises
    ------
    InputError
        If there is no site, or a radius or the volume is not positive.
    """

    def __init__(
        self, symbols: tuple[str, ...], radii: Array, volume: float, options: CrystalOptions | None = None
    ) -> None:
        radii = np.asarray(radii, dtype=float)
        if not symbols or radii.shape != (len(symbols),) or not (volume > 0 and (radii > 0).all()):
            raise InputError(f"A search of {len(symbols)} sites needs as many radii and a volume, all positive.")
        self.symbols, self.volume, self.options = symbols, volume, options or CrystalOptions()
        names = sorted(set(symbols))
        self.kinds = np.array([names.index(symbol) for symbol in symbols], dtype=np.int64)
        self._floors = self.options.floor * (radii[:, None] + radii[None])
        self._spacing = (volume / len(symbols)) ** (1 / 3)
        self.step, self.heat = 0.15 * self._spacing, 0.1

    def random(self, rng: np.random.Generator) -> Point:
        """A random cell of about the expected volume with random sites, or sometimes a symmetric one."""
        if self.options.symmetric_share > 0 and rng.random() < self.options.symmetric_share:
            return self.symmetric(rng)
        return self._tidy(rng.random((len(self.kinds), 3)), self._random_cell(rng), rng)

    def repaired(self, sites: Array, cell: Array, rng: np.random.Generator) -> Point:
        """Given (n, 3) sites in a given cell, with atoms apart and about the expected volume."""
        return self._tidy(sites, cell, rng, keep_volume=True)

    def symmetric(self, rng: np.random.Generator) -> Point:
        """A crystal of a random space group; one without symmetry where none could be made."""
        made = symmetric_crystal(self.symbols, self.options.space_groups, rng)
        if made is None:
            return self._tidy(rng.random((len(self.kinds), 3)), self._random_cell(rng), rng)
        frac, cell = made
        cell = cell * (self._random_volume(rng) / abs(float(np.linalg.det(cell)))) ** (1 / 3)
        return Point(frac, cell)  # left as it is: pushing atoms apart would cost the symmetry

    def shake(self, point: Point, size: float, rng: np.random.Generator) -> Point:
        """Sites displaced by normal deviates of `size` steps, the cell strained by a twentieth of it."""
        cell = _cell(point) @ _stretch(rng, 0.05 * size)
        moves = rng.normal(scale=size * self.step, size=point.sites.shape)
        return self._tidy(point.sites + moves @ np.linalg.inv(cell), cell, rng, keep_volume=True)

    def cross(self, one: Point, other: Point, rng: np.random.Generator) -> Point:
        """A slab of one parent and the complementary slab of the other, cells mixed, every kind in its number."""
        axis, cut = int(rng.integers(3)), rng.uniform(0.25, 0.75)
        first, second = (np.mod(parent.sites + rng.random(3), 1.0) for parent in (one, other))
        sites = np.empty_like(first)
        for kind in np.unique(self.kinds):
            mine = np.flatnonzero(self.kinds == kind)
            below = mine[first[mine, axis] < cut]
            above = mine[np.argsort(-second[mine, axis])][: len(mine) - len(below)]
            sites[mine] = np.concatenate([first[below], second[above]])
        weight = rng.random()
        cells = [lattice_matrices(*lattice_parameters(_cell(parent)[None]))[0] for parent in (one, other)]
        return self._tidy(sites, weight * cells[0] + (1 - weight) * cells[1], rng, keep_volume=True)

    def strain(self, point: Point, rng: np.random.Generator) -> Point:
        """The cell under a large random strain, sites moved a little."""
        cell = _cell(point) @ _stretch(rng, self.options.strain)
        moves = rng.normal(scale=0.05, size=point.sites.shape)
        return self._tidy(point.sites + moves, cell, rng)

    def permute(self, point: Point, rng: np.random.Generator) -> Point:
        """One or two pairs of different kinds exchanged; where there is one kind, a site put anywhere."""
        sites = point.sites.copy()
        if len(set(self.kinds.tolist())) == 1:
            sites[rng.integers(len(sites))] = rng.random(3)
            return self._tidy(sites, _cell(point), rng, keep_volume=True)
        for _ in range(int(rng.integers(1, 3))):
            one = int(rng.integers(len(sites)))
            other = int(rng.choice(np.flatnonzero(self.kinds != self.kinds[one])))
            sites[[one, other]] = sites[[other, one]]
        return self._tidy(sites, _cell(point), rng, keep_volume=True)

    def difference(self, one: Point, other: Point) -> Array:
        """(9 + 3n,) change of the cell in its standard orientation, Å, then fractional moves of the sites.

        The other crystal is shifted and renumbered within its kinds to lie on the first as well as it may.
        """
        here, there = (lattice_matrices(*lattice_parameters(_cell(p)[None]))[0] for p in (one, other))
        rare = min(np.unique(self.kinds), key=lambda kind: int((self.kinds == kind).sum()))
        anchors = np.flatnonzero(self.kinds == rare)
        fits = [self._matched(one.sites, other.sites + one.sites[anchors[0]] - other.sites[a], here) for a in anchors]
        moves = min(fits, key=lambda fit: fit[0])[1]
        return np.concatenate([(there - here).ravel(), moves.ravel()])

    def moved(self, point: Point, way: Array) -> Point:
        """The crystal at the end of a way, the cell in its standard orientation."""
        cell = lattice_matrices(*lattice_parameters(_cell(point)[None]))[0] + way[:9].reshape(3, 3)
        return self._tidy(point.sites + way[9:].reshape(-1, 3), cell, None, keep_volume=True)

    def fingerprint(self, point: Point) -> Array:
        """(n_pairs · 12 + 1,) smooth counts of neighbours by pair of kinds and distance, and the volume per atom."""
        cell, n = _cell(point), len(self.kinds)
        first, second = (axis.ravel() for axis in np.meshgrid(np.arange(n), np.arange(n), indexing="ij"))
        between = point.sites[first] - point.sites[second]
        every = (between - np.round(between))[:, None] + NEIGHBOURS[None]
        lengths = np.linalg.norm(every @ cell, axis=-1) / self._spacing
        radii = np.linspace(0.7, 1.8, 12)
        cover = np.clip((1.9 - lengths) / 1.2, 0, 1) ** 2 * (lengths > 1e-3)
        steps = np.clip((radii - lengths[..., None]) / 0.2 + 0.5, 0, 1)
        counts = np.einsum("ps,psr->pr", cover, steps) / n
        lower, upper = np.sort(np.stack([self.kinds[first], self.kinds[second]]), axis=0)
        pairs = np.unique(np.stack([lower, upper]), axis=1).T
        parts = [counts[(lower == a) & (upper == b)].sum(axis=0) for a, b in pairs]
        return np.concatenate([*parts, [abs(float(np.linalg.det(cell))) / self.volume]])

    def coordinates(self, point: Point) -> Array:
        """(9 + 3n,) the undeformed cell, then Cartesian sites, Å."""
        return np.concatenate([np.eye(3).ravel() * self._stiffness(point), (point.sites @ _cell(point)).ravel()])

    def placed(self, x: Array, frame: Point) -> Point:
        """The crystal that a deformation makes of the cell of `frame` and of sites in it."""
        deformed = _cell(frame) @ (x[:9].reshape(3, 3) / self._stiffness(frame)).T
        return Point(x[9:].reshape(-1, 3) @ np.linalg.inv(_cell(frame)), deformed)

    def gradient(self, found: Evaluation, point: Point, frame: Point) -> Array:
        """(9 + 3n,) derivatives by the deformation and by the sites in the frame's cell."""
        assert found.stress is not None
        cell = _cell(point)
        deformation = (np.linalg.inv(_cell(frame)) @ cell).T
        volume = abs(float(np.linalg.det(cell)))
        by_cell = volume * found.stress @ np.linalg.inv(deformation).T / self._stiffness(frame)
        return np.concatenate([by_cell.ravel(), -(found.forces @ deformation).ravel()])

    def _stiffness(self, frame: Point) -> float:
        """Å; makes a strain as stiff as the moves of the sites."""
        n = len(self.kinds)
        return float(np.sqrt(n) * (abs(float(np.linalg.det(_cell(frame)))) / n) ** (1 / 3))

    def _random_volume(self, rng: np.random.Generator) -> float:
        return float(self.volume * rng.uniform(*self.options.volumes))

    def _random_cell(self, rng: np.random.Generator) -> Array:
        lengths = self.options.lengths ** rng.random((1, 3))
        cell = np.asarray(lattice_matrices(lengths, rng.uniform(60, 120, (1, 3)))[0])
        return cell if _fullness(cell) > 0.3 else self._random_cell(rng)

    def _tidy(self, sites: Array, cell: Array, rng: np.random.Generator | None, *, keep_volume: bool = False) -> Point:
        """A compact cell of a possible volume, atoms apart."""
        volume = abs(float(np.linalg.det(cell)))
        if not np.isfinite(volume) or _fullness(cell) < 0.05:
            cell, volume = np.eye(3), 1.0
        sites, cell = compact(sites, cell)
        low, high = self.options.volumes
        wanted = float(np.clip(volume, 0.7 * low * self.volume, 1.3 * high * self.volume))
        if not keep_volume and rng is not None:
            wanted = self._random_volume(rng)
        cell = cell * (wanted / volume) ** (1 / 3)
        return Point(spread_periodic(sites, cell, self._floors), cell)

    def _matched(self, here: Array, there: Array, cell: Array) -> tuple[float, Array]:
        """Sum of squared distances and (n, 3) fractional moves to the sites of each kind, best assigned."""
        moves = np.zeros_like(here)
        total = 0.0
        for kind in np.unique(self.kinds):
            mine = np.flatnonzero(self.kinds == kind)
            between = (there[mine][None] - here[mine][:, None]).reshape(-1, 3)
            vectors, lengths = nearest(between, cell)
            rows, columns = linear_sum_assignment((lengths**2).reshape(len(mine), -1))
            chosen = rows * len(mine) + columns
            moves[mine] = vectors[chosen] @ np.linalg.inv(cell)
            total += float((lengths[chosen] ** 2).sum())
        return total, moves


def compact(sites: Array, cell: Array) -> tuple[Array, Array]:
    """The same crystal in a cell of short axes: each reduced by the others until none shortens."""
    short = cell.copy()
    for _ in range(20):
        changed = False
        for i, j in ((0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)):
            times = np.round(short[i] @ short[j] / (short[j] @ short[j]))
            if abs(times) >= 1 and np.linalg.norm(short[i] - times * short[j]) < np.linalg.norm(short[i]) - 1e-9:
                short[i] = short[i] - times * short[j]
                changed = True
        if not changed:
            break
    return np.mod(sites @ cell @ np.linalg.inv(short), 1.0), short


def _cell(point: Point) -> Array:
    assert point.cell is not None
    return point.cell


def _fullness(cell: Array) -> float:
    """Volume over the product of the lengths: 1 for a right angled cell, 0 for a flat one."""
    return abs(float(np.linalg.det(cell))) / max(float(np.prod(np.linalg.norm(cell, axis=1))), 1e-12)


def _stretch(rng: np.random.Generator, size: float) -> Array:
    """(3, 3) one plus a random symmetric strain."""
    strain = rng.normal(scale=size, size=(3, 3))
    return np.eye(3) + np.clip((strain + strain.T) / 2, -0.6, 0.6)
