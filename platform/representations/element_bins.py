"""Elements as 92 zeros and ones: each property falls into one bin.

The properties and their bins are those of CGCNN (Xie and Grossman, Phys. Rev. Lett. 120, 145301, 2018, supplement):
group, period, electronegativity, covalent radius, valence electrons, first ionisation energy, electron affinity,
block, molar volume. The values are pymatgen's, so some elements fall one bin off the published file.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np
from pymatgen.analysis.molecule_structure_comparator import CovalentRadius
from pymatgen.core import Element

from fermiloop.platform.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Table = Mapping[int, Sequence[float]]

N_ELEMENTS: Final = 103
N_BINS: Final = 92
GROUPS: Final = 19  # lanthanoids and actinoids, then 1 to 18
PERIODS: Final = 7
VALENCE: Final = 12
BLOCKS: Final = "spdf"
RANGES: Final = {
    "electronegativity": (0.5, 4.0),
    "radius": (25.0, 250.0),  # pm
    "ionisation": (1.3, 3.3),  # ln of eV
    "affinity": (-3.0, 3.7),  # eV
    "volume": (1.5, 4.3),  # ln of cm³/mol
}
"""Ten even bins each; what lies outside falls into the outermost."""
BINS: Final = 10


def element_vectors(table: Table | None = None) -> NDArray[np.float64]:
    """(104, 92) vectors by atomic number; row 0, no atom, is zero.

    Parameters
    ----------
    table
        Vectors by atomic number to take instead, such as CGCNN's own; elements that it lacks are zero.

    Raises
    ------
    InputError
        If a vector of the table is not of 92 numbers, or of no element.
    """
    if table is None:
        return _own_vectors().copy()
    vectors = np.zeros((N_ELEMENTS + 1, N_BINS))
    for number, values in table.items():
        if not 1 <= int(number) <= N_ELEMENTS or len(values) != N_BINS:
            raise InputError(f"The vector of element {number} has {len(values)} numbers; {N_BINS} are needed.")
        vectors[int(number)] = values
    return vectors


@cache
def _own_vectors() -> NDArray[np.float64]:
    rows = [_vector(Element.from_Z(number)) for number in range(1, N_ELEMENTS + 1)]
    return np.array([np.zeros(N_BINS), *rows])


def _vector(element: Element) -> NDArray[np.float64]:
    inner = element.is_lanthanoid or element.is_actinoid
    radius = CovalentRadius.radius.get(element.symbol)
    known = element.data
    ionisation = (known.get("Ionization energies") or [None])[0]
    parts = (
        _one_of(GROUPS, 0 if inner else element.group),
        _one_of(PERIODS, min(_period(element.Z), PERIODS) - 1),
        _binned("electronegativity", known.get("X")),
        _binned("radius", None if radius is None else 100 * radius),
        _one_of(VALENCE, _valence_electrons(element) - 1),
        _binned("ionisation", _logarithm(ionisation)),
        _binned("affinity", known.get("Electron affinity")),
        _one_of(len(BLOCKS), BLOCKS.index(element.block)),
        _binned("volume", _logarithm(known.get("Molar volume"))),
    )
    return np.concatenate(parts)


def _period(number: int) -> int:
    """Row of the periodic table; pymatgen's own leaves the f elements in theirs as well."""
    return int(np.searchsorted([2, 10, 18, 36, 54, 86], number)) + 1


def _valence_electrons(element: Element) -> int:
    """Electrons of the outer s, p and d shells: by the group, two for the f elements and helium."""
    if element.block == "f" or element.Z == 2:
        return 2
    return element.group if element.group <= 12 else element.group - 10


def _one_of(n: int, place: int) -> NDArray[np.float64]:
    return np.eye(n)[place]


def _binned(name: str, value: float | None) -> NDArray[np.float64]:
    """Ten bins; all zero where the property is not known."""
    if value is None or not np.isfinite(value):
        return np.zeros(BINS)
    low, high = RANGES[name]
    return _one_of(BINS, int(np.clip((value - low) / (high - low) * BINS, 0, BINS - 1)))


def _logarithm(value: float | None) -> float | None:
    return None if value is None or value <= 0 else float(np.log(value))
