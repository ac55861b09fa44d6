"""A search at variable composition as a generator: the crystals of chemical systems that lie lowest above their hull.

The budget of calls is shared among systems of as many of the space's elements as the space allows; in each a genetic
search ranges over all compositions (`optimisers.variable`). Where a target asks for more than an energy, windows that
are missed and similarity count as in the other searches.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pymatgen.core import Composition

from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.acceptance import accept
from fermiloop.platform.generators.protocol import Proposal
from fermiloop.platform.plugins.potentials import potential
from fermiloop.platform.search.global_search import GlobalSearch, GlobalSearchOptions, crystal_of
from fermiloop.platform.search.objective import REFUSED, PotentialFunction
from fermiloop.platform.search.optimisers.protocol import Start
from fermiloop.platform.search.optimisers.relaxation import RelaxationOptions, settle
from fermiloop.platform.search.optimisers.variable import Member, VariableGenetic
from fermiloop.platform.search.oracle import BudgetSpent, Oracle, under_pressure

if TYPE_CHECKING:
    import numpy as np

    from fermiloop.platform.generators.protocol import Space, Target
    from fermiloop.platform.search.oracle import Evaluation, Point

SHORTEST: Final = 0.9
"""Share of a relaxation's most calls that must be left for another one to begin."""


@dataclass(frozen=True)
class VariableSearchOptions(GlobalSearchOptions):
    """How a search at variable composition spends its calls.

    Parameters
    ----------
    calls_per_system
        Calls for each chemical system, at least; with fewer systems each gets more.
    """

    calls_per_system: int = 500


class VariableSearch(GlobalSearch):
    """Genetic search at variable composition."""

    name = "variable_composition"
    settings = VariableSearchOptions
    options: VariableSearchOptions

    def sample(self, target: Target, space: Space, n: int, rng: np.random.Generator) -> list[Proposal]:
        """At most `n` different crystals, those lowest above the hull of their system first.

        Raises
        ------
        InputError
            If it was not fitted, or the target asks for nothing that was learned.
        """
        self.begin(target)
        if space.n_components[1] < 2:
            raise InputError("variable_composition searches between elements: let space.components end at 2 or more.")
        systems = self._systems(space, rng)
        found: list[Proposal] = []
        for place, system in enumerate(systems):
            found += self._of_system(system, self.calls(place, len(systems)), target, space, rng)
        found.sort(key=lambda proposal: -proposal.score)
        return self.different(found, n)

    def _systems(self, space: Space, rng: np.random.Generator) -> list[tuple[str, ...]]:
        """Different sets of as many elements as a crystal may have, in random order."""
        size = min(space.n_components[1], len(space.elements))
        wanted = max(1, self.options.oracle_calls // self.options.calls_per_system)
        drawn = (
            tuple(sorted(space.elements[i] for i in rng.permutation(len(space.elements))[:size].tolist()))
            for _ in range(20 * wanted)
        )
        return list(dict.fromkeys(drawn))[:wanted]

    def _of_system(
        self, system: tuple[str, ...], calls: int, target: Target, space: Space, rng: np.random.Generator
    ) -> list[Proposal]:
        """Accepted crystals of one system, with their energy above what was found in it."""
        cheap = potential(self.options.potential).build()
        members: list[tuple[Member, dict[str, float], float]] = []
        low = space.n_components[0]

        def allowed(symbols: tuple[str, ...]) -> bool:
            formula = Composition("".join(symbols)).reduced_formula
            return len(set(symbols)) >= low and formula not in target.exclude_formulas

        def function(point: Point) -> Evaluation:
            return evaluate(point)

        search = VariableGenetic(system, space.max_sites, lambda symbols: self.crystals(symbols, space), allowed, rng)
        oracle = Oracle(function, calls)
        settings = RelaxationOptions(self.options.force_tolerance, self.options.relaxation_calls, time_step=0.15)
        while oracle.left > SHORTEST * settings.most_calls or not members:
            symbols, point = search.ask()
            place = self.crystals(symbols, space)
            evaluate = under_pressure(PotentialFunction(cheap, symbols, place.volume), self.options.pressure)
            try:
                minimum = settle(Start(point), place, oracle, rng, settings)
            except BudgetSpent:
                break
            if minimum.energy >= REFUSED:
                self.failures["cell volume out of range"] += 1
                continue
            terms = self.objective.terms(crystal_of(minimum.point, symbols), minimum.energy, target)
            extra = terms["value"] - terms["excess_energy"]
            member = Member(symbols, minimum.point, terms["excess_energy"], extra)
            search.tell(member)
            members.append((member, terms, minimum.energy))
        if not members:
            self.failures["too few oracle calls for a relaxation"] += 1
            return []
        return self._proposals(members, search, target, space, calls)

    def _proposals(
        self,
        members: list[tuple[Member, dict[str, float], float]],
        search: VariableGenetic,
        target: Target,
        space: Space,
        calls: int,
    ) -> list[Proposal]:
        made = []
        for (member, terms, energy), above in zip(members, search.above_hull().tolist(), strict=True):
            crystal = accept(crystal_of(member.point, member.symbols), target, space)
            if isinstance(crystal, str):
                self.failures[crystal] += 1
                continue
            detail = {
                "formula": crystal.composition.reduced_formula,
                **self.energies(member.point, energy, len(member.symbols)),
                "oracle_calls": calls,
                **terms,
                "above_hull_of_search": above,
                "value": above + member.extra,
            }
            made.append(Proposal(crystal, -(above + member.extra), None, None, detail))
        return made
