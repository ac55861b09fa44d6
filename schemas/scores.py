"""Every number that is said of a candidate: one name, one meaning, wherever it is shown or asked for.

A name says where its value comes from: ``potential_`` (the funnel's cheap potential), ``predicted_`` (a surrogate that
was trained) or ``computed_`` (the campaign's engine). A name without one of these is the best that is known: what was
computed, once the candidate is evaluated, and what the potential or the surrogate says before that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fermiloop.platform.plugins.properties import Derived, PropertyDeclaration
from fermiloop.schemas.vocabulary import Unit

HIT: Final = "hit"
GENERATOR: Final = "generator_score"  # how the field `Candidate.score` is shown


@dataclass(frozen=True)
class Score:
    """How a value is headed, in which unit it is, and what it says."""

    label: str
    unit: str
    meaning: str

    @property
    def heading(self) -> str:
        """Label with the unit, where there is one."""
        return self.label if self.unit == Unit.DIMENSIONLESS else f"{self.label} ({self.unit})"

    @property
    def title(self) -> str:
        """Heading that begins with a capital."""
        return self.heading[:1].upper() + self.heading[1:]


ONE, ENERGY = Unit.DIMENSIONLESS, Unit.EV_PER_ATOM
Declared = Sequence[PropertyDeclaration]

POTENTIAL: Final[dict[str, Score]] = {
    "potential_energy_above_hull": Score(
        "above hull by the potential", ENERGY, "energy above the hull by the funnel's potential"
    ),
    "potential_formation_energy_per_atom": Score(
        "formation energy by the potential", ENERGY, "formation energy by the funnel's potential"
    ),
    "potential_energy_per_atom": Score("energy by the potential", ENERGY, "energy by the funnel's potential"),
}
STABILITY: Final = ("energy_above_hull", "formation_energy_per_atom", "energy_per_atom")
"""What the potential tells too, in the order of tables."""


def _learned(declared: Declared) -> list[PropertyDeclaration]:
    """Properties that are said of candidates: those of stability first."""
    known = {one.name: one for one in declared if one.learned}
    first = [known.pop(name) for name in STABILITY if name in known]
    return [*first, *known.values()]


def _plain(declared: Declared) -> dict[str, Score]:
    """The best that is known of a candidate."""
    before = dict.fromkeys(STABILITY, "by the potential")
    told = "how well the target is met, 0 to 1: computed once evaluated, predicted before"
    curve = "cosine similarity of the curve to the target's: computed once evaluated, predicted before"
    return {
        "score": Score("score", ONE, told),
        "similarity": Score("similarity", ONE, curve),
        **{
            one.name: Score(
                one.title,
                one.unit,
                f"{one.description or one.title}: computed once evaluated, {before.get(one.name, 'predicted')} before",
            )
            for one in _learned(declared)
        },
    }


def _predicted(declared: Declared) -> dict[str, Score]:
    """What was predicted, each with its standard deviation."""
    found = {
        "predicted_score": Score("predicted score", ONE, "expected score, with all conditions, of what is predicted"),
        "predicted_score_std": Score("std of the predicted score", ONE, "standard deviation of the predicted score"),
        "predicted_probability": Score("probability of a hit", ONE, "probability that all conditions of a hit are met"),
        "predicted_similarity": Score(
            "predicted similarity", ONE, "similarity of the curve that the surrogate predicts"
        ),
        "predicted_similarity_std": Score(
            "std of the predicted similarity", ONE, "standard deviation of the predicted similarity"
        ),
    }
    for one in _learned(declared):
        about = (
            f"{one.title} as the engine would give it, by the surrogate, or by the potential where that is the surer"
        )
        std = f"standard deviation of the predicted {one.title}"
        found[f"predicted_{one.name}"] = Score(f"predicted {one.title}", one.unit, about)
        found[f"predicted_{one.name}_std"] = Score(f"std of the predicted {one.title}", one.unit, std)
    return found


def _computed(declared: Declared) -> dict[str, Score]:
    """What the evaluation gave."""
    return {
        "computed_score": Score("computed score", ONE, "score of the result"),
        "computed_similarity": Score("computed similarity", ONE, "similarity of the computed curve to the target's"),
        **{
            f"computed_{one.name}": Score(
                f"computed {one.title}", one.unit, f"{one.description or one.title}, by the engine"
            )
            for one in _learned(declared)
        },
    }


def _all(declared: Declared) -> dict[str, Score]:
    return {**_plain(declared), **POTENTIAL, **_predicted(declared), **_computed(declared)}


PLAIN: Final = Derived(_plain)
PREDICTED: Final = Derived(_predicted)
COMPUTED: Final = Derived(_computed)
SCORES: Final = Derived(_all)
"""Numbers of `Candidate.scores`; beside them stands `HIT`, whether an evaluated candidate is what was looked for."""


def better_high(name: str) -> bool:
    """Whether more of a score is better."""
    return name.endswith(("score", "similarity", "probability"))
