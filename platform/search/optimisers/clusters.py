"""Clusters of one element in a sphere, and moves between them.

Cut and splice: Deaven and Ho, Phys. Rev. Lett. 75, 288 (1995). Twist and the move of the loosest atom are those of
usual genetic and basin-hopping searches of clusters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial.transform import Rotation

from fermiloop.platform.errors import InputError
from fermiloop.platform.search.optimisers.point_groups import symmetric_cluster
from fermiloop.platform.search.optimisers.spreading import spread
from fermiloop.platform.search.oracle import Point

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fermiloop.platform.search.oracle import Evaluation

    Array = NDArray[np.float64]

FRAMES: Final = Rotation.random(12, random_state=0).as_matrix()
"""Turns that a superposition is begun from."""
MATCHING_PASSES: Final = 3


class ClusterSpace:
    """Clusters of `n` equal atoms.

    Parameters
    ----------
    n
        Atoms.
    radius
        Of the sphere that they lie in at first; enough for the volume of `n` close-packed atoms by default.
    floor
        Least distance of two atoms at the start of a relaxation.

    Raises
    ------
    InputError
        If there are fewer than two atoms.
    """

    def __init__(self, n: int, radius: float | None = None, floor: float = 0.85) -> None:
        if n < 2:
            raise InputError(f"A cluster needs at least 2 atoms, not {n}.")
        self.kinds = np.zeros(n, dtype=np.int64)
        self.step, self.heat = 0.35, 0.3
        self.radius = radius or 0.75 * n ** (1 / 3)
        self._floors = np.full((n, n), floor)

    def random(self, rng: np.random.Generator) -> Point:
        """Atoms uniform in the sphere."""
        direction = rng.normal(size=(len(self.kinds), 3))
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        return self._tidy(direction * self.radius * rng.random((len(self.kinds), 1)) ** (1 / 3))

    def symmetric(self, rng: np.random.Generator) -> Point:
        """Atoms on orbits of a random point group, as wide as a random cluster."""
        sites = symmetric_cluster(len(self.kinds), rng)
        sites = sites - sites.mean(axis=0)
        wide = np.sqrt((sites**2).sum(axis=1).mean())
        return self._tidy(sites * (self.radius * np.sqrt(0.6) / max(wide, 1e-6)))

    def shake(self, point: Point, size: float, rng: np.random.Generator) -> Point:
        """Atoms displaced by normal deviates of `size` steps."""
        return self._tidy(point.sites + rng.normal(scale=size * self.step, size=point.sites.shape))

    def cross(self, one: Point, other: Point, rng: np.random.Generator) -> Point:
        """The upper atoms of one turned parent above the lower atoms of the other."""
        n = len(self.kinds)
        upper, lower = (_turned(parent.sites, rng) for parent in (one, other))
        cut = int(rng.integers(1, n)) if n > 2 else 1
        highest = np.argsort(-upper[:, 2])
        lowest = np.argsort(lower[:, 2])
        top, bottom = upper[highest[:cut]], lower[lowest[: n - cut]]
        gap = (upper[highest[cut], 2] + top[-1, 2] - lower[lowest[n - cut], 2] - bottom[-1, 2]) / 2
        return self._tidy(np.concatenate([top, bottom + np.array([0, 0, gap])]))

    def strain(self, point: Point, rng: np.random.Generator) -> Point:
        """The atoms above a random plane through the middle twisted about its normal."""
        sites = _turned(point.sites, rng)
        above = sites[:, 2] > 0
        angle = rng.uniform(0.2, 2 * np.pi - 0.2)
        sites[above] = sites[above] @ Rotation.from_rotvec([0, 0, angle]).as_matrix().T
        return self._tidy(sites)

    def permute(self, point: Point, rng: np.random.Generator) -> Point:
        """The loosest atom put elsewhere on the surface: all are of one kind, so none can be exchanged."""
        sites = point.sites - point.sites.mean(axis=0)
        distances = np.linalg.norm(sites[:, None] - sites[None], axis=-1)
        loosest = int(np.argmin((distances < 1.4).sum(axis=1) + 0.1 * rng.random(len(sites))))
        direction = rng.normal(size=3)
        reach = float(np.linalg.norm(sites, axis=1).max())
        sites[loosest] = direction / np.linalg.norm(direction) * reach
        return self._tidy(sites)

    def difference(self, one: Point, other: Point) -> Array:
        """(3n,) way to another cluster after turning and renumbering it to lie on the first as well as it may."""
        here = one.sites - one.sites.mean(axis=0)
        there = other.sites - other.sites.mean(axis=0)
        fits = [_superposed(here, there @ frame.T) for frame in FRAMES]
        best = min(fits, key=lambda placed: float(((placed - here) ** 2).sum()))
        return np.asarray((best - here).ravel())

    def moved(self, point: Point, way: Array) -> Point:
        """The cluster at the end of a way."""
        return self._tidy(point.sites + way.reshape(-1, 3))

    def fingerprint(self, point: Point) -> Array:
        """(n(n−1)/2,) inverse distances in order: near pairs count more than far ones."""
        first, second = np.triu_indices(len(point.sites), 1)
        lengths = np.linalg.norm(point.sites[first] - point.sites[second], axis=1)
        return np.sort(1 / np.maximum(lengths, 0.5))

    def coordinates(self, point: Point) -> Array:
        """(3n,) Cartesian coordinates."""
        return np.asarray(point.sites.ravel().copy())

    def placed(self, x: Array, frame: Point) -> Point:  # noqa: ARG002 - Cartesian coordinates need no frame
        """The cluster with coordinates `x`."""
        return Point(x.reshape(-1, 3).copy())

    def gradient(self, found: Evaluation, point: Point, frame: Point) -> Array:  # noqa: ARG002 - as above
        """(3n,) the forces, turned round."""
        return np.asarray(-found.forces.ravel())

    def _tidy(self, sites: Array) -> Point:
        """Centred, strays brought back to the edge of twice the sphere, atoms apart."""
        sites = sites - sites.mean(axis=0)
        far = np.linalg.norm(sites, axis=1, keepdims=True)
        sites = np.where(far > 2 * self.radius, sites * 2 * self.radius / np.maximum(far, 1e-9), sites)
        return Point(spread(sites, self._floors))


def _turned(sites: Array, rng: np.random.Generator) -> Array:
    turn = Rotation.from_quat(rng.normal(size=4)).as_matrix()
    return np.asarray((sites - sites.mean(axis=0)) @ turn.T)


def _superposed(here: Array, there: Array) -> Array:
    """(n, 3) atoms of `there` in the order of `here`, by assignment and least squares in turn (Kabsch, 1976)."""
    for _ in range(MATCHING_PASSES):
        squared = ((here[:, None] - there[None]) ** 2).sum(axis=-1)
        there = there[linear_sum_assignment(squared)[1]]
        u, _, v = np.linalg.svd(there.T @ here)
        there = there @ (u @ v)
    return there
