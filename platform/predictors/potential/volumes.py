"""Volumes of crystals: a guess from atomic radii, and the minimum of a potential's energy."""

from __future__ import annotations

import warnings
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
REACH: Final = 6.0
"""Å beyond an atom's radius within which its shortest bond is looked for."""
SCALING: Final = (0.05, 20.0)
"""Least and greatest factor on the volume."""
BOND_SHARE: Final = 0.7
"""Weight of the lengths of bonds beside that of the radii, in ln(volume)."""
CREDIBLE: Final = (0.3, 3.0)
"""Of the guess, between which a volume by bonds is believed."""
BIAS: Final = 1.12
"""By which both together are too small."""
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


def volume_by_bonds(structure: Structure) -> float:
    """Volume per atom (Å³) at which the shortest bond is as long as such bonds are, whatever the volume given.

    Data-mined lengths of bonds (Chu et al., Comput. Mater. Sci. 146, 184, 2018), as pymatgen has them, which are too
    short for monoxides of transition metals, are drawn towards `guess_volume`; that is the answer where there are no
    such lengths. For 60 textbook compounds from CuAu to K2NaAlF6 its spread is 17 % (bonds alone 19 %).
    """
    from pymatgen.analysis.structure_prediction.volume_predictor import DLSVolumePredictor  # its table takes a moment

    guess = guess_volume({element.symbol: float(n) for element, n in structure.composition.items()})
    start = structure.copy()
    start.scale_lattice(guess * len(structure))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tells of elements without lengths
        try:
            found = DLSVolumePredictor(REACH, *SCALING).predict(start) / len(structure)  # type: ignore[no-untyped-call]
        except (TypeError, ValueError):
            found = float("nan")
    if not CREDIBLE[0] * guess < found < CREDIBLE[1] * guess:  # as of noble gases, and NaN
        return guess
    return float(BIAS * found**BOND_SHARE * guess ** (1 - BOND_SHARE))


def guess_volume(elements: dict[str, float]) -> float:
    """First guess of the volume per atom in Å³ from atomic radii and amounts of each element."""
    total = sum(elements.values())
    volume = sum(n * (6.3 * float(Element(symbol).atomic_radius or 1.4) ** 3 + 3) for symbol, n in elements.items())
    return volume / total * (0.8 if ANIONS & set(elements) and len(elements) > 1 else 1.0)
