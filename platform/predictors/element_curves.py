"""Density of states of every element from H to Bi, computed once, far from any crystal of a library.

Each element stands in one and the same lattice that no library holds, body-centred tetragonal with c/a = 1.19, half
way from bcc to fcc, at the volume that pymatgen tabulates for it (molar volume). `flows/library/element_curves.py`
computes the table: GPAW, PBE, plane waves, not spin-polarised, linear tetrahedra, then a Gaussian of 0.2 eV. It is
free of the curves of any library, so that a model that uses it knows nothing of the answers it is measured by. An
element that was not computed takes the mean of the others, weighted by how alike they are.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

import numpy as np
from pymatgen.core import Element, Lattice, Structure

from fermiloop.platform.predictors.crystal_inputs import COUPLING_RANGE, coupling_strength
from fermiloop.platform.predictors.element_table import COLUMNS, RADIUS, element_table
from fermiloop.platform.representations.element_features import ELEMENTS_KNOWN, element_kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

TABLE: Final = "element_curves.jsonl.gz"
ENERGIES: Final = np.round(np.linspace(-9.5, 9.0, 186), 6)
"""eV about the Fermi level of the element. Deeper shells stay where they are and take no part."""
AXES: Final = 1.19
"""c/a of the lattice; bcc has 1, fcc √2."""
MOLAR_VOLUME: Final = COLUMNS.index("molar volume")
CM3_PER_MOL: Final = 0.602214076
"""In Å³ per atom."""
MIDDLE: Final = (-9.0, 5.0)
ALIKE: Final = 0.35
"""Distance of elements, in standard deviations of their features, over which curves are borrowed."""


@dataclass(frozen=True)
class ElementCurves:
    """Curves of the elements H to Bi, row Z - 1.

    Parameters
    ----------
    density
        (83, 186) states/eV/atom on `ENERGIES`, both spins summed.
    electrons
        (83,) states per atom below the Fermi level and above -9.5 eV.
    coupling
        (83,) coupling of an atom in the lattice that it was computed in, see `crystal_inputs`.
    centre
        (83,) mean energy of the states between -9 and 5 eV, eV about the Fermi level.
    computed
        (83,) whether an element was computed; the others are borrowed.
    """

    density: Array
    electrons: Array
    coupling: Array
    centre: Array
    computed: NDArray[np.bool_]


@cache
def element_curves() -> ElementCurves:
    """The table that ships with the project."""
    density = np.full((len(ELEMENTS_KNOWN), len(ENERGIES)), np.nan)
    packed = files("fermiloop.platform.predictors").joinpath(TABLE).read_bytes()
    for line in gzip.decompress(packed).decode().splitlines():
        record = json.loads(line)
        density[Element(record["element"]).Z - 1] = record["density"]
    computed = ~np.isnan(density).any(axis=1)
    likeness = element_kernel(tuple(ELEMENTS_KNOWN), ALIKE, 0.0)[:, computed]
    borrowed = likeness @ density[computed] / likeness.sum(axis=1, keepdims=True)
    density = np.where(computed[:, None], density, borrowed)
    filled = np.cumsum(density, axis=1) * float(ENERGIES[1] - ENERGIES[0])
    electrons = np.array([np.interp(0.0, ENERGIES, row) for row in filled])
    middle = density * ((MIDDLE[0] < ENERGIES) & (MIDDLE[1] > ENERGIES))
    return ElementCurves(density, electrons, _couplings(), middle @ ENERGIES / middle.sum(axis=1), computed)


def reference_lattice(volume: float) -> Lattice:
    """The primitive cell of the lattice that elements are computed in, `volume` Å³ per atom."""
    a = (2 * volume / AXES) ** (1 / 3)
    c = AXES * a
    return Lattice(0.5 * np.array([[-a, a, c], [a, -a, c], [a, a, -c]]))


def reference_volumes() -> Array:
    """(83,) Å³ per atom, after the molar volumes of the table of elements."""
    return np.asarray(element_table()[1 : len(ELEMENTS_KNOWN) + 1, MOLAR_VOLUME] / CM3_PER_MOL)


def _couplings() -> Array:
    distances = Structure(reference_lattice(1.0), ["H"], [[0, 0, 0]]).get_neighbor_list(COUPLING_RANGE)[3]
    radii = element_table()[1 : len(ELEMENTS_KNOWN) + 1, RADIUS]
    lengths = reference_volumes() ** (1 / 3)
    pairs = zip(radii, lengths, strict=True)
    return np.array([coupling_strength(np.array(2 * r), distances * length, length).sum() for r, length in pairs])
