"""What a hit is: the one definition, by which hits are told, predicted, counted and put into words.

A hit meets every requirement of its target: the curve is as similar as asked, and each bounded property, stability
among them, lies within its bounds. An objective asks for no bound, so a target of objectives alone has no hits. What an
evaluation did not give is not met. To change what a hit is, change `requirements`: everything else here follows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from fermiloop.platform.predictors.surrogates.protocol import SIMILARITY
from fermiloop.platform.representations.conditions import Condition
from fermiloop.schemas.scores import PLAIN
from fermiloop.schemas.vocabulary import Unit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from fermiloop.platform.representations.training import Target

    Array = NDArray[np.float64]
    Predictions = Mapping[str, tuple[Array, Array]]

CERTAIN: Final = 1e-12  # standard deviation below which a prediction counts as exact
NAMES: Final = {SIMILARITY: "cosine", "energy_above_hull": "energy above the hull"}
"""What is called otherwise in a sentence than at the head of a table."""


def requirements(target: Target) -> tuple[Condition, ...]:
    """What a hit must meet; none where the target says nothing of hits."""
    if not are_defined(target.curve, target.windows):
        return ()
    curve = () if target.curve is None else (Condition(SIMILARITY, low=target.hit_similarity),)
    return (*curve, *(one for one in target.conditions if one.bounded))


def are_defined(curve: object, named: Sequence[Condition]) -> bool:
    """Whether a target says what a hit is: by a curve, or by a bound of a property that it names."""
    return curve is not None or any(one.bounded for one in named)


def is_hit(target: Target, computed: Mapping[str, float]) -> bool:
    """Whether an evaluated candidate, or a material with labels, is what is looked for.

    Parameters
    ----------
    computed
        Similarity and properties to what was computed; what is missing or NaN was not.
    """
    asked = requirements(target)
    return bool(asked) and all(one.met(computed.get(one.property, np.nan)) for one in asked)


def probability(target: Target, told: Predictions) -> Array:
    """(n,) of a hit: the product over the parts that it asks for, 0 where it asks for none.

    Parameters
    ----------
    told
        Similarity and properties to mean and standard deviation, (n,) each. Where one is NaN, it counts as likely as
        for the others; one that is NaN for all is left out.
    """
    n = len(next(iter(told.values()))[0]) if told else 0
    asked = requirements(target)
    found = np.ones(n) if asked else np.zeros(n)
    for name, (mean, std) in told.items():
        bounds = [one for one in asked if one.property == name]
        if bounds:
            own = _within(mean, std, max(one.low for one in bounds), min(one.high for one in bounds))
            usual = float(np.nanmean(own)) if np.isfinite(own).any() else 1.0
            found *= np.where(np.isnan(own), usual, own)
    return found


def definition(target: Target, computed_by: str = "") -> str:
    """What a hit is, in words: ``cosine ≥ 0.9 and energy above the hull ≤ 0.1 eV/atom, by gpaw``.

    Parameters
    ----------
    computed_by
        Engine and Method that give the values.
    """
    asked = requirements(target)
    wishes = [f"{one.property} {one.direction}d" for one in target.conditions if one.direction]
    if not asked:
        return f"nothing is a hit: the target is {' and '.join(wishes)}, without a bound"
    told = " and ".join(_asked(one) for one in asked) + (f", by {computed_by}" if computed_by else "")
    return f"{told}; beyond that {', '.join(wishes)}" if wishes else told


def missed(target: Target, computed: Mapping[str, float], why: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """What an evaluated candidate does not meet, a clause each; none of a hit.

    Parameters
    ----------
    why
        Why the evaluation did not give a property, by its name, where the engine says so.
    """
    found = [(one, computed.get(one.property, np.nan)) for one in requirements(target)]
    return tuple(_outside(one, value, (why or {}).get(one.property)) for one, value in found if not one.met(value))


def _within(mean: Array, std: Array, low: float, high: float) -> Array:
    """(n,) P(low <= x <= high) of normal distributions, 0 or 1 where they have no width; NaN where unknown."""
    from scipy.special import ndtr  # half a second: many who read a target never ask

    exact = ~(std > CERTAIN)
    width = np.where(exact, 1.0, std)
    # of the two equal differences the one without cancellation
    left, right = (low - mean) / width, (high - mean) / width
    soft = np.where(left > 0, ndtr(-left) - ndtr(-right), ndtr(right) - ndtr(left))
    hard = ((mean >= low) & (mean <= high)).astype(float)
    return np.where(np.isnan(mean), np.nan, np.where(exact, hard, soft))


def _name(name: str) -> str:
    return NAMES.get(name) or (PLAIN[name].label if name in PLAIN else name)


def _unit(name: str) -> str:
    unit = PLAIN[name].unit if name in PLAIN else Unit.DIMENSIONLESS
    return "" if unit == Unit.DIMENSIONLESS else f" {unit}"


def _asked(one: Condition) -> str:
    name, unit = _name(one.property), _unit(one.property)
    if one.two_sided:
        return f"{name} {one.low:g} to {one.high:g}{unit}"
    return f"{name} ≤ {one.high:g}{unit}" if np.isfinite(one.high) else f"{name} ≥ {one.low:g}{unit}"


def _outside(one: Condition, value: float, why: str | None) -> str:
    if np.isnan(value):
        return f"{_name(one.property)} is not known{f': {why}' if why else ''}"
    bound, sign = (one.high, ">") if value > one.high else (one.low, "<")
    return f"{_name(one.property)} {value:.3f} {sign} {bound:g}{_unit(one.property)}"
