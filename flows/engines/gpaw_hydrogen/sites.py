"""Interstitial sites of any crystal: where a small atom has most room.

Points that are as far as possible from all atoms around are vertices of the crystal's Voronoi diagram. Vertices that
nearly coincide are one hole, as where a tetragonal strain splits the centre of an octahedron. What symmetry makes
equal is one site. A hole of four nearest neighbours is tetrahedral, one of six octahedral. In body-centred cubic
crystals the octahedral point is no vertex, being no widest place, and is not found.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer
from scipy.sparse.csgraph import connected_components
from scipy.spatial import Voronoi

OCTAHEDRAL, TETRAHEDRAL = "octahedral", "tetrahedral"
KINDS: Final = {4: TETRAHEDRAL, 6: OCTAHEDRAL}
REACH: Final = 7.0  # Å of crystal about the cell; a hole whose radius comes near it is no interstitial site
WIDEST: Final = 3.0  # Å
NARROWEST: Final = 1.2  # Å; hydrogen touches its neighbours at 1.5 and more
SAME_HOLE: Final = 0.6  # Å; tetrahedral holes of body-centred cubic metals are 1.1 Å apart
SAME_PLACE: Final = 0.1  # Å, of two sites that symmetry maps onto each other
NEAREST: Final = 1.15  # of the radius; the second shell of a tetrahedral hole in diamond begins at 1.155
SYMPREC: Final = 0.02  # Å


@dataclass(frozen=True)
class Site:
    """One interstitial site.

    Parameters
    ----------
    coords
        (3,) fractional.
    radius
        Distance of the nearest atom, Å.
    neighbours
        How many nearest neighbours of each element.
    multiplicity
        Equivalent sites in the cell.
    """

    coords: tuple[float, float, float]
    radius: float
    neighbours: dict[str, int]
    multiplicity: int

    @property
    def kind(self) -> str:
        """Octahedral, tetrahedral, or by the number of nearest neighbours."""
        n = sum(self.neighbours.values())
        return KINDS.get(n, f"{n}-fold")

    @property
    def label(self) -> str:
        """Kind and neighbours: ``"octahedral Mo4Co2"``."""
        around = sorted(self.neighbours.items(), key=lambda item: (-item[1], item[0]))
        return f"{self.kind} {''.join(f'{symbol}{n}' for symbol, n in around)}"


def interstitial_sites(structure: Structure, most: int) -> list[Site]:
    """Inequivalent interstitial sites: the widest octahedral and tetrahedral ones first, then the widest of all.

    Parameters
    ----------
    structure
        Primitive cell of an ordered crystal; of a larger cell, equivalent sites are told once as well.
    most
        Sites that are told.
    """
    holes = _holes(structure, _vertices(structure))
    found = [_site(structure, group) for group in _orbits(structure, holes)]
    wide = sorted((s for s in found if NARROWEST <= s.radius <= WIDEST), key=lambda s: (-round(s.radius, 3), s.label))
    first = [next((s for s in wide if s.kind == kind), None) for kind in (OCTAHEDRAL, TETRAHEDRAL)]
    head = [site for site in first if site is not None]
    return [*head, *(site for site in wide if site not in head)][:most]


def _vertices(structure: Structure) -> NDArray[np.float64]:
    """Voronoi vertices within the cell: (n, 3) fractional."""
    heights = 1.0 / np.linalg.norm(np.linalg.inv(structure.lattice.matrix), axis=0)  # Å between faces of the cell
    ranges = [np.arange(-n, n + 1) for n in np.ceil(REACH / heights).astype(int)]
    shifts = np.stack(np.meshgrid(*ranges, indexing="ij"), axis=-1).reshape(-1, 3)
    around = (structure.frac_coords[None, :, :] + shifts[:, None, :]).reshape(-1, 3)
    vertices = Voronoi(around @ structure.lattice.matrix).vertices @ np.linalg.inv(structure.lattice.matrix)
    inside = ((vertices > -1e-3) & (vertices < 1.0 + 1e-3)).all(axis=1)
    return np.asarray(vertices[inside] % 1.0)


def _holes(structure: Structure, vertices: NDArray[np.float64]) -> NDArray[np.float64]:
    """Centres of vertices that nearly coincide: (n, 3) fractional."""
    if not len(vertices):
        return np.zeros((0, 3))
    near = structure.lattice.get_all_distances(vertices, vertices) < SAME_HOLE
    n, groups = connected_components(near, directed=False)
    centres = []
    for one in range(n):
        members = vertices[groups == one]
        offsets = members - members[0]
        offsets -= np.round(offsets)
        _, first = np.unique(np.round(offsets, 4), axis=0, return_index=True)  # a vertex met twice counts once
        centres.append((members[0] + offsets[first].mean(axis=0)) % 1.0)
    return np.array(centres)


def _orbits(structure: Structure, holes: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Holes by orbits of the space group."""
    operations = SpacegroupAnalyzer(structure, symprec=SYMPREC).get_symmetry_operations()
    left, orbits = list(range(len(holes))), []
    while left:
        images = np.array([operation.operate(holes[left[0]]) for operation in operations])
        apart = structure.lattice.get_all_distances(images, holes[left]).min(axis=0)
        mine = [one for one, distance in zip(left, apart, strict=True) if distance < SAME_PLACE]
        orbits.append(holes[mine])
        left = [one for one in left if one not in mine]
    return orbits


def _site(structure: Structure, orbit: Sequence[NDArray[np.float64]] | NDArray[np.float64]) -> Site:
    """The first site of an orbit in the order of coordinates, with what is around it."""
    coords = min((tuple(float(x) % 1.0 for x in np.round(one, 6)) for one in orbit), key=lambda c: (sum(c), c))
    around = structure.get_sites_in_sphere(structure.lattice.get_cartesian_coords(coords), REACH)
    radius = min(site.nn_distance for site in around)
    counted = Counter(site.specie.symbol for site in around if site.nn_distance <= NEAREST * radius)
    return Site((coords[0], coords[1], coords[2]), float(radius), dict(counted), len(orbit))
