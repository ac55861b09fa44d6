"""References of elements: the lowest energy counts, what lacks one is named with the command that gives it."""

from __future__ import annotations

import pytest
from pymatgen.core import Lattice, Structure

from fermiloop.db_init.element_references import shipped
from fermiloop.flows.campaigns import elements
from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.store import labels, materials
from fermiloop.schemas.vocabulary import Origin, Property

METHOD = "method-of-tests"


def energy(structure, value, name="here"):
    key = materials.save(structure, origin=Origin.IMPORT, source={"name": name})
    labels.save(key, Property.ENERGY_PER_ATOM, value, method=METHOD)
    return key


def test_the_lowest_crystal_of_an_element_is_its_reference(database):
    energy(PROTOTYPES["A2"].build("Al", None, 16.5), -3.0)
    low = energy(PROTOTYPES["A1"].build("Al", None, 16.5), -3.5)
    energy(PROTOTYPES["B2"].build("Al", "Ni", 12.0), -9.0)
    nickel, aluminium = sorted(elements.references(["Ni", "Al"], METHOD), key=lambda one: one.element, reverse=True)
    assert aluminium == elements.Reference("Al", -3.5, low, "face-centred cubic", None, ground_state=True)
    assert nickel == elements.Reference("Ni")
    assert elements.lacking(["Ni", "Al", "O"], METHOD) == ["Ni", "O"]


def test_a_reference_above_the_ground_state_is_named(database):
    high = energy(PROTOTYPES["A2"].build("Si", None, 14.5), -4.9)
    energy(PROTOTYPES["A1"].build("Cu", None, 12.0), -3.5)
    energy(PROTOTYPES["A3"].build("Cu", None, 12.0), -3.6)
    silicon, copper = elements.references(["Si", "Cu"], METHOD)
    assert (silicon.material, silicon.phase, silicon.ground_state) == (high, "A-229", False)
    assert copper.ground_state is True  # it was computed, and another phase is lower by this Method
    assert [one.element for one in elements.above_ground_state(["Si", "Cu", "Al"], METHOD)] == ["Si"]
    low = energy(shipped()["Si"].structure, -5.4)
    (silicon,) = elements.references(["Si"], METHOD)
    assert (silicon.material, silicon.phase, silicon.ground_state) == (low, "diamond", True)


def test_a_crystal_that_shares_group_and_size_with_the_ground_state_is_not_it(database):
    lonsdaleite = Structure.from_spacegroup(194, Lattice.hexagonal(2.51, 4.12), ["C"], [[1 / 3, 2 / 3, 0.0625]])
    graphite = shipped()["C"].structure
    assert len(lonsdaleite) == len(graphite) == 4
    energy(lonsdaleite, -9.0)
    (carbon,) = elements.references(["C"], METHOD)
    assert carbon.ground_state is False
    assert elements.to_compute(["C", "Al"], METHOD) == ["Al", "C"]
    energy(graphite, -9.2)
    assert elements.references(["C"], METHOD)[0].ground_state is True
    assert elements.to_compute(["C"], METHOD) == []


def test_the_mirror_image_of_a_ground_state_is_the_ground_state(database):
    helix = shipped()["Te"].structure
    mirrored = Structure(helix.lattice, helix.species, -helix.frac_coords)
    energy(mirrored, -3.1)
    assert elements.references(["Te"], METHOD)[0].ground_state is True


def test_a_phase_says_what_it_stands_for(database):
    energy(shipped()["Mn"].structure, -9.0)
    energy(shipped()["O"].structure, -4.9)
    oxygen, manganese = elements.references(["Mn", "O"], METHOD)
    assert (oxygen.phase, oxygen.stands_for) == ("molecule in a box", "the crystal of its molecules")
    assert manganese.stands_for == "A12, 29 atoms, antiferromagnetic"


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({}, "fermiloop references build --engine gpaw --elements O Sr"),
        ({"cutoff": 600}, "fermiloop references build --engine gpaw --settings cutoff=600 --elements O Sr"),
    ],
)
def test_the_command_can_be_typed(settings, told):
    assert elements.command(["Sr", "O"], "gpaw", settings) == told


def test_what_an_engine_does_not_compute_is_told_with_the_reason():
    found = elements.refused(["O", "Al", "Tc"], "gpaw", {})
    assert set(found) == {"O", "Tc"}
    assert "600 eV" in found["O"]
    with pytest.raises(InputError, match="cutoff of the gpaw engine must be a number, not 'abc'"):
        elements.refused(["O"], "gpaw", {"cutoff": "abc"})


def test_shipped_crystals_are_saved_where_there_is_none(database):
    aluminium = materials.save(PROTOTYPES["A2"].build("Al", None, 16.5), origin=Origin.IMPORT, source={"name": "here"})
    elements.save_shipped(["Al", "O"])
    assert materials.within(["Al"]) == [aluminium]
    (oxygen,) = materials.find_formula("O2")
    assert oxygen.source["name"] == "fermiloop element references"
    assert materials.molecules() == {oxygen.id}
