"""Densities of states of other codes, brought onto the even grid that spectra are stored on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import cumulative_trapezoid

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.spectrum import DOS_GRID, check_curve

STEP: Final = 0.05  # eV
REACH: Final = 10.0  # eV on either side of the Fermi level
MOST_POINTS: Final = 200_000


def on_even_grid(energies: Any, densities: Sequence[Any], fermi: float) -> tuple[NDArray[np.float64], NDArray[Any]]:
    """A density of states about its Fermi level, averaged over each step so that no peak and no state is lost.

    `energies` (m,) rise, in eV; `densities` holds one (m,) curve for each spin, in states/eV/cell.

    Returns
    -------
    energies, density
        (n,) eV about the Fermi level in steps of 0.05 eV, (n,) states/eV/cell.

    Raises
    ------
    InputError
        If it is no curve, or does not reach as far as densities of states are compared.
    """
    try:
        x = np.asarray(energies, dtype=float) - float(fermi)
        y = np.sum([np.asarray(one, dtype=float) for one in densities], axis=0)
    except (TypeError, ValueError):
        raise InputError("The density of states is no list of numbers.") from None
    if x.ndim != 1 or x.size > MOST_POINTS:
        raise InputError(f"The density of states has {x.shape} points, of at most {MOST_POINTS}.")
    check_curve(x, np.atleast_1d(y))
    first = max(int(np.ceil(x[0] / STEP + 0.5)), -round(REACH / STEP))
    last = min(int(np.floor(x[-1] / STEP - 0.5)), round(REACH / STEP))
    points = STEP * np.arange(first, last + 1, dtype=np.float64)
    if not points.size or points[0] > DOS_GRID.lo + 1e-6 or points[-1] < DOS_GRID.hi - 1e-6:
        raise InputError(
            f"The density of states covers {x[0]:.2f} to {x[-1]:.2f} eV about the Fermi level, "
            f"but {DOS_GRID.lo:g} to {DOS_GRID.hi:g} eV is needed."
        )
    states = cumulative_trapezoid(y, x, initial=0.0)
    edges = np.append(points - STEP / 2, points[-1] + STEP / 2)
    return points, np.diff(np.interp(edges, x, states)) / STEP
