"""Eleven numbers per chemical element, and how alike two elements are by them.

Electronegativity, row, radius, valence, p and d electrons, levels of the free atom, group and
Mendeleev number (all tabulated by pymatgen). They let a model speak of an element of which it has
seen few crystals.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np
from pymatgen.core import Element

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

HARTREE: Final = 27.2114  # eV
ELEMENTS_KNOWN: Final = range(1, 84)
NO_LEVEL: Final = -20.0  # eV, stands for a d shell that is a closed core


@cache
def element_features() -> NDArray[np.float64]:
    """(83, 11) standardised features of H to Bi, row Z - 1."""
    raw = np.array([_features(Element.from_Z(number)) for number in ELEMENTS_KNOWN])
    return (raw - raw.mean(axis=0)) / raw.std(axis=0)


def element_kernel(elements: Sequence[int], length: float, identity: float) -> NDArray[np.float64]:
    """(n, n) positive definite likeness of elements, 1 on the diagonal.

    Parameters
    ----------
    elements
        Atomic numbers, at most 83.
    length
        Distance in standard deviations of a feature over which likeness falls off.
    identity
        Share that belongs to an element alone.
    """
    x = element_features()[np.array(elements) - 1]
    squared = ((x[:, None] - x[None]) ** 2).mean(axis=-1)
    return identity * np.eye(len(x)) + (1 - identity) * np.exp(-squared / (2 * length**2))


def _features(element: Element) -> list[float]:
    counts = dict.fromkeys("spd", 0)
    for n, shell, count in element.full_electronic_structure:
        if (shell in "sp" and n == element.row) or (shell == "d" and n == element.row - 1 and element.group <= 12):
            counts[shell] += count
    level = _levels(element)
    s = level.get("s", -5.0)
    p = level["p"] if counts["p"] and "p" in level else 0.4 * s
    d = max(level.get("d", NO_LEVEL), NO_LEVEL) if counts["d"] else (0.0 if element.group < 3 else NO_LEVEL)
    electronegativity = {2: 4.2, 10: 4.5, 18: 3.2}.get(element.Z) or float(element.X)  # noble gases have none tabulated
    shells = (
        sum(counts.values()),
        counts["p"],
        counts["d"],
    )  # s and d only together: atoms of one column share them out
    place = (element.group, float(element.mendeleev_no or 0))
    return [electronegativity, element.row, float(element.atomic_radius or 1.4), *shells, s, p, d, *place]


def _levels(element: Element) -> dict[str, float]:
    """Levels of the outer shells of the free atom in eV; an empty or core s or p shell has none."""
    outer = {"s": element.row, "p": element.row, "d": element.row - 1}
    orbitals = (element.atomic_orbitals or {}).items()
    return {
        name[1]: float(value) * HARTREE
        for name, value in orbitals
        if value is not None and int(name[0]) == outer.get(name[1])
    }
