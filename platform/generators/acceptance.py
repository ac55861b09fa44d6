"""What a decoded crystal must be before it is proposed: in the space, and no impossible one.

Decoded cells are never quite symmetric. A crystal is made symmetric at a loose tolerance where that moves
no atom by more than a little, and then reduced to its primitive cell; otherwise it stays as decoded.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Final

import numpy as np
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer, SymmetryUndeterminedError

if TYPE_CHECKING:
    from pymatgen.core import Structure

    from fermiloop.platform.generators.protocol import Space, Target

MIN_DISTANCE: Final = 0.5
"""Å between atoms, periodic images included: the usual, weak, test of validity (CDVAE, Xie et al. 2022)."""
VOLUME_PER_ATOM: Final = (3.0, 150.0)
"""Å³."""
ANGLES: Final = (20.0, 160.0)
"""Degrees."""
TOLERANCE: Final = 0.1
"""Å of spglib's search, and the most that making symmetric may move an atom."""


def accept(structure: Structure, target: Target, space: Space, min_distance: float = MIN_DISTANCE) -> Structure | str:
    """The crystal as it may be proposed, or in words why it may not.

    Parameters
    ----------
    structure
        As decoded.
    target
        Its excluded formulas are refused.
    space
        Where candidates may lie.
    min_distance
        Least distance of two atoms, Å.
    """
    problem = _chemistry(structure, target, space) or fault(structure, min_distance)
    if problem:
        return problem
    crystal, system = symmetrised(structure)
    if len(crystal) > space.max_sites:
        return "too many sites"
    return crystal if system in space.crystal_systems else "crystal system outside the space"


def fault(structure: Structure, min_distance: float = MIN_DISTANCE) -> str | None:
    """Why a crystal is physically impossible; None for a possible one."""
    cell = structure.lattice
    if not (np.isfinite(cell.matrix).all() and np.isfinite(structure.frac_coords).all()):
        return "not finite"
    if not all(ANGLES[0] <= angle <= ANGLES[1] for angle in cell.angles):
        return "cell angles out of range"
    if not VOLUME_PER_ATOM[0] <= cell.volume / len(structure) <= VOLUME_PER_ATOM[1]:
        return "cell volume out of range"
    if shortest_distance(structure) < min_distance:
        return f"atoms closer than {min_distance:g} Å"
    return None


def shortest_distance(structure: Structure) -> float:
    """Least distance of two atoms, Å, an atom's own periodic images included."""
    frac = structure.frac_coords
    shifts = np.array(np.meshgrid(*[(-1, 0, 1)] * 3)).reshape(3, -1).T
    between = (frac[:, None] - frac[None])[:, :, None] - np.round(frac[:, None] - frac[None])[:, :, None] + shifts
    squared = ((between @ structure.lattice.matrix) ** 2).sum(-1)
    own = np.eye(len(frac), dtype=bool)[:, :, None] & (shifts == 0).all(axis=1)
    return float(np.sqrt(squared[~own].min()))


def symmetrised(structure: Structure) -> tuple[Structure, str]:
    """The primitive crystal, symmetric where it nearly is, and its crystal system."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for tolerance in (TOLERANCE, TOLERANCE / 10):
            try:
                analyzer = SpacegroupAnalyzer(structure, symprec=tolerance)
                crystal = analyzer.get_primitive_standard_structure()
                system = str(analyzer.get_crystal_system())
            except (SymmetryUndeterminedError, ValueError, TypeError):
                continue
            if fault(crystal) is None and _moved_little(structure, crystal):
                return crystal.get_sorted_structure(), system
    return structure.get_sorted_structure(), "triclinic"


def _moved_little(before: Structure, after: Structure) -> bool:
    matcher = StructureMatcher(ltol=0.1, stol=0.2, angle_tol=5, scale=False)
    found = matcher.get_rms_dist(before, after)  # type: ignore[no-untyped-call]
    if found is None:
        return False
    per_atom = (before.volume / len(before)) ** (1 / 3)  # the matcher's distances are in units of this
    return bool(found[1] * per_atom <= TOLERANCE)


def _chemistry(structure: Structure, target: Target, space: Space) -> str | None:
    symbols = {element.symbol for element in structure.composition.elements}
    if not symbols <= set(space.elements):
        return "elements outside the space"
    low, high = space.n_components
    if not low <= len(symbols) <= high:
        return "number of components outside the space"
    if structure.composition.reduced_formula in target.exclude_formulas:
        return "excluded formula"
    return None
