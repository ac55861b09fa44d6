"""What no result of a crystal can be: numbers that are none, absurd energies and volumes, curves without electrons.

Pure: an `EvaluationResult` in, a sentence out. It is asked before anything is written to the store.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Composition, Element

from fermiloop.flows.engines.protocol import EvaluationResult
from fermiloop.platform.plugins.engines import LOWEST_ENERGY
from fermiloop.platform.plugins.properties import PROPERTIES
from fermiloop.schemas.curve_kinds import SpectrumKind, other_stored_kinds

HIGHEST_ENERGY: Final = 10.0  # eV per atom; what holds together lies below that of free atoms, at 0
VOLUMES: Final = (2.0, 500.0)  # Å³ per atom: diamond has 5.7, caesium 117, the emptiest frameworks some 200
WIDEST_GAP: Final = 30.0  # eV; solid helium has some 20
MOST_ELECTRONS: Final = 1.05  # of the valence may a curve hold up to zero; tetrahedra and broadening blur the edge
FEWEST_ELECTRONS: Final = 0.5  # of the outer electrons
SLACK: Final = 0.5  # electrons, of small cells
DEEP_ENOUGH: Final = -7.5  # eV; a curve that begins above may leave out outer electrons too
NEGATIVE: Final = 0.02  # of the highest value; interpolation gives small negative ones


def fault_of(found: EvaluationResult, lowest_energy: float = LOWEST_ENERGY) -> str | None:
    """What is wrong with a result, in words; None where nothing is.

    Parameters
    ----------
    lowest_energy
        eV per atom that the engine's energies may come down to.
    """
    return _of_numbers(found, lowest_energy) or _of_properties(found) or _of_curve(found) or _of_other_curves(found)


def _of_numbers(found: EvaluationResult, lowest_energy: float) -> str | None:
    energy, volume = found.energy_per_atom, found.structure.volume / len(found.structure)
    if energy is not None and not np.isfinite(energy):
        return f"its energy is {energy}, which is no number"
    if energy is not None and not lowest_energy <= energy <= HIGHEST_ENERGY:
        return (
            f"its energy is {energy:.6g} eV per atom, which no crystal has: {lowest_energy:g} to {HIGHEST_ENERGY:g} "
            "eV per atom are believed"
        )
    if not VOLUMES[0] <= volume <= VOLUMES[1]:
        return f"its volume is {volume:.4g} Å³ per atom, beyond the {VOLUMES[0]:g} to {VOLUMES[1]:g} of crystals"
    if found.gap is not None and not 0.0 <= found.gap <= WIDEST_GAP:
        return f"its gap is {found.gap:.6g} eV, which is none of a crystal"
    numbers = {"magnetic moment": found.magnetic_moment, "Fermi level": found.fermi_level}
    wrong = [name for name, value in numbers.items() if value is not None and not np.isfinite(value)]
    return f"its {wrong[0]} is no number" if wrong else None


def _of_properties(found: EvaluationResult) -> str | None:
    for name, value in found.properties.items():
        if name not in PROPERTIES:
            return f"its {name} is no property that is declared here"
        if fault := PROPERTIES[name].fault(value):
            return f"its {PROPERTIES[name].title} {fault}"
    return None


def _of_curve(found: EvaluationResult) -> str | None:
    if found.energies is None or found.density is None:
        return None
    x, y = np.asarray(found.energies, dtype=float), np.asarray(found.density, dtype=float)
    if x.shape != y.shape or x.ndim != 1 or len(x) < 2:
        return f"its density of states is no curve: {x.shape} energies and {y.shape} values"
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        return "its density of states holds values that are no numbers"
    if not (y > 0.0).any():
        return "its density of states is zero everywhere"
    if y.min() < -NEGATIVE * y.max():
        return f"its density of states is negative, {y.min():.4g} states/eV/cell at {x[y.argmin()]:.2f} eV"
    return _of_electrons(x, y, found)


def _of_other_curves(found: EvaluationResult) -> str | None:
    for name, (x, y) in found.curves.items():
        if name not in other_stored_kinds():
            return f"its {name} is no kind of curve that is declared here"
        kind = SpectrumKind(name).declared
        if x.shape != y.shape or x.ndim != 1 or len(x) < 2 or not (np.isfinite(x).all() and np.isfinite(y).all()):
            return f"its {kind.title} is no curve of finite numbers"
        if not (np.diff(x) > 0).all() or x[0] > kind.lo or x[-1] < kind.hi:
            return f"its {kind.title} does not rise from {kind.lo:g} to {kind.hi:g} {kind.axis_unit}"
        if not (y > 0.0).any() or y.min() < -NEGATIVE * y.max():
            return f"its {kind.title} is zero everywhere, or negative"
    return None


def _of_electrons(x: NDArray[np.float64], y: NDArray[np.float64], found: EvaluationResult) -> str | None:
    """Too many electrons up to zero, or fewer than the outer ones, which lie within the window whatever the crystal."""
    due = found.n_electrons
    if due is None or not x[0] < 0.0 < x[-1]:
        return None
    if not np.isfinite(due) or due <= 0.0:
        return f"its number of electrons is {due:g}"
    below = x <= 0.0
    held = float(np.trapezoid(y[below], x[below]))
    said = f"its density of states holds {held:.2f} electrons from {x[0]:g} eV to its zero"
    if held > MOST_ELECTRONS * due + SLACK:
        return f"{said}, more than the {due:g} of its valence"
    outer = min(due, outer_electrons(found.structure.composition))
    if x[0] <= DEEP_ENOUGH and held < FEWEST_ELECTRONS * outer - SLACK:
        return f"{said}, where {due:g} are due, {outer:g} of them in its outer shells"
    return None


def outer_electrons(composition: Composition) -> float:
    """Electrons of a cell that lie within some 8 eV of the Fermi level, at the least.

    Those of the outer s and d shells, of the p shell from group 13 on; s electrons of groups 13 to 18, closed d shells
    and f shells may lie deeper.
    """
    return float(sum(amount * _outer(element) for element, amount in composition.element_composition.items()))


def _outer(element: Element) -> int:
    group = int(element.group)
    if element.symbol == "He":
        return 2
    if element.is_lanthanoid or element.is_actinoid:
        return 3
    if group >= 13:
        return group - 12
    return 2 if group == 12 else group
