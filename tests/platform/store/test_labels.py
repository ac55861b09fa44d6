"""Labels are never overwritten, and methods never mix."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from fermiloop.platform.errors import InputError
from fermiloop.platform.store import labels
from fermiloop.schemas.label import Label
from fermiloop.schemas.vocabulary import Property, Unit

GAP = Property.BAND_GAP


def test_the_same_value_is_the_same_label(method):
    first = labels.save("m-1", GAP, 1.5, method=method, calculation="calc-1")
    assert labels.save("m-1", "band_gap", 1.5, method=method, calculation="calc-2") == first
    kept = Label.objects.get(id=first)
    assert (kept.unit, kept.version, kept.calculation) == (Unit.EV, 1, "calc-1")


def test_another_value_is_another_version(method):
    ids = [labels.save("m-1", GAP, value, method=method) for value in (1.5, 1.6, 1.5)]
    assert len(set(ids)) == 3
    assert [(label.version, label.value) for label in labels.of_material("m-1")] == [(1, 1.5), (2, 1.6), (3, 1.5)]
    assert labels.values(["m-1"], GAP, method) == {"m-1": 1.5}


def test_values_of_one_result_are_saved_as_if_one_by_one(method, other_method):
    labels.save("m-1", GAP, 1.5, method=method)
    labels.save("m-1", GAP, 9.0, method=other_method)
    for _ in range(2):
        labels.save_all("m-1", {GAP: 1.6, Property.FERMI_LEVEL: 5.0}, method=method, calculation="calc-1")
    found = [(row.property, row.version, row.value) for row in labels.of_material("m-1") if row.method == method]
    assert found == [(GAP, 1, 1.5), (GAP, 2, 1.6), (Property.FERMI_LEVEL, 1, 5.0)]
    with pytest.raises(InputError, match="not a finite number"):
        labels.save_all("m-1", {GAP: 1.7, Property.FERMI_LEVEL: float("nan")}, method=method)
    assert labels.values(["m-1"], GAP, method) == {"m-1": 1.6}


def test_results_at_the_same_time_lose_nothing(method):
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda i: labels.save_all("m-1", {GAP: float(i)}, method=method), range(12)))
    kept = labels.of_material("m-1")
    assert sorted(label.value for label in kept) == [float(i) for i in range(12)]
    assert [label.version for label in kept] == list(range(1, 13))


def test_writers_at_the_same_time_lose_nothing(method):
    values = [float(i) for i in range(12)]
    with ThreadPoolExecutor(6) as pool:
        ids = list(pool.map(lambda value: labels.save("m-1", GAP, value, method=method), values))
    kept = labels.of_material("m-1")
    assert len(set(ids)) == len(kept) == 12
    assert sorted(label.value for label in kept) == values
    assert [label.version for label in kept] == list(range(1, 13))


def test_methods_do_not_mix(method, other_method):
    labels.save("m-1", GAP, 1.0, method=method)
    labels.save("m-1", GAP, 9.0, method=other_method)
    labels.save("m-2", GAP, 8.0, method=other_method)
    labels.save("m-1", Property.FERMI_LEVEL, 5.0, method=method)
    assert labels.values(["m-1", "m-2", "m-3", "m-1"], GAP, method) == {"m-1": 1.0}
    assert labels.values(["m-1", "m-2"], GAP, other_method) == {"m-1": 9.0, "m-2": 8.0}


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_value_leaves_nothing(method, value):
    with pytest.raises(InputError, match="not a finite number"):
        labels.save("m-1", GAP, value, method=method)
    assert labels.of_material("m-1") == []


def test_an_unknown_property(method):
    with pytest.raises(InputError, match=r"'bandgap' is unknown; known are .*band_gap"):
        labels.save("m-1", "bandgap", 1.0, method=method)
    with pytest.raises(InputError, match="'bandgap' is unknown"):
        labels.values(["m-1"], "bandgap", method)


def test_save_many_keeps_what_is_there(method):
    made = [Label.make(f"m-{i}", GAP, float(i), method=method, calculation=None, version=1) for i in range(3)]
    assert labels.save_many(made[:2]) == 2
    assert labels.save_many(made) == 1
    assert labels.values(["m-0", "m-1", "m-2"], GAP, method) == {"m-0": 0.0, "m-1": 1.0, "m-2": 2.0}


def test_those_of_calculations(method):
    made = labels.save("m-1", GAP, 1.0, method=method, calculation="calc-1")
    labels.save("m-2", GAP, 1.0, method=method, calculation="calc-2")
    assert [label.id for label in labels.of_calculations(["calc-1", "calc-none"])] == [made]


def test_a_hull_takes_every_subsystem_of_one_method(stored, method, other_method):
    energies = {"Al": -3.7, "Ni": -5.5, "Ti": -7.7}
    ids = {name: stored(name) for name in energies}
    for name, energy in energies.items():
        labels.save(ids[name], "energy_per_atom", energy, method=method)
    ids["AlNi"], ids["TiNi"] = stored("Ni", "Al"), stored("Ti", "Ni")
    labels.save(ids["AlNi"], "energy_per_atom", -5.2, method=method)
    labels.save(ids["AlNi"], "energy_per_atom", -5.3, method=method)
    labels.save(ids["TiNi"], "energy_per_atom", -7.0, method=method)
    ids["AlNi3"] = stored("Ni", "Al", prototype="L1_2")
    labels.save(ids["AlNi3"], "energy_per_atom", -99.0, method=other_method)
    assert {key: (amounts, energy) for amounts, energy, key in labels.hull_entries(["Ni", "Al"], method)} == {
        ids["Al"]: ({"Al": 1.0}, -3.7),
        ids["Ni"]: ({"Ni": 1.0}, -5.5),
        ids["AlNi"]: ({"Al": 1.0, "Ni": 1.0}, -5.3),
    }
    assert labels.hull_entries(["Pd"], method) == []
