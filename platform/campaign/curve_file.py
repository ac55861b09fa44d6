"""What a curve must be to be a target, and the numbers of a curve file of either kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.curve_files import sanity
from fermiloop.platform.representations.curve_files.columns import table
from fermiloop.platform.representations.curve_files.json_curves import is_json, numbers, tree_of
from fermiloop.platform.representations.curve_files.registry import lowered
from fermiloop.platform.representations.curve_files.text import decoded, unpacked
from fermiloop.platform.representations.spectrum import DOS_GRID

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from fermiloop.platform.representations.curve_files.reading import Reading
    from fermiloop.platform.representations.spectral_search import Window
    from fermiloop.platform.representations.spectrum import SpectrumGrid
    from fermiloop.schemas.vocabulary import Alignment

    Array = NDArray[np.float64]

ENERGIES: Final = "energies"
"""Axis of a density of states, whose values and steps are looked at as well."""


def read_pattern(path: Path, axis: str) -> tuple[Array, Array]:
    """The two columns of a file of another curve than a density of states: text, or JSON.

    Parameters
    ----------
    path
        The file.
    axis
        Name of the first column: ``angles`` of a diffraction pattern.

    Returns
    -------
    x, values
        (n,) each, as the file has them.

    Raises
    ------
    InputError
        If the file is missing, no text, or no curve.
    """
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a file with a curve in it.")
    if not path.exists():
        raise InputError(f"There is no curve file {path}; check the path.")
    try:
        text = decoded(unpacked(path.read_bytes()))
        if is_json(text):
            tree = tree_of(text, axis)
            return numbers(axis, tree[axis]), numbers("values", tree["values"])
        found = _two_columns(text, axis)
    except InputError as error:
        raise InputError(f"The curve file {path} cannot be used: {lowered(str(error))}") from None
    except OSError as error:
        raise InputError(f"The curve file {path} cannot be read ({error.strerror}); check its permissions.") from None
    return found[:, 0], found[:, 1]


def _two_columns(text: str, axis: str) -> Array:
    found = table(text)[1]
    if found.shape[1] != 2:
        raise InputError(f"The table has {found.shape[1]} columns; it needs 2, such as {axis} and values.")
    return found


def compared(found: Reading, part: Window, alignment: Alignment) -> tuple[Array, tuple[str, ...]]:
    """A density of states on the whole grid, about the store's zero and 0 outside the part that is compared.

    Returns
    -------
    values, remarks
        (grid.n,), and what is to be told of how it was read, a sentence each.

    Raises
    ------
    InputError
        If it does not cover the part, or is too coarse or vanishes there.
    """
    zeroed = found.about(alignment)
    said = (*found.remarks, *([zeroed.remark] if zeroed.remark else []))
    problem = curve_problem(zeroed.energies, found.density, part.as_grid())
    if problem:
        raise InputError(after(problem, zeroed.remark))
    return part.whole(zeroed.energies, found.density), said


def after(problem: str, remark: str | None) -> str:
    """One sentence: what is wrong, and what was done to the energies before."""
    return f"{problem}." if remark is None else f"{problem}; {lowered(remark)}"


def curve_problem(
    points: Sequence[float] | Array,
    values: Sequence[float] | Array,
    grid: SpectrumGrid = DOS_GRID,
    axis: str = ENERGIES,
    *,
    drawn: bool = False,
) -> str | None:
    """What is wrong with a curve as a target, or nothing; no full stop at the end.

    Parameters
    ----------
    points
        (n,) in the grid's unit, for a density of states eV about the Fermi level.
    values
        (n,) in any normalisation.
    grid
        What the curve must cover.
    axis
        What the points are called.
    drawn
        Whether a person drew it, so that straight lines between distant points are meant.
    """
    x, y = np.asarray(points, dtype=float), np.asarray(values, dtype=float)
    problem = _no_curve(x, y, axis)
    if problem:
        return problem
    if x[0] > grid.lo + 1e-6 or x[-1] < grid.hi - 1e-6:
        return f"{axis} cover {x[0]:g} to {x[-1]:g} {grid.unit}, but must cover {grid.lo:g} to {grid.hi:g} {grid.unit}"
    if axis == ENERGIES:
        problem = sanity.value_problem(x, y) or (None if drawn else sanity.step_problem(x, grid.lo, grid.hi))
    elif y.min() < -sanity.NEGATIVE_SHARE * abs(y.max()):
        problem = f"values[{int(y.argmin())}] is {y.min():g}, but such a curve is not negative"
    if problem:
        return problem
    if not (grid.resample(x, y) > 0).any():
        return f"the values are all 0 between {grid.lo:g} and {grid.hi:g} {grid.unit}, so nothing can be like them"
    return None


def _no_curve(x: Array, y: Array, axis: str) -> str | None:
    if len(x) != len(y):
        return f"{axis} has {len(x)} numbers and values has {len(y)}, but both need as many"
    if len(x) < 2:
        return f"a curve needs at least 2 points, not {len(x)}"
    return sanity.point_problem(x, y, axis)
