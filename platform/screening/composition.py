"""Composition: inside the space that was asked for, and neutral or an alloy.

Neutrality is SMACT's (Davies et al., J. Open Source Softw. 4, 1361, 2019) as the validity of CDVAE has it
(Xie et al., ICLR 2022): a neutral combination of oxidation states that passes Pauling's test; metals among
themselves and single elements pass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pymatgen.core import Composition
from smact.screening import smact_validity

from fermiloop.platform.screening.verdicts import Verdict

if TYPE_CHECKING:
    from fermiloop.platform.screening.verdicts import Context, Crystal

STAGE = "composition"


def check_composition(crystal: Crystal, context: Context) -> Verdict:
    """Elements, number of components, excluded formulas, neutrality."""
    composition = crystal.structure.composition
    formula = composition.reduced_formula
    symbols = {element.symbol for element in composition.elements}
    outside = sorted(symbols - set(context.space.elements))
    if outside:
        return Verdict(STAGE, False, f"{', '.join(outside)} lies outside the elements asked for", kind="element")
    fewest, most = context.space.n_components
    if not fewest <= len(symbols) <= most:
        reason = f"{len(symbols)} elements where {fewest} to {most} are asked for"
        return Verdict(STAGE, False, reason, float(len(symbols)), "number of elements")
    if formula in {Composition(excluded).reduced_formula for excluded in context.target.exclude_formulas}:
        return Verdict(STAGE, False, f"{formula} is excluded by the target", kind="excluded formula")
    if not is_neutral_or_alloy(composition):
        reason = f"no neutral combination of oxidation states for {formula}"
        return Verdict(STAGE, False, reason, kind="charge balance")
    return Verdict(STAGE, True)


def is_neutral_or_alloy(composition: Composition) -> bool:
    """Whether SMACT finds a neutral combination, or all elements are metals, or there is one element only."""
    return bool(smact_validity(composition.reduced_composition, use_pauling_test=True, include_alloys=True))
