"""What a density of states must be, whatever file it came from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from fermiloop.platform.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

MOST_POINTS: Final = 200_000
NEGATIVE_SHARE: Final = 1e-3  # of the highest value: ringing of an interpolation, not a wrong curve
ARTEFACT: Final = 500.0  # one value is so many times all that are not beside it
LARGEST_STEP: Final = 1.0  # eV; a band is not drawn by less


def check_density(x: Array, y: Array) -> None:
    """Refuse what is no density of states.

    Raises
    ------
    InputError
        If it has too few or too many points, a number is not finite, energies do not rise, or the values are all 0, all
        negative, negative in part, or next to nothing but one artefact.
    """
    problem = density_problem(x, y)
    if problem:
        raise InputError(f"This is no density of states: {problem}.")


def density_problem(x: Array, y: Array) -> str | None:
    """What is wrong with a density of states, or nothing; no full stop at the end."""
    if len(x) < 2 or len(x) > MOST_POINTS:
        return f"it has {len(x)} points, where 2 to {MOST_POINTS} are expected"
    return point_problem(x, y) or value_problem(x, y)


def point_problem(x: Array, y: Array, axis: str = "energies") -> str | None:
    """Which point of a curve is not finite, or does not come after the one before; no full stop at the end."""
    for name, column in ((axis, x), ("values", y)):
        bad = np.flatnonzero(~np.isfinite(column))
        if bad.size:
            return f"{name}[{bad[0]}] is {column[bad[0]]}, but every number must be finite"
    falls = np.flatnonzero(np.diff(x) <= 0)
    if falls.size:
        at = int(falls[0])
        return f"{axis} must rise, but {axis}[{at + 1}] is {x[at + 1]:g} after {x[at]:g}"
    return None


def value_problem(x: Array, y: Array) -> str | None:
    """What is wrong with the values alone."""
    highest = float(np.abs(y).max())
    if highest == 0.0:
        return "its values are all 0"
    if y.max() <= 0.0:
        return "all its values are negative, as one spin is drawn below the axis; give both spins"
    if y.min() < -NEGATIVE_SHARE * highest:
        at = int(y.argmin())
        return f"the value at {x[at]:g} eV is {y[at]:g}, but a density of states is not negative"
    peak = int(y.argmax())
    others = np.delete(y, np.arange(max(0, peak - 1), min(len(y), peak + 2)))
    if len(y) >= 10 and others.max(initial=0.0) * ARTEFACT < y[peak]:
        return f"the value {y[peak]:g} at {x[peak]:g} eV is more than {ARTEFACT:g} times all others, as an artefact is"
    return None


def step_problem(x: Array, lo: float, hi: float) -> str | None:
    """Whether points lie too far apart inside a window, eV; no full stop at the end."""
    inside = (x[:-1] < hi) & (x[1:] > lo)
    widest = float(np.diff(x)[inside].max(initial=0.0))
    if widest > LARGEST_STEP + 1e-9:
        return f"its points lie up to {widest:g} eV apart, but the largest step allowed is {LARGEST_STEP:g} eV"
    return None
