"""Sixteen tabulated numbers of every element from H to Lr: what descriptors are averages of."""

from __future__ import annotations

import warnings
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np
from pymatgen.analysis.molecule_structure_comparator import CovalentRadius
from pymatgen.core import Element

if TYPE_CHECKING:
    from numpy.typing import NDArray

N_ELEMENTS: Final = 103
COLUMNS: Final = (
    "number", "group", "row", "mendeleev", "electronegativity", "covalent radius", "atomic mass", "molar volume",
    "melting point", "ionisation energy", "electron affinity", "s electrons", "p electrons", "d electrons",
    "f electrons", "empty valence states",
)  # fmt: skip
RADIUS: Final = COLUMNS.index("covalent radius")
ELECTRONEGATIVITY: Final = COLUMNS.index("electronegativity")
NOBLE: Final = {2: 4.2, 10: 4.5, 18: 3.2}
"""Allen's electronegativities of the noble gases for which Pauling gives none."""
CAPACITY: Final = {"s": 2, "p": 6, "d": 10, "f": 14}


@cache
def element_table() -> NDArray[np.float64]:
    """(104, 16) by atomic number; row 0 is zero. A number that is not tabulated is the mean of its column."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rows = np.array([_row(Element.from_Z(number)) for number in range(1, N_ELEMENTS + 1)])
    rows = np.where(np.isnan(rows), np.nanmean(rows, axis=0), rows)
    return np.vstack([np.zeros(len(COLUMNS)), rows])


def _row(element: Element) -> list[float]:
    counts = dict.fromkeys("spdf", 0)
    for n, shell, count in element.full_electronic_structure:
        if n == element.row or (shell == "d" and n == element.row - 1) or (shell == "f" and n == element.row - 2):
            counts[shell] = max(counts[shell], count)
    if element.group > 12:  # a full d or f shell below a p shell takes no part
        counts["d"] = counts["f"] = 0
    empty = sum(CAPACITY[shell] - count for shell, count in counts.items() if count)
    return [
        element.Z,
        element.group,
        element.row,
        _number(element.mendeleev_no),
        NOBLE.get(element.Z, _number(element.X)),
        CovalentRadius.radius.get(element.symbol, np.nan),
        float(element.atomic_mass),
        _number(element.molar_volume),
        _number(element.melting_point),
        _number(element.ionization_energy),
        _number(element.electron_affinity),
        *counts.values(),
        empty,
    ]


def _number(value: object) -> float:
    try:
        return float(str(value).split()[0])
    except (ValueError, IndexError):
        return np.nan
