"""Whether a composition can be neutral, by SMACT's rules with the oxidation states of the ICSD.

As the validity of CDVAE has it (Xie et al., ICLR 2022): there is a neutral combination of oxidation states that passes
Pauling's test (Davies et al., Chem 1, 617, 2016; J. Open Source Softw. 4, 1361, 2019). Metals among themselves and
single elements pass.
"""

from __future__ import annotations

from typing import Final

from pymatgen.core import Composition
from smact.screening import smact_validity

MOST_MIXED: Final = 12
"""Atoms of the formula unit up to which mixed valence is tried: combinations grow exponentially."""


def is_neutral_or_alloy(composition: Composition | str, *, mixed_valence: bool = False) -> bool:
    """Whether SMACT finds a neutral combination, or all elements are metals, or there is one element only.

    Parameters
    ----------
    mixed_valence
        Whether an element may be in two oxidation states at once, as in Fe3O4.
    """
    reduced = Composition(composition).reduced_composition
    if smact_validity(reduced, use_pauling_test=True, include_alloys=True):
        return True
    mixed = mixed_valence and reduced.num_atoms <= MOST_MIXED
    return mixed and bool(smact_validity(reduced, use_pauling_test=True, include_alloys=True, mixed_valence=True))
