"""What every reader gives: crystals, each with what was assumed or left out, and refusals."""

from __future__ import annotations

from dataclasses import dataclass

from pymatgen.core import Structure

from fermiloop.platform.errors import InputError


@dataclass(frozen=True)
class Crystal:
    """A crystal that was read.

    Parameters
    ----------
    structure
        Cell in Å, right-handed; oxidation states as decorated species, moments as site property ``magmom`` in μB,
        a number or three Cartesian components.
    remarks
        What was assumed or left out, a sentence each.
    """

    structure: Structure
    remarks: tuple[str, ...] = ()


Found = Crystal | InputError
"""A crystal, or why there is none in its place."""
