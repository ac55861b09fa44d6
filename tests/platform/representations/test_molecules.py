"""Molecules in a box are told from crystals, also from open ones and from those of single atoms."""

from __future__ import annotations

import pytest
from pymatgen.core import Lattice, Structure

from fermiloop.platform.representations.molecules import is_molecule
from fermiloop.platform.representations.prototypes import PROTOTYPES


def pair(edge: float, bond: float, shift: float = 0.0) -> Structure:
    box = Lattice.cubic(edge)
    return Structure(box, ["N", "N"], [[0, 0, shift], [0, 0, shift + bond]], coords_are_cartesian=True)


@pytest.mark.parametrize("shift", [0.0, 3.9, 7.5])
def test_a_molecule_is_one_wherever_it_lies_in_its_box(shift: float) -> None:
    assert is_molecule(pair(8.0, 1.1, shift))


def test_two_molecules_near_each_other_are_none() -> None:
    assert not is_molecule(pair(5.5, 1.1))


@pytest.mark.parametrize(("symbol", "volume"), [("Cs", 117.0), ("Xe", 62.0), ("Cu", 11.8)])
def test_elements_with_large_atoms_are_crystals(symbol: str, volume: float) -> None:
    assert not is_molecule(PROTOTYPES["A2"].build(symbol, None, volume))


def test_a_layer_in_vacuum_is_none() -> None:
    cell = Lattice.hexagonal(2.46, 40.0)
    assert not is_molecule(Structure(cell, ["C", "C"], [[0, 0, 0.5], [1 / 3, 2 / 3, 0.5]]))


def test_a_single_atom_in_a_box_is_none() -> None:
    assert not is_molecule(Structure(Lattice.cubic(12.0), ["He"], [[0, 0, 0]]))
