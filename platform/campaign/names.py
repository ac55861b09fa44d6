"""Names that a campaign file may use, each list beside what it names.

A campaign file is read before anything heavy is imported, so the names stand here as text; a test
compares them with the registries that they name.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Final

from fermiloop.schemas.vocabulary import CrystalSystem, Engine, Property

if TYPE_CHECKING:
    from collections.abc import Iterable

GENERATOR_PRESETS: Final[dict[str, tuple[str, ...]]] = {
    "dos_composer": ("paper", "factorised"),
    "ftcp": ("paper", "structured"),
    "imatgen": (),
    "ccdcgan": ("paper", "compact"),
    "substitution": (),
    "prototype_enumeration": (),
    "random_pick": (),
    "pool": (),
    "random_symmetric": (),
    "genetic": (),
    "particle_swarm": (),
    "annealing": (),
    "minima_hopping": (),
    "bayesian": (),
}
NEEDS_CURVE: Final = frozenset({"dos_composer"})  # generators that learn from curves like the target's
MOST_COMPONENTS: Final = {"dos_composer": 2, "imatgen": 2}  # of generators that make fewer than a space may hold
TABULATED_PROTOTYPES: Final = frozenset({"dos_composer", "random_pick"})  # these decorate `PROTOTYPES` alone
STAGES: Final = ("composition", "rules", "geometry", "duplicates", "relaxation", "hull", "target")
DEFAULT_STAGES: Final = tuple(
    stage for stage in STAGES if stage != "rules"
)  # the composition stage asks for both rules
MODES: Final = ("rounds", "asynchronous")
SHARES: Final = ("all", "bandit")
SIZINGS: Final = ("fixed", "measured")
BASELINES: Final = ("random", "substitution")
TRAINERS: Final = ("campaign", "schedule")
STEPS: Final = ("retrain", "sample", "screen", "evaluate")  # what costs processor time
SURROGATES: Final = ("blend", "process", "trees", "networks", "composition_trees", "camd")
ACQUISITIONS: Final = (
    "probability", "expected_improvement", "upper_confidence_bound", "thompson", "hypervolume", "greedy", "random",
)  # fmt: skip
ENGINES: Final = tuple(engine.value for engine in Engine if engine is not Engine.EXTERNAL)
ENGINES_WITHOUT_DOS: Final = frozenset({Engine.CHGNET.value, Engine.CP2K.value})
NOT_GIVEN: Final[dict[str, frozenset[str]]] = dict.fromkeys(
    ENGINES_WITHOUT_DOS, frozenset({Property.BAND_GAP, Property.FERMI_LEVEL, Property.MAGNETIC_MOMENT})
)
"""Properties that an engine does not give."""
PROPERTIES: Final = tuple(
    name.value
    for name in (
        Property.ENERGY_PER_ATOM,
        Property.FORMATION_ENERGY_PER_ATOM,
        Property.ENERGY_ABOVE_HULL,
        Property.BAND_GAP,
        Property.FERMI_LEVEL,
        Property.MAGNETIC_MOMENT,
    )
)
CRYSTAL_SYSTEMS: Final = tuple(system.value for system in CrystalSystem)


def hint(value: str, known: Iterable[str], what: str) -> str:
    """What to say about an unknown name: the nearest known one, or all of them.

    Parameters
    ----------
    value
        What was written.
    known
        Names that would be right.
    what
        Kind of name, such as ``"generator"``.
    """
    names = list(known)
    lowered = {name.lower(): name for name in names}
    near = difflib.get_close_matches(value.lower(), list(lowered), n=1, cutoff=0.6)
    if near:
        return f"did you mean {lowered[near[0]]}?"
    return f"known {what}s are {', '.join(names)}." if names else f"there is no {what} to choose here."
