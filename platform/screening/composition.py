"""Composition: inside the space that was asked for, and neutral or an alloy, see `representations.neutrality`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pymatgen.core import Composition

from fermiloop.platform.representations.neutrality import is_neutral_or_alloy
from fermiloop.platform.screening.verdicts import Verdict

if TYPE_CHECKING:
    from fermiloop.platform.screening.verdicts import Context, Crystal

__all__ = ["STAGE", "check_composition", "is_neutral_or_alloy"]

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
