"""Volumes of crystals: a guess from atomic radii, and the minimum of a potential's energy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from pymatgen.core import Element

if TYPE_CHECKING:
    from collections.abc import Callable

    from pymatgen.core import Structure

    from fermiloop.platform.predictors.potential.protocol import CheapPotential

SCAN: Final = (-0.12, -0.06, 0.0, 0.06, 0.12)  # steps in ln(volume) of a coarse pass
FINE_FACTOR: Final = 0.4
PASSES: Final = 3
ANIONS: Final = frozenset({"O", "F", "N", "Cl", "S", "Se", "Br", "I", "Te"})


def equilibrium_volume(
    potential: CheapPotential, build: Callable[[float], Structure], guess: float
) -> tuple[float, float]:
    """Volume per atom (Å³) and energy per atom (eV) at the minimum over isotropic scaling.

    Three passes of a parabola in ln(volume); `build` makes the crystal at a volume per atom. Where the potential
    gives no energy, the guess and NaN.
    """
    best, energy = guess, float("nan")
    for number in range(PASSES):
        width = 1.0 if number < PASSES - 1 else FINE_FACTOR
        logs = np.log(best) + np.array(SCAN) * width
        energies = np.array(potential.energies([build(float(np.exp(x))) for x in logs]))
        if not np.isfinite(energies).all():
            return guess, float("nan")  # the potential does not describe it: the guess stays
        best = float(np.exp(_parabola_minimum(logs, energies)))
    energy = potential.energies([build(best)])[0]
    return best, energy


def _parabola_minimum(x: np.ndarray[Any, Any], y: np.ndarray[Any, Any]) -> float:
    lowest = int(np.argmin(y))
    if not 0 < lowest < len(x) - 1:
        return float(x[lowest])
    a, b, _ = np.polyfit(x[lowest - 1 : lowest + 2] - x[lowest], y[lowest - 1 : lowest + 2], 2)
    return float(x[lowest] - b / (2 * a)) if a > 0 else float(x[lowest])


def guess_volume(elements: dict[str, float]) -> float:
    """First guess of the volume per atom in Å³ from atomic radii and amounts of each element."""
    total = sum(elements.values())
    volume = sum(n * (6.3 * float(Element(symbol).atomic_radius or 1.4) ** 3 + 3) for symbol, n in elements.items())
    return volume / total * (0.8 if ANIONS & set(elements) and len(elements) > 1 else 1.0)
