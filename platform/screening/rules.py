"""Chemical rules as a stage of their own: charge balance, and cations less electronegative than anions.

SMACT's rules (Davies et al., Chem 1, 617, 2016; J. Open Source Softw. 4, 1361, 2019) with the oxidation states of the
ICSD. The stage of compositions asks for both at once with one state an element; here the two are told apart, and an
element may be of mixed valence, as the iron of Fe3O4. Metals among themselves and single elements pass.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from pymatgen.core import Composition
from smact.screening import smact_validity

from fermiloop.platform.representations.neutrality import MOST_MIXED, is_neutral_or_alloy
from fermiloop.platform.screening.verdicts import Verdict

if TYPE_CHECKING:
    from fermiloop.platform.screening.verdicts import Context, Crystal

STAGE = "rules"
CHARGE = "charge balance"
NEGATIVITY = "electronegativity"


def check_rules(crystal: Crystal, context: Context) -> Verdict:  # noqa: ARG001 - a stage takes both
    """Whether a neutral combination of oxidation states exists, and one that Pauling's test passes."""
    formula = crystal.structure.composition.reduced_formula
    broken = broken_rule(formula)
    if broken is None:
        return Verdict(STAGE, True)
    reason = {
        CHARGE: f"no neutral combination of oxidation states for {formula}",
        NEGATIVITY: f"every neutral combination of {formula} has a cation more electronegative than an anion",
    }[broken]
    return Verdict(STAGE, False, reason, kind=broken)


@lru_cache(maxsize=100_000)
def broken_rule(formula: str) -> str | None:
    """The rule that a formula breaks, None where it breaks none."""
    composition = Composition(formula)
    if is_neutral_or_alloy(composition, mixed_valence=True):
        return None
    mixed = composition.num_atoms <= MOST_MIXED
    if smact_validity(composition, use_pauling_test=False, include_alloys=True, mixed_valence=mixed):
        return NEGATIVITY
    return CHARGE
