"""Every tabulated structure type has the space group, the formula and the cell that it is said to have."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymatgen.core import Composition
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.acceptance import shortest_distance
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.representations.structure_type_table import ROWS
from fermiloop.platform.representations.structure_types import KNOWN, fitting, prototype, structure_types

FORMULAS = {
    "C4": "TiO2", "D5_1": "Al2O3", "H1_1": "MgAl2O4", "C2": "FeS2", "E2_1": "SrTiO3", "C1_b": "TiNiSn",
    "L2_1": "MnAlCu2", "X_a": "TiCuHg2", "L1_0": "CuAu", "D0_22": "TiAl3", "D0_19": "Ni3Sn", "C14": "MgZn2",
    "C15": "MgCu2", "B8_1": "NiAs", "C6": "CdI2", "C7": "MoS2", "A15": "Cr3Si", "C38": "Cu2Sb", "B1": "NaCl",
    "ThCr2Si2": "Th(CrSi)2", "K2NiF4": "K2NiF4", "K2NaAlF6": "K2NaAlF6", "S1_2": "Mg2SiO4", "CuFePt2": "FeCuPt2",
}  # fmt: skip
"""What the textbook calls the compound, reduced as pymatgen writes it."""
COORDINATION = {"C5": ("Ti", "O", 6), "C8": ("Si", "O", 4), "S1_2": ("Si", "O", 4), "D5_3": ("Mn", "O", 6),
                "E2_2": ("Ti", "O", 6), "B26": ("Cu", "O", 4), "H0_4": ("W", "O", 4), "C9": ("Si", "O", 4),
                "E1_1": ("Cu", "S", 4), "D0_2": ("Co", "As", 6), "GdFeO3": ("Ti", "O", 6)}  # fmt: skip
"""Neighbours of the second element about every atom of the first, by the textbook."""


@pytest.mark.parametrize("name", list(structure_types()))
def test_space_group_system_and_primitive_cell(name: str) -> None:
    kind = structure_types()[name]
    crystal = kind.decorate(kind.example, 15.0)
    analyser = SpacegroupAnalyzer(crystal, symprec=1e-3)
    assert analyser.get_space_group_number() == kind.space_group
    assert analyser.get_crystal_system() == kind.crystal_system
    assert len(analyser.find_primitive()) == len(crystal)
    assert crystal.volume / len(crystal) == pytest.approx(15.0)
    assert shortest_distance(crystal) > 0.6 * 15.0 ** (1 / 3)
    assert tuple(int(crystal.composition[symbol]) for symbol in kind.example) == kind.amounts


@pytest.mark.parametrize("name", list(FORMULAS))
def test_formula_of_the_example(name: str) -> None:
    kind = structure_types()[name]
    assert Composition(dict(zip(kind.example, kind.amounts, strict=True))).reduced_formula == FORMULAS[name]


@pytest.mark.parametrize("name", list(COORDINATION))
def test_coordination_is_the_textbooks(name: str) -> None:
    kind = structure_types()[name]
    centre, neighbour, number = COORDINATION[name]
    crystal = kind.decorate(kind.example, 12.0)
    for site in (site for site in crystal if site.specie.symbol == centre):
        near = sorted(n.nn_distance for n in crystal.get_neighbors(site, 6.0) if n.specie.symbol == neighbour)
        assert near[number - 1] < 1.25 * near[0]
        assert near[number] > 1.1 * near[number - 1]


def test_the_first_prototypes_are_unchanged_and_every_name_is_one() -> None:
    kinds = structure_types()
    assert list(kinds)[: len(PROTOTYPES)] == list(PROTOTYPES) == list(KNOWN)
    for name, known in PROTOTYPES.items():
        assert (kinds[name].cell, kinds[name].slots, kinds[name].frac) == (known.cell, known.slots, known.frac)
    assert len(kinds) == len(KNOWN) + len(ROWS)
    names = [*kinds, *(kind.common for kind in kinds.values())]
    assert len(names) == len(set(names))


def test_by_a_common_name() -> None:
    assert prototype("perovskite", ("Ba", "Ti", "O"), 12.0) == prototype("E2_1", ("Ba", "Ti", "O"), 12.0)
    assert prototype("fluorite", ("Ca", "F"), 13.0).composition.reduced_formula == "CaF2"
    assert prototype("antifluorite", ("Li", "O"), 8.0).composition.reduced_formula == "Li2O"
    with pytest.raises(InputError, match="perovskit is no tabulated structure type; choose one of A1, A2"):
        prototype("perovskit", ("Ba", "Ti", "O"), 12.0)
    with pytest.raises(ValueError, match="takes 3"):
        prototype("perovskite", ("Ba", "Ti"), 12.0)


SYSTEMS = st.sets(st.sampled_from(("cubic", "hexagonal", "trigonal", "tetragonal", "orthorhombic", "monoclinic")))


@given(st.sets(st.integers(1, 6)), SYSTEMS, st.integers(1, 60), st.booleans())
def test_those_that_fit_lie_inside(numbers: set[int], systems: set[str], sites: int, old: bool) -> None:
    for kind in (found := fitting(numbers, systems, sites, cubic_and_hexagonal=old)):
        assert len(set(kind.slots)) in numbers
        assert kind.crystal_system in systems
        assert len(kind.slots) <= sites
    if old:
        assert {kind.name for kind in found} <= set(PROTOTYPES)
