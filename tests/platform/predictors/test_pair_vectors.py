"""Vectors of elements and bonds do not depend on how a crystal is written, and like elements lie close."""

from __future__ import annotations

import numpy as np
import pytest
from pymatgen.core import Element, Structure

from fermiloop.platform.errors import InputError
from fermiloop.platform.predictors.pair_vectors import bond_vectors, element_space, mixture_vectors
from fermiloop.platform.representations.prototypes import PROTOTYPES


def salt(a: str, b: str, kind: str = "B1") -> Structure:
    return PROTOTYPES[kind].build(a, b, 20.0)


def likeness(a: str, b: str) -> float:
    space = element_space()
    return float(space[Element(a).Z - 1] @ space[Element(b).Z - 1])


def test_elements_are_like_themselves_and_their_column():
    assert likeness("Na", "Na") == pytest.approx(1)
    assert likeness("Na", "K") > likeness("Na", "Cl")
    assert likeness("La", "Ce") > likeness("La", "F")


def test_a_supercell_turned_and_shuffled_is_the_same_crystal():
    crystal = salt("Na", "Cl")
    other = crystal * (2, 1, 1)
    other = Structure.from_sites(sorted(other, key=lambda site: site.frac_coords[0], reverse=True))
    other.translate_sites(list(range(len(other))), [0.1, 0.2, 0.3])
    for describe in (mixture_vectors, bond_vectors):
        first, second = describe([crystal, other])
        assert first == pytest.approx(second, abs=1e-9)


def test_bonds_tell_what_composition_does_not():
    layered = Structure(np.diag([3.0, 3.0, 12.0]), ["Na", "Na", "Cl", "Cl"],
                        [[0, 0, 0], [0.5, 0.5, 0.15], [0, 0, 0.5], [0.5, 0.5, 0.65]])  # fmt: skip
    mixed = salt("Na", "Cl")
    a, b = mixture_vectors([layered, mixed])
    assert a == pytest.approx(b)
    a, b = bond_vectors([layered, mixed])
    assert np.linalg.norm(a - b) > 0.1


def test_norm_of_the_bonds_of_an_element_is_that_of_its_place():
    place = np.linalg.norm(element_space()[Element("Cu").Z - 1, :40]) ** 2
    assert np.linalg.norm(bond_vectors([PROTOTYPES["A1"].build("Cu", None, 12.0)])[0]) == pytest.approx(place)


def test_an_element_beyond_the_table_is_refused():
    with pytest.raises(InputError, match="up to Lr"):
        bond_vectors([Structure(np.eye(3) * 4, ["Rf"], [[0, 0, 0]])])
