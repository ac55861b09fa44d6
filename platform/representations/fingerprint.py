"""A crystal as a short vector that does not depend on how its cell was written down.

Lengths are divided by the cube root of the volume per atom, so that the vector compares shape. For every atom the
neighbours within a cut-off are counted up to each of a row of radii, by smooth steps and a weight that
vanishes at the cut-off; the counts are averaged over atoms. Five channels weigh each pair of elements: once
plainly, and by the mean and the product of two element scales (Pettifor's order, J. Phys. C 19, 285, 1986, and
the atomic number), so that two decorations of one lattice differ. Counts rather than peaks make the distance of
two crystals grow steadily with their distortion, as sorted neighbour distances do.

The vector may only reject: crystals far apart are not the same, crystals close by may still differ.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np
from pymatgen.core import Element

from fermiloop.platform.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray
    from pymatgen.core import Structure

CUTOFF: Final = 2.5  # in cube roots of the volume per atom: about 65 neighbours
RADII: Final = np.linspace(0.6, 2.4, 16)
STEEPNESS: Final = 0.04  # width of a step, same unit
CHANNELS: Final = 5
N_BINS: Final = CHANNELS * RADII.size
LARGEST_MENDELEEV: Final = 103.0
LAST_WITH_ORDER: Final = 103  # lawrencium: Pettifor's order ends there


def fingerprint(structure: Structure) -> NDArray[np.float64]:
    """(80,) vector, unchanged by translation, rotation, order of the sites, choice of the cell and scale.

    Raises
    ------
    InputError
        If the structure has no sites, no volume, or sites that hold more than one species.
    """
    if len(structure) == 0 or not structure.volume > 0:
        raise InputError(f"A fingerprint needs sites in a cell with a volume, not {len(structure)} sites.")
    from scipy.special import expit  # half a second: many who read a campaign's file never compare crystals

    if not structure.is_ordered:
        raise InputError(f"A fingerprint needs one species on each site; {structure.formula} is disordered.")
    scale = (structure.volume / len(structure)) ** (1 / 3)
    centres, neighbours, _, lengths = structure.get_neighbor_list(CUTOFF * scale, exclude_self=True)
    scaled = lengths / scale
    weights = (1 - np.minimum(scaled / CUTOFF, 1) ** 2) ** 2
    steps = expit((RADII[None, :] - scaled[:, None]) / STEEPNESS) * weights[:, None]
    scales = np.array([_element_scales(site.specie.symbol) for site in structure])
    first, second = scales[centres], scales[neighbours]
    pairs = np.concatenate([np.ones((len(scaled), 1)), (first + second) / 2, first * second], axis=1)
    return np.asarray((pairs.T @ steps / len(structure)).ravel())


def distance(a: ArrayLike, b: ArrayLike) -> float:
    """Root mean square difference of two fingerprints, in weighted neighbours.

    Raises
    ------
    InputError
        If the two differ in length, as of different versions.
    """
    first, second = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if first.shape != second.shape:
        raise InputError(f"Fingerprints of shapes {first.shape} and {second.shape} do not compare; compute them again.")
    return float(np.sqrt(np.mean((first - second) ** 2)))


@cache
def _element_scales(symbol: str) -> tuple[float, float]:
    """Pettifor's order and the atomic number, both between about -1 and 1."""
    element = Element(symbol)
    order = float(element.mendeleev_no) if element.Z <= LAST_WITH_ORDER else LARGEST_MENDELEEV
    return 2 * order / LARGEST_MENDELEEV - 1, 2 * element.Z / 118 - 1
