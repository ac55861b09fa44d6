"""Every number that is said of a candidate: one name, one meaning, wherever it is shown or asked for.

A name says where its value comes from: ``potential_`` (the funnel's cheap potential), ``predicted_`` (a surrogate that
was trained) or ``computed_`` (the campaign's engine). A name without one of these is the best that is known: what was
computed, once the candidate is evaluated, and what the potential or the surrogate says before that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fermiloop.schemas.vocabulary import Unit

HIT: Final = "hit"
GENERATOR: Final = "generator_score"  # how the field `Candidate.score` is shown


@dataclass(frozen=True)
class Score:
    """How a value is headed, in which unit it is, and what it says."""

    label: str
    unit: Unit
    meaning: str

    @property
    def heading(self) -> str:
        """Label with the unit, where there is one."""
        return self.label if self.unit is Unit.DIMENSIONLESS else f"{self.label} ({self.unit})"

    @property
    def title(self) -> str:
        """Heading that begins with a capital."""
        return self.heading[:1].upper() + self.heading[1:]


ONE, ENERGY, GAP, MOMENT = Unit.DIMENSIONLESS, Unit.EV_PER_ATOM, Unit.EV, Unit.MU_B_PER_CELL

PLAIN: Final[dict[str, Score]] = {
    "score": Score("score", ONE, "how well the target is met, 0 to 1: computed once evaluated, predicted before"),
    "similarity": Score(
        "similarity", ONE, "cosine similarity of the curve to the target's: computed once evaluated, predicted before"
    ),
    "energy_above_hull": Score(
        "above hull", ENERGY, "energy above the convex hull: computed once evaluated, by the potential before"
    ),
    "formation_energy_per_atom": Score(
        "formation energy", ENERGY, "formation energy: computed once evaluated, by the potential before"
    ),
    "energy_per_atom": Score(
        "energy", ENERGY, "energy about the program's own zero: computed once evaluated, by the potential before"
    ),
    "band_gap": Score("band gap", GAP, "band gap, 0 of a metal: computed once evaluated, predicted before"),
    "magnetic_moment": Score(
        "magnetic moment", MOMENT, "magnetic moment of the stored cell: computed once evaluated, predicted before"
    ),
}


def _both(name: str, label: str, unit: Unit) -> dict[str, Score]:
    """A predicted property and its standard deviation."""
    about = f"{label} as the engine would give it, by the surrogate, or by the potential where that is the surer"
    return {
        f"predicted_{name}": Score(f"predicted {label}", unit, about),
        f"predicted_{name}_std": Score(
            f"std of the predicted {label}", unit, f"standard deviation of the predicted {label}"
        ),
    }


POTENTIAL: Final[dict[str, Score]] = {
    "potential_energy_above_hull": Score(
        "above hull by the potential", ENERGY, "energy above the hull by the funnel's potential"
    ),
    "potential_formation_energy_per_atom": Score(
        "formation energy by the potential", ENERGY, "formation energy by the funnel's potential"
    ),
    "potential_energy_per_atom": Score("energy by the potential", ENERGY, "energy by the funnel's potential"),
}
PREDICTED: Final[dict[str, Score]] = {
    "predicted_score": Score("predicted score", ONE, "expected score, with all conditions, of what is predicted"),
    "predicted_score_std": Score("std of the predicted score", ONE, "standard deviation of the predicted score"),
    "predicted_probability": Score("probability of a hit", ONE, "probability that all conditions of a hit are met"),
    "predicted_similarity": Score("predicted similarity", ONE, "similarity of the curve that the surrogate predicts"),
    "predicted_similarity_std": Score(
        "std of the predicted similarity", ONE, "standard deviation of the predicted similarity"
    ),
    **_both("energy_above_hull", "above hull", ENERGY),
    **_both("formation_energy_per_atom", "formation energy", ENERGY),
    **_both("energy_per_atom", "energy", ENERGY),
    **_both("band_gap", "band gap", GAP),
    **_both("magnetic_moment", "magnetic moment", MOMENT),
}
COMPUTED: Final[dict[str, Score]] = {
    "computed_score": Score("computed score", ONE, "score of the result"),
    "computed_similarity": Score("computed similarity", ONE, "similarity of the computed curve to the target's"),
    "computed_energy_above_hull": Score("computed above hull", ENERGY, "energy above the hull by the engine"),
    "computed_formation_energy_per_atom": Score("computed formation energy", ENERGY, "formation energy by the engine"),
    "computed_energy_per_atom": Score("computed energy", ENERGY, "energy by the engine"),
    "computed_band_gap": Score("computed band gap", GAP, "band gap by the engine"),
    "computed_magnetic_moment": Score("computed magnetic moment", MOMENT, "magnetic moment by the engine"),
}
SCORES: Final[dict[str, Score]] = {**PLAIN, **POTENTIAL, **PREDICTED, **COMPUTED}
"""Numbers of `Candidate.scores`; beside them stands `HIT`, whether an evaluated candidate is what was looked for."""

BEST_HIGH: Final = frozenset(name for name in SCORES if name.endswith(("score", "similarity", "probability")))
"""Of which more is better."""
