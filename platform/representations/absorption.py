"""Absorption coefficients out of measured refractive indices.

An index n + ik at the photon energy E absorbs by α = 4π k / λ = 4π k E / (h c), in cm⁻¹ (Born and Wolf, Principles of
Optics, section 14.1).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import numpy as np

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.spectrum import check_curve, cosine, step_means

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

HC: Final = 1.239841984e-4  # eV cm: Planck's constant times the speed of light
STEP: Final = 0.05  # eV
HIGHEST: Final = 40.0  # eV; beyond are X-rays
NOISE: Final = 0.02  # of the largest k: negative ones up to this are noise about zero
FEWEST: Final = 5
NO_CRYSTAL: Final = re.compile(
    r"liquid|amorphous|glass|fused|\ba-Si|\bta-C|\bwater\b(?! ice)|monolayer|mono-graphene|nanotube|SWCNT|intercalated|"
    r"[\w-]*-layer\b|\b\d+L\b|fewL|DFT|theoretical",
    re.IGNORECASE,
)


def absorption(photon_energies: ArrayLike, extinction: ArrayLike) -> Array:
    """(n,) absorption coefficients in cm⁻¹ of (n,) photon energies in eV and extinction coefficients k."""
    return np.asarray(4 * np.pi * np.asarray(extinction, dtype=float) * np.asarray(photon_energies, dtype=float) / HC)


def absorption_curve(photon_energies: ArrayLike, extinction: ArrayLike) -> tuple[Array, Array]:
    """A measured table as a curve: in rising energy, equal energies averaged, in even steps of 0.05 eV.

    Parameters
    ----------
    photon_energies
        (m,) eV, in any order.
    extinction
        (m,) imaginary parts of the refractive index.

    Returns
    -------
    energies, absorption
        (n,) eV, multiples of 0.05 eV inside the table and up to 40 eV, and (n,) cm⁻¹, means over each step.

    Raises
    ------
    InputError
        If these are no numbers, k is negative beyond noise or zero everywhere, or the table covers next to nothing.
    """
    try:
        x, k = np.asarray(photon_energies, dtype=float), np.asarray(extinction, dtype=float)
    except (TypeError, ValueError):
        raise InputError("The table holds something else than numbers.") from None
    if x.shape != k.shape or x.ndim != 1 or not (np.isfinite(x).all() and np.isfinite(k).all() and (x > 0).all()):
        raise InputError("The table is no list of positive photon energies and as many extinction coefficients.")
    energies, place = np.unique(x, return_inverse=True)
    mean = np.bincount(place, weights=k) / np.bincount(place)
    check_curve(energies, mean)
    if mean.max() <= 0 or mean.min() < -NOISE * mean.max():
        raise InputError(f"The extinction coefficient runs from {mean.min():g} to {mean.max():g}, which is none.")
    first, last = int(np.ceil(energies[0] / STEP - 1e-6)), int(np.floor(min(energies[-1], HIGHEST) / STEP + 1e-6))
    if last - first < FEWEST:
        raise InputError(f"The table covers {energies[0]:g} to {energies[-1]:g} eV alone.")
    points: Array = STEP * np.arange(first, last + 1, dtype=np.float64)
    return points, step_means(energies, absorption(energies, np.maximum(mean, 0.0)), points, STEP)


def sample_refusal(told: str) -> str | None:
    """Why a sample of which this is told is no crystal in bulk that was measured, None where it may be one."""
    found = NO_CRYSTAL.search(told)
    return f"its sample is no measured crystal in bulk: {found[0]}" if found else None


def usual(curves: Array) -> int:
    """Place of the curve of (n, m) that is most like all of them, by the mean cosine; of equals the first."""
    return int(np.argmax(np.round(cosine(curves[:, None], curves[None]).mean(axis=1), 6)))
