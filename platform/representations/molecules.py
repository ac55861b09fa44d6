"""Molecules in a box: cells whose atoms are one group with vacuum all around.

They are references of elements, and no crystals: their cell means nothing, their bands have no dispersion, and nothing
learns from them.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Structure

MOLECULE: Final = "molecule"
"""Prototype of a material that is one."""
VACUUM: Final = 5.0  # Å; widest gaps of crystals are the 3.5 Å between layers
MOST_ATOMS: Final = 20
SPARSE: Final = 60.0  # Å³ per atom: a molecule with its vacuum fills more; of crystals only heavy alkali metals do


def is_molecule(structure: Structure) -> bool:
    """Whether the atoms are one group that lies at least `VACUUM` from all of its images."""
    if len(structure) > MOST_ATOMS or structure.volume / len(structure) < SPARSE:
        return False
    cell, group = structure.lattice.matrix, _whole(structure)
    images = np.array([(i, j, k) for i in (-1, 0, 1) for j in (-1, 0, 1) for k in (-1, 0, 1) if (i, j, k) != (0, 0, 0)])
    apart = group[None, :, None, :] + (images @ cell)[:, None, None, :] - group[None, None, :, :]
    return len(structure) > 1 and bool(np.linalg.norm(apart, axis=-1).min() >= VACUUM)


def _whole(structure: Structure) -> NDArray[np.float64]:
    """(n, 3) Å: positions with every atom at its image nearest to the first."""
    fractions = structure.frac_coords - structure.frac_coords[0]
    return np.asarray((fractions - np.round(fractions)) @ structure.lattice.matrix)
