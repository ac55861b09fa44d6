"""Phonon densities of states: from wavenumbers or single modes to states per THz and cell, and the imaginary ones.

A crystal of N atoms in its cell has 3N modes, so that the integral of its phonon density of states over all frequencies
is 3N. Imaginary frequencies, those of a crystal that is no minimum of its energy, are written as negative ones, as is
usual. Acoustic modes near the middle of the zone come out slightly imaginary by any force constants: what counts lies
below `SOFT`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.spectrum import check_curve

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

THZ_OF_WAVENUMBER: Final = 0.0299792458  # THz of 1 cm⁻¹: the speed of light
SOFT: Final = -20.0 * THZ_OF_WAVENUMBER  # THz; modes below are imaginary, and no noise
MOST_IMAGINARY: Final = 0.01  # share of the modes from which a crystal counts as unstable
JARVIS_WAVENUMBERS: Final = np.linspace(-300.0, 1000.0, 66)  # cm⁻¹, as inferred by the importer of these files
REACH: Final = 6.0  # standard deviations of a broadened mode
LINE: Final = 0.1  # THz between the points of a curve made of modes


def of_wavenumbers(wavenumbers: ArrayLike, values: ArrayLike, n_sites: int) -> tuple[Array, Array]:
    """A phonon density of states of any scale as states per THz and cell.

    Parameters
    ----------
    wavenumbers
        (n,) rising, cm⁻¹, imaginary ones negative.
    values
        (n,) in any normalisation, none negative.
    n_sites
        Atoms of the cell.

    Returns
    -------
    frequencies, density
        (n,) THz, and (n,) states/THz/cell whose integral is three times `n_sites`.

    Raises
    ------
    InputError
        If it is no curve, holds negative values or no area.
    """
    x, y = np.asarray(wavenumbers, dtype=float) * THZ_OF_WAVENUMBER, np.asarray(values, dtype=float)
    check_curve(x, y)
    if (y < 0).any():
        raise InputError(f"The phonon density of states is negative, {y.min():g} at {x[y.argmin()]:.2f} THz.")
    area = float(np.trapezoid(y, x))
    if area <= 0:
        raise InputError("The phonon density of states is zero everywhere.")
    return x, y * (3 * n_sites / area)


def of_modes(frequencies: ArrayLike, weights: ArrayLike, width: float, lo: float, hi: float) -> tuple[Array, Array]:
    """A phonon density of states out of the modes on a mesh, each broadened by a Gaussian.

    Parameters
    ----------
    frequencies
        (q, 3N) THz, imaginary ones negative.
    weights
        (q,) of the points of the mesh, in any normalisation.
    width
        Standard deviation of the Gaussian, THz.
    lo, hi
        THz that the curve covers at least; it covers all modes in any case.

    Returns
    -------
    frequencies, density
        (n,) THz in steps of 0.1, and (n,) states/THz/cell whose integral is 3N.
    """
    modes = np.asarray(frequencies, dtype=float)
    share = np.asarray(weights, dtype=float) / np.sum(weights)
    first = np.floor(min(lo, modes.min() - REACH * width) / LINE)
    last = np.ceil(max(hi, modes.max() + REACH * width) / LINE)
    x: Array = LINE * np.arange(int(first), int(last) + 1, dtype=np.float64)
    gaussians = np.exp(-0.5 * ((x[:, None, None] - modes) / width) ** 2) / (width * np.sqrt(2 * np.pi))
    return x, np.asarray(gaussians.sum(axis=2) @ share)


def imaginary_modes(frequencies: ArrayLike, weights: ArrayLike) -> float:
    """Share of the modes on a mesh, (q, 3N) THz with (q,) weights, that are imaginary."""
    share = np.asarray(weights, dtype=float) / np.sum(weights)
    return float((np.asarray(frequencies, dtype=float) < SOFT).mean(axis=1) @ share)


def imaginary_part(points: Array, density: Array) -> float:
    """Share of a curve, (n,) THz and (n,) states/THz, that lies at imaginary frequencies."""
    soft = np.minimum(points, SOFT)
    # the integral up to SOFT: beyond it the points coincide and add nothing
    return float(np.trapezoid(np.interp(soft, points, density), soft) / np.trapezoid(density, points))


def refusal(share: float) -> str | None:
    """Why a crystal with this share of imaginary modes has no phonon density of states, None where it has one."""
    if share <= MOST_IMAGINARY:
        return None
    return (
        f"{100 * share:.1f} % of the modes are imaginary (below {SOFT:.1f} THz), so that the crystal is no minimum of "
        "its energy"
    )
