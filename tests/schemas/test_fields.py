"""What is no number, no array and no crystal is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mongoengine import ValidationError
from pymatgen.core import Lattice, Structure

from fermiloop.schemas.fields import MAX_SITES, ArrayField, FiniteField, StructureField, structure_fault

CUBE = Lattice.cubic(4.0)


def crystal(a: float = 4.0, sites: int = 1) -> Structure:
    return Structure(Lattice.cubic(a), ["Al"] * sites, np.arange(3 * sites).reshape(sites, 3) / (3 * sites))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), "many"])
def test_only_finite_numbers(value):
    with pytest.raises(ValidationError):
        FiniteField().validate(value)


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=50))
def test_an_array_comes_back(values):
    stored = ArrayField.pack(values)
    ArrayField().validate(stored)
    assert len(stored) == 4 * len(values)
    assert ArrayField.unpack(stored).tolist() == values
    assert ArrayField.unpack(stored).dtype == np.float64


def test_arrays_are_little_endian_whatever_comes_in():
    assert ArrayField.pack(np.array([1.0], dtype=">f8")) == b"\x00\x00\x80\x3f"


@pytest.mark.parametrize("stored", [b"", b"abc", ArrayField.pack([1.0, np.nan]), ArrayField.pack([1e300])])
def test_bytes_that_are_no_array(stored):
    with pytest.raises(ValidationError):
        ArrayField().validate(stored)


@pytest.mark.parametrize(
    ("structure", "reason"),
    [
        (Structure(CUBE, ["Al", "Ni"], [[0, 0, 0], [0.05, 0, 0]]), "overlap"),
        (Structure(CUBE, ["Al", "Ni"], [[0.01, 0, 0], [0.99, 0, 0]]), "overlap"),  # through the border
        (Structure(Lattice.orthorhombic(0.4, 9, 9), ["Al"], [[0, 0, 0]]), "overlap"),  # its own image
        (Structure(Lattice([[4, 0, 0], [0, 4, 0], [0.3, 4.0, 0.3]]), ["Al"], [[0, 0, 0]]), "overlap"),  # c - b
        (Structure(Lattice([[1, 0, 0], [2, 0, 0], [0, 0, 1]]), ["Al"], [[0, 0, 0]]), "no volume"),
        (Structure(CUBE, ["Al"], [[np.nan, 0, 0]]), "NaN"),
        (Structure(CUBE, [{"Al": 0.5, "Ni": 0.5}], [[0, 0, 0]]), "partial"),
        (Structure(CUBE, ["X"], [[0, 0, 0]]), "X is no element"),
        (crystal(60, MAX_SITES + 1), "sites"),
    ],
)
def test_what_is_no_crystal(structure, reason):
    assert reason in structure_fault(structure)
    with pytest.raises(ValidationError, match=reason):
        StructureField().validate(structure.as_dict())


def test_a_cell_without_atoms():
    assert "0 sites" in structure_fault(Structure(CUBE, [], []))


def test_what_is_one():
    assert structure_fault(crystal()) is None
    StructureField().validate(crystal().as_dict())


@pytest.mark.parametrize("value", [{}, {"lattice": 3}, {"sites": []}, "Al", None])
def test_a_dictionary_that_is_no_structure(value):
    with pytest.raises(ValidationError):
        StructureField().validate(value)
