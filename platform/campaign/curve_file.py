"""A curve from a file: two columns of text, or JSON with ``energies`` (or ``angles``) and ``values``."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.spectrum import DOS_GRID

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from fermiloop.platform.representations.spectrum import SpectrumGrid

MOST_BYTES: Final = 10_000_000
NEGATIVE_SHARE: Final = 1e-3  # of the highest value: ringing of an interpolation, not a wrong curve


def read_curve(
    path: Path, grid: SpectrumGrid = DOS_GRID, axis: str = "energies"
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The two columns of a file.

    Text has two columns, separated by blanks, commas, semicolons or tabs; lines that begin with ``#``
    and one heading line are passed over. JSON is ``{"energies": […], "values": […]}``.

    Parameters
    ----------
    path
        The file.
    grid
        What the curve must cover.
    axis
        Name of the first column: ``energies`` of a density of states, ``angles`` of a diffraction pattern.

    Returns
    -------
    x, values
        (n,) in the grid's unit, for a density of states eV about the Fermi level; and (n,) in any normalisation.

    Raises
    ------
    InputError
        If the file is missing, no text, no curve, or does not cover the grid.
    """
    text = _text(path)
    is_json = text.lstrip().startswith(("{", "["))
    energies, values = _from_json(path, text, axis) if is_json else _from_columns(path, text)
    problem = curve_problem(energies, values, grid, axis)
    if problem:
        raise InputError(f"The curve file {path} does not hold: {problem}.")
    return np.asarray(energies, dtype=float), np.asarray(values, dtype=float)


def curve_problem(
    points: Sequence[float], values: Sequence[float], grid: SpectrumGrid = DOS_GRID, axis: str = "energies"
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
    """
    x, y = np.asarray(points, dtype=float), np.asarray(values, dtype=float)
    if len(x) != len(y):
        return f"{axis} has {len(x)} numbers and values has {len(y)}, but both need as many"
    if len(x) < 2:
        return f"a curve needs at least 2 points, not {len(x)}"
    for name, column in ((axis, x), ("values", y)):
        bad = np.flatnonzero(~np.isfinite(column))
        if bad.size:
            return f"{name}[{bad[0]}] is {column[bad[0]]}, but every number must be finite"
    falls = np.flatnonzero(np.diff(x) <= 0)
    if falls.size:
        at = int(falls[0])
        return f"{axis} must rise, but {axis}[{at + 1}] is {x[at + 1]:g} after {x[at]:g}"
    if x[0] > grid.lo + 1e-6 or x[-1] < grid.hi - 1e-6:
        return f"{axis} cover {x[0]:g} to {x[-1]:g} {grid.unit}, but must cover {grid.lo:g} to {grid.hi:g} {grid.unit}"
    if y.min() < -NEGATIVE_SHARE * abs(y.max()):
        return f"values[{int(y.argmin())}] is {y.min():g}, but such a curve is not negative"
    if not (grid.resample(x, y) > 0).any():
        return f"the values are all 0 between {grid.lo:g} and {grid.hi:g} {grid.unit}, so nothing can be like them"
    return None


def _text(path: Path) -> str:
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a file with a curve in it.")
    if not path.exists():
        raise InputError(f"There is no curve file {path}; check the path.")
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InputError(f"The curve file {path} is larger than {MOST_BYTES} bytes; a curve needs far less.")
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"The curve file {path} is no text in UTF-8; give CSV text or JSON.") from None
    except OSError as error:
        raise InputError(f"The curve file {path} cannot be read ({error.strerror}); check its permissions.") from None
    if "\0" in text:
        raise InputError(f"The curve file {path} is binary; give CSV text or JSON.")
    if not text.strip():
        raise InputError(
            f"The curve file {path} is empty; it needs two columns, such as energy in eV and density of states."
        )
    return text


def _from_json(path: Path, text: str, axis: str) -> tuple[list[float], list[float]]:
    try:
        tree = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        raise InputError(f"The curve file {path} is not valid JSON at line {line}; check it.") from None
    if not isinstance(tree, dict) or not {axis, "values"} <= tree.keys():
        raise InputError(f'The curve file {path} must hold {{"{axis}": […], "values": […]}}, with both keys.')
    return _numbers(path, axis, tree[axis]), _numbers(path, "values", tree["values"])


def _numbers(path: Path, key: str, row: Any) -> list[float]:
    if not isinstance(row, list):
        raise InputError(f"The curve file {path} has under {key!r} no list of numbers; give one.")
    for number, value in enumerate(row):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InputError(f"The curve file {path} has {value!r} as {key}[{number}], where a number must be.")
    return [float(value) for value in row]


def _from_columns(path: Path, text: str) -> tuple[list[float], list[float]]:
    energies: list[float] = []
    values: list[float] = []
    headed = False
    for number, line in enumerate(text.splitlines(), start=1):
        words = [word for word in re.split(r"[\s,;]+", line.split("#")[0]) if word]
        if not words:
            continue
        if not energies and not headed and not any(_is_number(word) for word in words):
            headed = True
            continue
        if len(words) != 2:
            raise InputError(
                f"Line {number} of {path} has {len(words)} columns; it needs 2, such as energy and density."
            )
        wrong = next((word for word in words if not _is_number(word)), None)
        if wrong is not None:
            raise InputError(f"Line {number} of {path} has {wrong[:40]!r} where a number must be.")
        energies.append(float(words[0]))
        values.append(float(words[1]))
    if not energies:
        raise InputError(f"The curve file {path} holds no numbers; it needs two columns, such as energy and density.")
    return energies, values


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
