"""What the generators are that learn no model: read without any of their code."""

from __future__ import annotations

from typing import Final

from fermiloop.platform.plugins.generators import GeneratorDeclaration

SEARCH: Final = "fermiloop.platform.search"

SUBSTITUTION: Final = GeneratorDeclaration(
    "substitution",
    "known crystals near the target with elements exchanged for like ones",
    load=f"{SEARCH}.substitution:Substitution",
    options=f"{SEARCH}.substitution:SubstitutionOptions",
    shapes_of_known=True,
)
PROTOTYPE_ENUMERATION: Final = GeneratorDeclaration(
    "prototype_enumeration",
    "every decoration of every prototype in the training set",
    load=f"{SEARCH}.enumeration:PrototypeEnumeration",
    options=f"{SEARCH}.enumeration:PrototypeEnumerationOptions",
)
RANDOM_PICK: Final = GeneratorDeclaration(
    "random_pick",
    "random decorations of prototypes: the baseline",
    load=f"{SEARCH}.random_pick:RandomPick",
    options=f"{SEARCH}.random_pick:RandomPickOptions",
    tabulated_prototypes=True,
)
POOL: Final = GeneratorDeclaration(
    "pool",
    "given crystals, in their order",
    load=f"{SEARCH}.pool:Pool",
    options=f"{SEARCH}.pool:PoolOptions",
    unanswered=True,
)


def _search(name: str, title: str, kind: str) -> GeneratorDeclaration:
    """A global optimisation: all are alike but for how they search."""
    return GeneratorDeclaration(
        name,
        title,
        load=f"{SEARCH}.global_search:{kind}",
        options=f"{SEARCH}.global_search:GlobalSearchOptions",
    )


RANDOM_SYMMETRIC: Final = _search(
    "random_symmetric", "random crystals with a space group, relaxed", "RandomSymmetricSearch"
)
GENETIC: Final = _search("genetic", "crystals by heredity, strain and exchange", "GeneticSearch")
PARTICLE_SWARM: Final = _search("particle_swarm", "crystals that move towards the best", "SwarmSearch")
ANNEALING: Final = _search("annealing", "crystals by a cooling walk over minima", "AnnealingSearch")
MINIMA_HOPPING: Final = _search("minima_hopping", "crystals from minimum to minimum", "HoppingSearch")
VARIABLE_COMPOSITION: Final = GeneratorDeclaration(
    "variable_composition",
    "crystals of whole chemical systems by heredity, lowest above the hull of what is found",
    load=f"{SEARCH}.variable_composition:VariableSearch",
    options=f"{SEARCH}.variable_composition:VariableSearchOptions",
)
BAYESIAN: Final = _search("bayesian", "crystals where a surrogate expects improvement", "BayesianSearch")
