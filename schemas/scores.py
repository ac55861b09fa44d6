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


ONE, ENERGY, GAP = Unit.DIMENSIONLESS, Unit.EV_PER_ATOM, Unit.EV

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
    "predicted_score": Score("predicted score", ONE, "score that the funnel's last stage predicts, with all windows"),
    "predicted_score_std": Score("std of the predicted score", ONE, "standard deviation of the predicted score"),
    "predicted_similarity": Score("predicted similarity", ONE, "similarity of the curve that the surrogate predicts"),
    "predicted_similarity_std": Score(
        "std of the predicted similarity", ONE, "standard deviation of the predicted similarity"
    ),
    "predicted_energy_above_hull": Score(
        "predicted above hull", ENERGY, "energy above the hull that a trained ensemble predicts"
    ),
    "predicted_formation_energy_per_atom": Score(
        "predicted formation energy", ENERGY, "formation energy that a trained ensemble predicts"
    ),
    "predicted_energy_per_atom": Score("predicted energy", ENERGY, "energy that a trained ensemble predicts"),
    "predicted_band_gap": Score("predicted band gap", GAP, "band gap that a trained ensemble predicts"),
}
COMPUTED: Final[dict[str, Score]] = {
    "computed_score": Score("computed score", ONE, "score of the result"),
    "computed_similarity": Score("computed similarity", ONE, "similarity of the computed curve to the target's"),
    "computed_energy_above_hull": Score("computed above hull", ENERGY, "energy above the hull by the engine"),
    "computed_formation_energy_per_atom": Score("computed formation energy", ENERGY, "formation energy by the engine"),
    "computed_energy_per_atom": Score("computed energy", ENERGY, "energy by the engine"),
    "computed_band_gap": Score("computed band gap", GAP, "band gap by the engine"),
}
SCORES: Final[dict[str, Score]] = {**PLAIN, **POTENTIAL, **PREDICTED, **COMPUTED}
"""Numbers of `Candidate.scores`; beside them stands `HIT`, whether an evaluated candidate is what was looked for."""

BEST_HIGH: Final = frozenset(name for name in SCORES if name.endswith(("score", "similarity")))
"""Of which more is better."""
