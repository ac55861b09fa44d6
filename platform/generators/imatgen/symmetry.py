"""The symmetric crystal that a decoded one stands for.

Decoded atoms are some 0.15 Å and cell axes some 0.1 Å away from where they belong, so a crystal that is symmetric to
within that error is taken to be symmetric. The paper leaves this to the relaxation by DFT.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Final

from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer, SymmetryUndeterminedError

if TYPE_CHECKING:
    from pymatgen.core import Structure

TOLERANCES: Final = (0.5, 0.3)
"""Å of spglib's search, the loosest first."""
FURTHEST: Final = 0.4
"""Å that an atom may be moved."""


def idealised(structure: Structure) -> Structure:
    """The primitive cell of the symmetric crystal within the error of decoding, or the crystal itself."""
    matcher = StructureMatcher(ltol=0.15, stol=0.5, angle_tol=8, scale=False)
    per_atom = (structure.volume / len(structure)) ** (1 / 3)  # the matcher's distances are in units of this
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for tolerance in TOLERANCES:
            try:
                crystal: Structure = SpacegroupAnalyzer(structure, symprec=tolerance).get_primitive_standard_structure()
            except (SymmetryUndeterminedError, ValueError, TypeError):
                continue
            distances = matcher.get_rms_dist(structure, crystal)  # type: ignore[no-untyped-call]
            if distances is not None and distances[1] * per_atom <= FURTHEST:
                return crystal
    return structure
