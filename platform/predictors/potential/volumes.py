"""Volumes of crystals: a guess from atomic radii, and the minimum of a potential's energy."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Final

import numpy as np
from pymatgen.core import Element

if TYPE_CHECKING:
    from collections.abc import Callable

    from pymatgen.core import Structure

    from fermiloop.platform.predictors.potential.protocol import CheapPotential

SCAN: Final = (-0.12, -0.06, 0.0, 0.06, 0.12)  # steps in ln(volume) of a coarse pass
FINE_FACTOR: Final = 0.4
COARSE: Final = 2
"""Coarse passes that have the minimum inside."""
MOST_COARSE: Final = 8
"""Coarse passes in all: the minimum is found where the guess is less than about twice or half the volume."""
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

    A parabola in ln(volume) through the lowest of five volumes and its neighbours, about the guess and then about the
    minimum found, first far apart and then near; where the lowest is the outermost, the scan goes on from there.
    `build` makes the crystal at a volume per atom. Where the potential gives no energy, the guess and NaN;
    where no minimum lies within about half and twice the guess, the outermost volume that was tried.
    """
    best, inside = float(np.log(guess)), 0
    for _ in range(MOST_COARSE):
        found = _pass(potential, build, best, 1.0)
        if found is None:
            return guess, float("nan")  # the potential does not describe it: the guess stays
        best, bracketed = found
        inside += bracketed
        if inside == COARSE:
            break
    fine = _pass(potential, build, best, FINE_FACTOR)
    volume = float(np.exp(best if fine is None else fine[0]))
    return volume, potential.energies([build(volume)])[0]


def _pass(
    potential: CheapPotential, build: Callable[[float], Structure], centre: float, width: float
) -> tuple[float, bool] | None:
    """Minimum of one scan in ln(volume), and whether it lies inside; None where an energy is missing."""
    logs = centre + np.array(SCAN) * width
    energies = np.array(potential.energies([build(float(np.exp(x))) for x in logs]))
    if not np.isfinite(energies).all():
        return None
    lowest = int(np.argmin(energies))
    if not 0 < lowest < len(logs) - 1:
        return float(logs[lowest]), False
    near = slice(lowest - 1, lowest + 2)
    a, b, _ = np.polyfit(logs[near] - logs[lowest], energies[near], 2)
    return (float(logs[lowest] - b / (2 * a)) if a > 0 else float(logs[lowest])), True


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
