"""Energy above the convex hull of the references, all by one Method.

The hull is pymatgen's (Ong et al., Chem. Mater. 20, 1798, 2008). A crystal is measured against the hull without
itself, so what lies below zero is stable against these references. It would be a new stable phase only if they held
every competing one: hulls of a library or a campaign do not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pymatgen.core import Composition

from fermiloop.platform.screening.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pymatgen.analysis.phase_diagram import PhaseDiagram

    from fermiloop.platform.screening.verdicts import Context, Crystal

STAGE = "hull"


class Hulls:
    """Hulls of chemical systems from one set of references, each built once."""

    def __init__(self, entries: Sequence[tuple[Mapping[str, float], float, str]]) -> None:
        self._entries = [(Composition(dict(amounts)), energy, name) for amounts, energy, name in entries]
        self._diagrams: dict[frozenset[str], PhaseDiagram] = {}

    def missing(self, elements: frozenset[str]) -> list[str]:
        """Elements without a reference of their own, sorted."""
        pure = {composition.elements[0].symbol for composition, *_ in self._entries if len(composition.elements) == 1}
        return sorted(elements - pure)

    def above(self, composition: Composition, energy_per_atom: float) -> tuple[float, float]:
        """Energy above the hull and formation energy, eV per atom.

        The elements must have references: see `missing`.
        """
        elements = frozenset(element.symbol for element in composition.elements)
        if elements not in self._diagrams:
            self._diagrams[elements] = self._diagram(elements)
        diagram = self._diagrams[elements]
        total = composition.num_atoms
        elemental = sum(diagram.el_refs[x].energy_per_atom * n for x, n in composition.items()) / total
        hull = float(diagram.get_hull_energy_per_atom(composition))
        return energy_per_atom - hull, energy_per_atom - float(elemental)

    def _diagram(self, elements: frozenset[str]) -> PhaseDiagram:
        """Hull of the references that lie in a chemical system."""
        from pymatgen.analysis.phase_diagram import PDEntry, PhaseDiagram  # plotly: who asks what is missing needs none

        inside = [one for one in self._entries if {x.symbol for x in one[0].elements} <= elements]
        return PhaseDiagram(
            [PDEntry(formula, energy * formula.num_atoms, name=name) for formula, energy, name in inside]
        )


def check_hull(crystal: Crystal, context: Context, hulls: Hulls) -> Verdict:
    """Reject what lies too far above the hull, or has no hull to be measured against."""
    composition = crystal.structure.composition
    missing = hulls.missing(frozenset(element.symbol for element in composition.elements))
    if missing:
        reason = f"no elemental reference for {', '.join(missing)} under this Method"
        return Verdict(STAGE, False, reason, kind="no elemental reference")
    if "energy_per_atom" not in crystal.scores:
        if fault := context.potential.fault(crystal.structure):
            return Verdict(STAGE, False, fault, kind="no energy")
        crystal.scores["energy_per_atom"] = context.potential.energies([crystal.structure])[0]
    above, formation = hulls.above(composition, crystal.scores["energy_per_atom"])
    crystal.scores["energy_above_hull"] = above
    crystal.scores["formation_energy_per_atom"] = formation
    if not above <= context.max_energy_above_hull:  # a comparison that NaN fails
        reason = f"{above:.3f} eV/atom above the hull, more than {context.max_energy_above_hull:g} eV/atom"
        return Verdict(STAGE, False, reason, above, "above the hull")
    return Verdict(STAGE, True, value=above)
