"""Hulls of stored materials: shown, computed in a sensible order, and labels that follow new references."""

from __future__ import annotations

import pytest

from fermiloop.db_init.element_references import shipped
from fermiloop.flows.campaigns import hulls
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.store import labels, materials, training
from fermiloop.schemas.vocabulary import Origin, Property

METHOD = "method-of-tests"


def save(structure, energy=None, method=METHOD, **others):
    key = materials.save(structure, origin=Origin.IMPORT, source={"name": "here"})
    if energy is not None:
        labels.save(key, Property.ENERGY_PER_ATOM, energy, method=method)
    for name, value in others.items():
        labels.save(key, name, value, method=method)
    return key


@pytest.fixture
def nickel_aluminium(database):
    """Two elements and two compounds, one of them on the hull: NiAl at -0.6 eV/atom, Ni3Al 0.1 above the line."""
    return {
        "Al": save(PROTOTYPES["A1"].build("Al", None, 16.5), -3.5),
        "NiAl": save(PROTOTYPES["B2"].build("Al", "Ni", 12.0), -5.1),
        "Ni3Al": save(PROTOTYPES["L1_2"].build("Ni", "Al", 11.5), -5.125),
    }


def nickel():
    return save(PROTOTYPES["A1"].build("Ni", None, 10.9), -5.5)


def test_a_hull_has_only_what_has_references(nickel_aluminium):
    assert [one.formula for one in hulls.phases(["Al", "Ni"], METHOD)] == ["Al"]
    nickel()
    found = {one.formula: one for one in hulls.phases(["Al", "Ni"], METHOD)}
    assert found["AlNi"].formation_energy_per_atom == pytest.approx(-0.6)
    assert found["AlNi"].is_stable
    assert found["AlNi3"].energy_above_hull == pytest.approx(0.175)
    assert not found["AlNi3"].is_stable
    assert hulls.phases(["Al"], METHOD)[0].energy_above_hull == 0.0


def test_labels_follow_a_new_reference_once(nickel_aluminium):
    assert hulls.restate(["Ni"], METHOD) == 0
    nickel()
    assert hulls.restate(["Ni"], METHOD) == 4
    keys = nickel_aluminium
    formation = labels.values(keys.values(), Property.FORMATION_ENERGY_PER_ATOM, METHOD)
    assert formation == {keys["NiAl"]: pytest.approx(-0.6), keys["Ni3Al"]: pytest.approx(-0.125)}
    above = labels.values(keys.values(), Property.ENERGY_ABOVE_HULL, METHOD)
    assert above[keys["NiAl"]] == pytest.approx(-0.6 + 0.125 * 2 / 3)  # without itself: the line from Al to Ni3Al
    assert hulls.restate(["Ni"], METHOD) == 0


def test_other_systems_and_methods_are_left_alone(nickel_aluminium):
    nickel()
    assert hulls.restate(["Cu"], METHOD) == 0
    assert hulls.restate(["Ni"], "method-another") == 0


def test_the_most_stable_by_any_method_come_first(database):
    bare = save(PROTOTYPES["B1"].build("V", "O", 9.0))
    far = save(PROTOTYPES["B3"].build("V", "O", 11.0), -7.0, "method-a", energy_above_hull=0.4)
    near = save(PROTOTYPES["C1"].build("O", "V", 9.5), -7.0, "method-b", energy_above_hull=0.02)
    formed = save(PROTOTYPES["B2"].build("V", "O", 9.0), -6.0, "method-b", formation_energy_per_atom=-1.0)
    save(PROTOTYPES["A2"].build("V", None, 13.4))
    save(PROTOTYPES["B1"].build("Ti", "O", 9.0))
    assert hulls.to_compute(["V", "O"], METHOD) == [near, far, formed, bare]
    assert hulls.to_compute(["V", "O"], "method-b")[:1] == [far]


def test_nothing_learns_from_molecules(database):
    oxygen = save(shipped()["O"].structure, -4.9)
    aluminium = save(PROTOTYPES["A1"].build("Al", None, 16.5), -3.5)
    assert oxygen != aluminium
    assert training.materials_of(METHOD) == [aluminium]
