"""What a hit is, and why a candidate is none, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fermiloop.platform.campaign import goal
from fermiloop.schemas.scores import PLAIN
from fermiloop.schemas.vocabulary import Unit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fermiloop.platform.representations.conditions import Condition
    from fermiloop.platform.representations.training import Target

NAMES = {"energy_above_hull": "energy above the hull"}
"""Properties whose heading in tables is shorter than a sentence bears."""


def definition(target: Target, computed_by: str = "") -> str:
    """What a hit is: ``cosine ≥ 0.9 and energy above the hull ≤ 0.1 eV/atom by gpaw``.

    Parameters
    ----------
    computed_by
        Engine and Method that give the values.
    """
    wishes = [f"{one.property} {one.direction}d" for one in goal.objectives(target)]
    if not goal.has_hits(target):
        return f"nothing is a hit: the target is {' and '.join(wishes)}, without a bound"
    parts = [f"cosine ≥ {target.hit_similarity:g}"] if target.curve is not None else []
    parts += [_condition(one) for one in target.conditions if one.bounded]
    told = " and ".join(parts) + (f", by {computed_by}" if computed_by else "")
    return f"{told}; beyond that {', '.join(wishes)}" if wishes else told


def missed(target: Target, computed: Mapping[str, float]) -> tuple[str, ...]:
    """Conditions that an evaluated candidate does not meet, a clause each; none of a hit."""
    found = []
    if target.curve is not None and not computed.get(goal.CURVE, 0.0) >= target.hit_similarity:
        found.append(f"cosine {computed.get(goal.CURVE, 0.0):.3f} < {target.hit_similarity:g}")
    for one in target.conditions:
        value = computed.get(one.property, np.nan)
        if one.bounded and not one.met(value):
            name = _name(one.property)
            found.append(f"{name} is not known" if np.isnan(value) else f"{name} {_outside(one, value)}")
    return tuple(found)


def _name(name: str) -> str:
    return NAMES.get(name) or (PLAIN[name].label if name in PLAIN else name)


def _unit(name: str) -> str:
    unit = PLAIN[name].unit if name in PLAIN else Unit.DIMENSIONLESS
    return "" if unit == Unit.DIMENSIONLESS else f" {unit}"


def _condition(one: Condition) -> str:
    name, unit = _name(one.property), _unit(one.property)
    if one.two_sided:
        return f"{name} {one.low:g} to {one.high:g}{unit}"
    return f"{name} ≤ {one.high:g}{unit}" if np.isfinite(one.high) else f"{name} ≥ {one.low:g}{unit}"


def _outside(one: Condition, value: float) -> str:
    bound, sign = (one.high, ">") if value > one.high else (one.low, "<")
    return f"{value:.3f} {sign} {bound:g}{_unit(one.property)}"
