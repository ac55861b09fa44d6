"""A material describes itself, and the same crystal is the same document."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.schemas.material import Material, structure_id
from fermiloop.schemas.vocabulary import CrystalSystem, Origin

B2 = PROTOTYPES["B2"].build("Ni", "Al", 12.0)
ABOUT = {"origin": Origin.IMPORT, "source": {"name": "test", "key": "1", "licence": "MIT"}}


def test_it_describes_itself():
    material = Material.from_structure(B2, **ABOUT)
    material.check()
    assert (material.formula, material.formula_lower, material.chemical_system) == ("AlNi", "alni", "Al-Ni")
    assert (material.elements, material.n_elements, material.n_sites) == (["Al", "Ni"], 2, 2)
    assert (material.space_group, material.crystal_system, material.prototype) == (221, CrystalSystem.CUBIC, "AB-221")
    assert material.volume_per_atom == pytest.approx(12.0)
    assert material.to_structure() == B2


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(8)), st.lists(st.integers(-3, 3), min_size=3, max_size=3))
def test_the_order_of_sites_and_whole_cells_between_them_do_not_matter(order, shift):
    crystal = PROTOTYPES["D0_19"].build("Ti", "Al", 15.0)
    moved = crystal.frac_coords[list(order)] + shift
    other = Structure(crystal.lattice, [crystal.species[i] for i in order], moved)
    assert structure_id(other) == structure_id(crystal)


def test_rounding_does_not_matter_but_more_does():
    def strained(by: float) -> str:
        return structure_id(Structure(Lattice(B2.lattice.matrix * by), B2.species, B2.frac_coords))

    assert strained(1 + 1e-7) == structure_id(B2)
    assert strained(1.01) != structure_id(B2)
    assert structure_id(PROTOTYPES["B2"].build("Ni", "Ti", 12.0)) != structure_id(B2)


def test_a_coordinate_just_below_one_is_zero():
    near = Structure(B2.lattice, B2.species, np.where(B2.frac_coords == 0, 1 - 1e-9, B2.frac_coords))
    assert structure_id(near) == structure_id(B2)


def test_site_properties_and_charges_are_left_behind():
    dressed = B2.copy(site_properties={"magmom": [1.0, 2.0]})
    dressed.add_oxidation_state_by_element({"Ni": 2, "Al": -2})
    material = Material.from_structure(dressed, **ABOUT)
    assert material.id == structure_id(B2)
    assert material.to_structure() == B2


@pytest.mark.parametrize(
    "structure",
    [
        Structure(Lattice([[1, 0, 0], [2, 0, 0], [0, 0, 1]]), ["Al"], [[0, 0, 0]]),
        Structure(Lattice.cubic(4), ["Al", "Ni"], [[0, 0, 0], [0, 0, 0.01]]),
        Structure(Lattice.cubic(4), ["X"], [[0, 0, 0]]),
        Structure(Lattice.cubic(4), ["Al"], [[np.inf, 0, 0]]),
    ],
    ids=["no volume", "overlap", "unknown element", "infinity"],
)
def test_what_is_no_crystal_is_refused_in_one_sentence(structure):
    with pytest.raises(InputError, match=r"^The structure .* is refused: [^\n]*\.$"):
        Material.from_structure(structure, **ABOUT)


def test_an_origin_that_nobody_knows():
    material = Material.from_structure(B2, **ABOUT)
    material.space_group = 231
    with pytest.raises(InputError, match="space_group is invalid"):
        material.check()
