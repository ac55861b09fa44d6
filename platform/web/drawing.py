"""A curve that was drawn or pasted into a page, as the numbers of a search."""

from __future__ import annotations

import re
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fermiloop.platform.campaign.curve_file import curve_problem
from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.spectrum import DOS_GRID, SpectrumGrid

MOST_POINTS: Final = 20_000
NUMBER: Final = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")

Curve = tuple[NDArray[np.float64], NDArray[np.float64]]


def of_paste(given: str) -> Curve:
    """Energies (eV) and values of two columns of text, sorted by energy; a heading and lines with # are passed over.

    Raises
    ------
    InputError
        If a line has not two numbers, or there are too few or too many.
    """
    rows: list[tuple[float, float]] = []
    for number, line in enumerate(given.splitlines()[: MOST_POINTS + 2], start=1):
        words = [word for word in re.split(r"[\s,;]+", line.partition("#")[0]) if word]
        try:
            values = [float(word) for word in words]
        except ValueError:
            if not rows:
                continue  # a heading
            raise InputError(f"Line {number} of the pasted curve, {line[:40]!r}, has no two numbers.") from None
        if values and len(values) != 2:
            raise InputError(
                f"Line {number} of the pasted curve has {len(values)} columns; it needs energy and density."
            )
        rows += [(values[0], values[1])] if values else []
    return _sorted(rows, "The pasted curve")


def of_shapes(change: Any) -> Curve | None:
    """Energies (eV) and values of the newest path drawn on a graph; None where none was.

    Parameters
    ----------
    change
        ``relayoutData`` of the graph.

    Raises
    ------
    InputError
        If it is too short to be a curve.
    """
    shapes = change.get("shapes") if isinstance(change, dict) else None
    paths = [one["path"] for one in shapes or [] if isinstance(one, dict) and isinstance(one.get("path"), str)]
    if isinstance(change, dict) and not paths:  # a drawn path that was moved afterwards
        paths = [value for key, value in change.items() if key.endswith(".path") and isinstance(value, str)]
    if not paths:
        return None
    found = [float(word) for word in NUMBER.findall(paths[-1])[: 2 * MOST_POINTS]]
    return _sorted(list(zip(found[::2], found[1::2], strict=False)), "The drawn curve")


def on_grid(curve: Curve, window: tuple[float, float]) -> NDArray[np.float64]:
    """(151,) values on the grid of densities of states, 0 outside the window.

    Raises
    ------
    InputError
        If the window does not hold, or the curve does not cover it.
    """
    lo, hi = window
    if not DOS_GRID.lo <= lo < hi <= DOS_GRID.hi or hi - lo < 5 * DOS_GRID.step:
        raise InputError(
            f"The window goes from {lo:g} to {hi:g} eV, but must rise by at least {5 * DOS_GRID.step:g} eV within "
            f"{DOS_GRID.lo:g} to {DOS_GRID.hi:g} eV."
        )
    energies, values = curve
    problem = curve_problem(energies.tolist(), values.tolist(), SpectrumGrid(lo, hi, max(2, round((hi - lo) * 10) + 1)))
    if problem:
        raise InputError(f"The curve does not hold: {problem}.")
    points = DOS_GRID.points
    inside = (points >= lo - 1e-6) & (points <= hi + 1e-6)
    return np.where(inside, np.clip(np.interp(points, energies, values), 0.0, None), 0.0)


def extent(curve: Curve) -> tuple[float, float]:
    """First and last grid point that a curve covers, eV."""
    covered = DOS_GRID.points[(DOS_GRID.points >= curve[0][0]) & (DOS_GRID.points <= curve[0][-1])]
    return (float(covered[0]), float(covered[-1])) if covered.size else (DOS_GRID.lo, DOS_GRID.hi)


def _sorted(rows: list[tuple[float, float]], what: str) -> Curve:
    """Rising energies; of several values at one energy the mean, as where a pen went back."""
    table = np.array(rows, dtype=float).reshape(-1, 2)
    if not np.isfinite(table).all():
        raise InputError(f"{what} holds NaN or infinity; give finite numbers alone.")
    energies, place = np.unique(table[:, 0], return_inverse=True)
    if len(energies) < 2:
        raise InputError(f"{what} has {len(energies)} energies; it needs at least 2.")
    if len(rows) > MOST_POINTS:
        raise InputError(f"{what} has more than {MOST_POINTS} points; give fewer.")
    sums = np.bincount(place, weights=table[:, 1])
    return energies, sums / np.bincount(place)
