"""What is asked of one property: a window, a bound, or as little or as much of it as possible."""

from __future__ import annotations

import builtins
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from fermiloop.platform.errors import InputError
from fermiloop.platform.plugins.properties import PROPERTIES

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

MINIMISE: Final = "minimise"
MAXIMISE: Final = "maximise"


@dataclass(frozen=True)
class Condition:
    """What is asked of one property, in its unit.

    Parameters
    ----------
    property
        Its name.
    low, high
        Values that count, either of them infinite; both for an objective that no bound is set for.
    direction
        ``"minimise"`` or ``"maximise"`` for an objective, empty for a condition alone.
    """

    property: str
    low: float = -np.inf
    high: float = np.inf
    direction: str = ""

    def __post_init__(self) -> None:
        if self.direction not in {"", MINIMISE, MAXIMISE}:
            raise InputError(f"{self.property} may be minimised or maximised, not {self.direction!r}.")
        if np.isnan([self.low, self.high]).any() or not self.low <= self.high:
            raise InputError(f"{self.property} must lie between two numbers that rise, not {self.low} and {self.high}.")
        if not (self.bounded or self.direction):
            raise InputError(f"The condition on {self.property} needs a bound, or must be minimised or maximised.")

    @builtins.property  # the field of that name hides the plain one
    def bounded(self) -> bool:
        """Whether values count as a hit, or not."""
        return bool(np.isfinite(self.low) or np.isfinite(self.high))

    @builtins.property
    def two_sided(self) -> bool:
        """Whether both bounds are finite."""
        return bool(np.isfinite(self.low) and np.isfinite(self.high))

    @builtins.property
    def scale(self) -> float:
        """Distance outside of the bounds that halves the score: half the width of a window, else of its declaration."""
        if self.two_sided and self.high > self.low:
            return (self.high - self.low) / 2
        return PROPERTIES[self.property].scale if self.property in PROPERTIES else 1.0

    @builtins.property
    def value(self) -> float:
        """What to aim at: the middle of a window, one scale inside of a bound, or the end of an objective's range."""
        if self.two_sided:
            return (self.low + self.high) / 2
        if self.bounded:
            return self.high - self.scale if np.isfinite(self.high) else self.low + self.scale
        lowest, highest = aim_of(self.property)
        return lowest if self.direction == MINIMISE else highest

    @builtins.property
    def tolerance(self) -> float:
        """How far from `value` still counts, at least, for what aims at a value."""
        return self.scale

    @builtins.property
    def upwards(self) -> bool:
        """Of what is not a window, whether more is better."""
        return self.direction == MAXIMISE or (not self.direction and not np.isfinite(self.high))

    def aside(self, values: ArrayLike) -> Array:
        """(n,) distance from `value` in scales; of what is not a window, 0 for everything beyond it. NaN stays."""
        off = (np.asarray(values, dtype=float) - self.value) / self.scale
        return np.abs(off) if self.two_sided else np.maximum(-off if self.upwards else off, 0.0)

    def met(self, values: ArrayLike) -> NDArray[np.bool_]:
        """(n,) whether values lie within the bounds; NaN does not."""
        found = np.asarray(values, dtype=float)
        return np.asarray((found >= self.low) & (found <= self.high))

    def beyond(self, values: ArrayLike) -> Array:
        """(n,) distance from the nearest value that counts, in scales, 0 within; NaN stays.

        For an objective without bounds it is the distance to its aim, 0 beyond that.
        """
        found = np.asarray(values, dtype=float)
        low, high = self.low, self.high
        if not self.bounded:
            low, high = (-np.inf, self.value) if self.direction == MINIMISE else (self.value, np.inf)
        return np.maximum(np.maximum(low - found, found - high), 0.0) / self.scale


def aim_of(name: str) -> tuple[float, float]:
    """Lowest and highest value worth aiming at where a property is to be minimised or maximised."""
    return PROPERTIES[name].aim if name in PROPERTIES else (-1.0, 1.0)


class PropertyWindow(Condition):
    """The usual condition: a value, give or take a tolerance.

    Parameters
    ----------
    property
        Its name.
    value, tolerance
        In its unit.
    """

    def __init__(self, property: str, value: float, tolerance: float) -> None:  # noqa: A002  (as the field is named)
        super().__init__(property, value - tolerance, value + tolerance)
