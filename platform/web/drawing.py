"""A curve that was drawn or pasted into a page, as the numbers of a search."""

from __future__ import annotations

import re
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fermiloop.platform.campaign.curve_file import curve_problem
from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.curve_files.registry import lowered, read_curve_text
from fermiloop.platform.representations.spectrum import DOS_GRID, SpectrumGrid
from fermiloop.schemas.vocabulary import Alignment

MOST_POINTS: Final = 20_000
NUMBER: Final = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")

Curve = tuple[NDArray[np.float64], NDArray[np.float64]]


def of_paste(given: str, alignment: Alignment = Alignment.MIDGAP) -> tuple[Curve, tuple[str, ...]]:
    """Energies (eV about zero) and values of the pasted content of a file of any known form, and how it was read.

    Raises
    ------
    InputError
        If it is no density of states.
    """
    if not given.strip():
        raise InputError("The pasted curve is empty; paste two columns, energy and density.")
    try:
        found = read_curve_text(given)
    except InputError as error:
        raise InputError(f"The pasted curve cannot be used: {lowered(str(error))}") from None
    if len(found.energies) > MOST_POINTS:
        raise InputError(f"The pasted curve has more than {MOST_POINTS} points; give fewer.")
    zeroed = found.about(alignment)
    said = (*found.remarks, *([zeroed.remark] if zeroed.remark else []))
    return (zeroed.energies, found.density), said


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


def on_grid(curve: Curve, window: tuple[float, float], *, drawn: bool = True) -> NDArray[np.float64]:
    """(151,) values on the grid of densities of states, 0 outside the window.

    Points of a curve that was `drawn` may lie far apart.

    Raises
    ------
    InputError
        If the window is invalid, or the curve does not cover it.
    """
    lo, hi = window
    if not DOS_GRID.lo <= lo < hi <= DOS_GRID.hi or hi - lo < 5 * DOS_GRID.step:
        raise InputError(
            f"The window goes from {lo:g} to {hi:g} eV, but must rise by at least {5 * DOS_GRID.step:g} eV within "
            f"{DOS_GRID.lo:g} to {DOS_GRID.hi:g} eV."
        )
    energies, values = curve
    part = SpectrumGrid(lo, hi, max(2, round((hi - lo) * 10) + 1))
    problem = curve_problem(energies, values, part, drawn=drawn)
    if problem:
        raise InputError(f"The curve cannot be used: {problem}.")
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
