"""Densities of states of other codes, about one zero, on the even grid that spectra are stored on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import cumulative_trapezoid

from fermiloop.db_init.importers.entries import Curve
from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.alignment import METAL, Edges, edges_about, zero_level
from fermiloop.platform.representations.spectrum import DOS_GRID, check_curve
from fermiloop.schemas.method import Method

STEP: Final = 0.05  # eV
REACH: Final = 10.0  # eV on either side of the Fermi level
MOST_POINTS: Final = 200_000


def curve_of(
    energies: Any, densities: Sequence[Any], fermi: float, method: Method, edges: Edges | None = None
) -> tuple[Curve, tuple[str, ...]]:
    """A density of states about the middle of its gap, or a metal's Fermi level, and what is to be said of it.

    Without band edges the gap is looked for in the curve, about the given level. Where the curve cannot say, it is kept
    about that level, and a remark says so.

    Parameters
    ----------
    energies
        (m,) rising, eV as the program counts.
    densities
        One (m,) curve for each spin, states/eV/cell.
    fermi
        Fermi level, eV as the program counts.
    method
        What made it.
    edges
        Band edges from eigenvalues, eV as the program counts; None where they are unknown.

    Raises
    ------
    InputError
        If it is no curve, or does not reach as far as densities of states are compared.
    """
    x, y, level = _arrays(energies, densities, fermi)
    remarks: tuple[str, ...] = ()
    if edges is None:
        try:
            edges = edges_about(x, y, level)
        except InputError as error:
            remarks = (f"The density of states is kept about the Fermi level as given: {error}",)
    points, density = on_even_grid(x, [y], level, edges)
    return Curve(points, density, method, None if edges is None else _width(edges)), remarks


def on_even_grid(
    energies: Any, densities: Sequence[Any], fermi: float, edges: Edges | None = None
) -> tuple[NDArray[np.float64], NDArray[Any]]:
    """A density of states about its zero, averaged over each step so that no peak and no state is lost.

    `energies` (m,) rise, in eV; `densities` holds one (m,) curve for each spin, in states/eV/cell. Zero is the middle
    of the gap where `edges` (eV as the program counts) have one, else the Fermi level.

    Returns
    -------
    energies, density
        (n,) eV about zero in steps of 0.05 eV, (n,) states/eV/cell.

    Raises
    ------
    InputError
        If it is no curve, or does not reach as far as densities of states are compared.
    """
    x, y, level = _arrays(energies, densities, fermi)
    x = x - (level if edges is None else zero_level(level, edges))
    below = REACH + (0.0 if edges is None else _width(edges) / 2)  # so that it reaches as far about the valence edge
    first = max(int(np.ceil(x[0] / STEP + 0.5)), -int(np.ceil(below / STEP)))
    last = min(int(np.floor(x[-1] / STEP - 0.5)), round(REACH / STEP))
    points = STEP * np.arange(first, last + 1, dtype=np.float64)
    if not points.size or points[0] > DOS_GRID.lo + 1e-6 or points[-1] < DOS_GRID.hi - 1e-6:
        raise InputError(
            f"The density of states covers {x[0]:.2f} to {x[-1]:.2f} eV about the Fermi level, "
            f"but {DOS_GRID.lo:g} to {DOS_GRID.hi:g} eV is needed."
        )
    states = cumulative_trapezoid(y, x, initial=0.0)
    bounds = np.append(points - STEP / 2, points[-1] + STEP / 2)
    return points, np.diff(np.interp(bounds, x, states)) / STEP


def gap_in(energies: NDArray[np.float64], density: Any) -> float | None:
    """Gap about zero that a curve shows, eV, 0 for a metal; None where it cannot say."""
    try:
        return _width(edges_about(energies, density, 0.0))
    except InputError:
        return None


def _width(edges: Edges) -> float:
    return edges.gap if edges.gap > METAL else 0.0


def _arrays(
    energies: Any, densities: Sequence[Any], fermi: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    try:
        x = np.asarray(energies, dtype=float)
        y = np.sum([np.asarray(one, dtype=float) for one in densities], axis=0)
        level = float(fermi)
    except (TypeError, ValueError):
        raise InputError("The density of states is no list of numbers.") from None
    if x.ndim != 1 or x.size > MOST_POINTS:
        raise InputError(f"The density of states has {x.shape} points, of at most {MOST_POINTS}.")
    check_curve(x - level, np.atleast_1d(y))
    return x, y, level
