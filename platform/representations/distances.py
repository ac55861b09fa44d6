"""How near atoms are to each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pymatgen.core import Structure


def shortest_distance(structure: Structure) -> float:
    """Shortest distance between two atoms, in Å, of an atom and its own images too."""
    between = structure.distance_matrix + np.diag([np.inf] * len(structure))
    images = np.linalg.norm(structure.lattice.get_lll_reduced_lattice().matrix, axis=1)
    return float(min(between.min(), images.min()))
