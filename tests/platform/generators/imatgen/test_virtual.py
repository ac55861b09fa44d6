"""Virtual crystals by substitution."""

import numpy as np
import pytest
from pymatgen.core import Composition, Lattice, Structure

from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.imatgen.virtual import (
    by_electronegativity,
    commonest_pair,
    substituted,
    valid_oxidation,
    virtual_set,
)

VOLUMES = {"Na": 20.0, "Cl": 25.0, "V": 12.0, "O": 10.0}


FACES = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])


def salt(a="Na", b="Cl"):
    return Structure(Lattice.cubic(5.6), [a] * 4 + [b] * 4, [*FACES, *(FACES + 0.5)])


def fluorite(a="Ca", b="F"):
    return Structure(Lattice.cubic(5.5), [a] * 4 + [b] * 8, [*FACES, *(FACES + 0.25), *(FACES + 0.75)])


def test_both_ways_of_a_pair_are_made_and_remember_their_parent():
    alone = Structure(Lattice.cubic(4), ["Na"], [[0, 0, 0]])
    made = virtual_set([alone, fluorite(), salt()], ("O", "V"), VOLUMES)
    assert [s.composition.reduced_formula for s in made.structures] == ["VO2", "V2O", "VO", "VO"]
    assert made.parents.tolist() == [1, 1, 2, 2]
    assert made.natural.tolist() == [True, False, True, False]


def test_the_volume_follows_the_elements():
    parent = salt()
    child = substituted(parent, {"Na": "V", "Cl": "O"}, VOLUMES)
    assert child.volume == pytest.approx(parent.volume * 22 / 45)
    assert np.allclose(child.frac_coords, parent.frac_coords)
    assert parent.composition.reduced_formula == "NaCl"


def test_large_crystals_are_passed_over_and_nothing_left_is_refused():
    assert len(virtual_set([salt()], ("V", "O"), VOLUMES, max_sites=8)) == 2
    with pytest.raises(InputError, match="at most 7 sites"):
        virtual_set([salt()], ("V", "O"), VOLUMES, max_sites=7)
    with pytest.raises(InputError, match="axes of at most 3 Å"):
        virtual_set([salt()], ("V", "O"), VOLUMES, max_length=3)


def test_the_commonest_pair_is_an_electropositive_and_an_electronegative_element():
    assert commonest_pair([salt("Na", "Cl"), salt("K", "Cl"), salt("K", "F"), salt("K", "Br")]) == ("K", "Cl")
    assert commonest_pair([salt("Cl", "Na")]) == ("Na", "Cl")
    assert by_electronegativity(["O", "V"]) == ("V", "O")
    with pytest.raises(InputError, match="holds none"):
        commonest_pair([Structure(Lattice.cubic(4), ["Na"], [[0, 0, 0]])])


@pytest.mark.parametrize(
    ("formula", "valid"),
    [("VO", True), ("V2O5", True), ("V6O13", True), ("V2O", False), ("VO3", False), ("V3O8", False), ("V", False)],
)
def test_vanadium_has_states_2_to_5(formula, valid):
    assert valid_oxidation(Composition(formula)) is valid


@pytest.mark.parametrize(("formula", "valid"), [("NaCl", True), ("NaCl2", False), ("Al2O3", True), ("Na", False)])
def test_other_pairs_are_judged_by_smact(formula, valid):
    assert valid_oxidation(Composition(formula)) is valid
