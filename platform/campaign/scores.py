"""What is known of a candidate, by the names of `fermiloop.schemas.scores`: nothing else makes these names.

The names without a source are written beside the others, so that the database filters and sorts by them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fermiloop.platform.plugins.properties import Derived
from fermiloop.schemas.scores import COMPUTED, HIT, PLAIN, POTENTIAL, PREDICTED, STABILITY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fermiloop.platform.plugins.properties import PropertyDeclaration


def _funnel(declared: Sequence[PropertyDeclaration]) -> dict[str, str]:
    asked = ("similarity", *(one.name for one in declared if one.learned))
    return {
        **{name: f"potential_{name}" for name in STABILITY},
        **{f"{name}_mean": f"predicted_{name}" for name in asked},
        **{f"{name}_std": f"predicted_{name}_std" for name in asked},
    }


FUNNEL: Final = Derived(_funnel)
"""Names within the funnel to those of a candidate."""
FUNNEL_OF_BEFORE: Final = {
    **{name: now for name, now in FUNNEL.items() if not name.endswith("_std") or name == "similarity_std"},
    "score_mean": "predicted_score",
    "score_std": "predicted_score_std",
}
"""The same when the funnel still scored."""

FORMER: Final = {"similarity_mean": "predicted_score", "similarity_std": "predicted_score_std"}
FORMER_SIMILARITIES: Final = ("dos_similarity", "xrd_similarity")


def predicted(funnel: Mapping[str, float]) -> dict[str, float]:
    """What the funnel gave, by its own names, under those of a candidate."""
    return {FUNNEL[name]: float(value) for name, value in funnel.items() if name in FUNNEL}


def screened(known: Mapping[str, float]) -> dict[str, Any]:
    """All scores of a candidate that went through the funnel, of those that bear their source."""
    return _whole(known, None)


def evaluated(known: Mapping[str, Any], computed: Mapping[str, float], *, hit: bool) -> dict[str, Any]:
    """Scores of a candidate that was evaluated.

    Parameters
    ----------
    known
        Its scores before, or by an evaluation that this one takes the place of.
    computed
        What the engine gave, by the names without a source; among them ``score``.
    hit
        Whether it is what was looked for.
    """
    return {**_whole(known, computed), HIT: hit}


def computed_part(scores: Mapping[str, Any]) -> dict[str, Any]:
    """What an evaluation gave, and whether it is a hit."""
    return {name: value for name, value in scores.items() if name in COMPUTED or name == HIT}


def renamed(
    former: Mapping[str, Any], *, curve_alone: bool = False, energy_per_atom: float | None = None
) -> dict[str, Any]:
    """Scores under the names of now, of a candidate that was stored before every value bore its source.

    Parameters
    ----------
    former
        As stored; scores that bear their source already come back as they are.
    curve_alone
        Whether the target was a curve without windows, so that the predicted score was the predicted similarity.
    energy_per_atom
        Computed, eV; it stood with the calculation alone.
    """
    if not former or any(name in POTENTIAL or name in PREDICTED or name == "computed_score" for name in former):
        return dict(former)
    before = FUNNEL_OF_BEFORE
    known = {before[name]: former[name] for name in before if name in former and name not in FORMER}
    known |= {name: former[old] for old, name in FORMER.items() if old in former}
    if curve_alone:
        known |= {FUNNEL[old]: former[old] for old in FORMER if old in former}
    if "score" not in former:
        return _whole(known, None)
    computed = {"score": former["score"]}
    similar = [former[name] for name in FORMER_SIMILARITIES if name in former]
    computed |= {"similarity": similar[0]} if similar else {}
    computed |= {name: former[f"computed_{name}"] for name in PLAIN if f"computed_{name}" in former}
    if energy_per_atom is not None:
        computed["energy_per_atom"] = energy_per_atom
    return evaluated(known, computed, hit=bool(former.get(HIT)))


def _whole(known: Mapping[str, Any], computed: Mapping[str, float] | None) -> dict[str, Any]:
    """All names; before an evaluation a plain name is the potential's or the surrogate's value, after it the computed.

    What an evaluation did not give has no plain name then: nobody takes the potential's value for a computed one.
    """
    before = {name: value for name, value in known.items() if name in POTENTIAL or name in PREDICTED}
    if computed is None:
        predicted = {name: before[f"predicted_{name}"] for name in PLAIN if f"predicted_{name}" in before}
        cheap = {name: before[f"potential_{name}"] for name in PLAIN if f"potential_{name}" in before}
        return {**predicted, **cheap, **before}
    return {
        **{name: computed[name] for name in PLAIN if name in computed},
        **before,
        **{f"computed_{name}": computed[name] for name in PLAIN if name in computed},
    }
