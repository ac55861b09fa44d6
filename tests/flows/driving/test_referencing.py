"""Elements and known phases by an engine: computed once, references for hulls, refused before anything is paid."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fermiloop.flows.campaigns import elements, hulls
from fermiloop.flows.driving import referencing
from fermiloop.flows.driving.referencing import How
from fermiloop.flows.engines.lookup import code_of
from fermiloop.flows.queue.launchpad import launchpad
from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.store import calculations, labels, materials
from fermiloop.schemas.vocabulary import CalculationState, Origin, Property

ANALYTIC = How("analytic", {})


def save(name, *symbols, volume=12.0):
    crystal = PROTOTYPES[name].build(symbols[0], symbols[1] if len(symbols) > 1 else None, volume)
    return materials.save(crystal, origin=Origin.IMPORT, source={"name": "here"})


def queued():
    pad = launchpad()
    try:
        return len(pad.get_wf_ids())
    finally:
        pad.connection.close()


def test_references_are_computed_once_and_labels_follow(database):
    compound = save("B2", "Al", "Ni")
    built = referencing.phases(["Al", "Ni"], 5, ANALYTIC)
    assert [one.state for one in built.outcomes] == ["completed"] * 3
    assert elements.lacking(["Al", "Ni"], built.method) == []
    formation = labels.values(materials.within(["Al", "Ni"]), Property.FORMATION_ENERGY_PER_ATOM, built.method)
    assert compound in formation or len(formation) == 1
    shown = hulls.phases(["Al", "Ni"], built.method)
    assert sorted(one.formula for one in shown) == ["Al", "AlNi", "Ni"]
    count = queued()
    again = referencing.references(["Al", "Ni"], ANALYTIC)
    assert queued() == count
    assert [one.state for one in again.outcomes] == ["completed"] * 2
    assert again.restated == 0


def test_what_was_computed_before_its_elements_gets_its_formation_energy(database):
    compound = save("B2", "Al", "Ni")
    method = elements.method("analytic", {}).id
    labels.save(compound, Property.ENERGY_PER_ATOM, -0.5, method=method)
    assert labels.values([compound], Property.FORMATION_ENERGY_PER_ATOM, method) == {}
    assert referencing.references(["Al", "Ni"], ANALYTIC).restated == 2
    low = {one.element: one.energy_per_atom for one in elements.references(["Al", "Ni"], method)}
    found = labels.values([compound], Property.FORMATION_ENERGY_PER_ATOM, method)
    assert found[compound] == pytest.approx(-0.5 - (low["Al"] + low["Ni"]) / 2)


def test_one_that_the_engine_refuses_stops_all_of_a_list_and_is_left_out_of_everything(database, monkeypatch):
    def refuses(structure, _settings):
        return "it is too heavy" if structure.symbol_set != ("Li",) else None

    heavy = replace(code_of("analytic"), refuses=refuses)
    monkeypatch.setattr("fermiloop.flows.engines.analytic.engine.ENGINE", heavy)
    with pytest.raises(InputError, match=r"does not compute Al .reference of Al.: it is too heavy"):
        referencing.references(["Li", "Al"], ANALYTIC)
    assert queued() == 0
    assert calculations.find() == []
    built = referencing.references(None, ANALYTIC)
    assert [one.formula for one in built.outcomes] == ["Li"]
    assert built.refused["Al"] == "it is too heavy"


def test_left_to_other_workers_nothing_is_computed(database):
    built = referencing.references(["Al", "Ni"], replace(ANALYTIC, queue=True))
    assert {one.state for one in built.outcomes} == {str(CalculationState.WAITING)}
    assert queued() == 2
    assert built.restated == 0


def test_a_corrected_method_takes_the_energies_over(database):
    save("B1", "Mg", "Cl", volume=15.0)
    plain = referencing.phases(["Mg", "Cl"], 5, ANALYTIC)
    count = queued()
    corrected = referencing.references(["Mg", "Cl"], How("analytic", {"reference_corrections": {"Cl": 0.3}}))
    assert queued() == count
    assert corrected.method != plain.method
    before = {one.formula: one.formation_energy_per_atom for one in hulls.phases(["Mg", "Cl"], plain.method)}
    after = {one.formula: one.formation_energy_per_atom for one in hulls.phases(["Mg", "Cl"], corrected.method)}
    assert after["MgCl"] == pytest.approx(before["MgCl"] - 0.15)
    assert after["Cl2"] == pytest.approx(0.0)


def test_a_corrected_method_gets_the_ground_state_where_only_another_phase_was_computed(database):
    high = save("A1", "Ti", volume=17.0)
    labels.save(high, Property.ENERGY_PER_ATOM, -1.0, method=elements.method("analytic", {}).id)
    how = How("analytic", {"reference_corrections": {"Al": 0.3}})
    built = referencing.references(["Ti"], how)
    assert [(one.formula, one.state) for one in built.outcomes] == [("Ti", "completed")]
    assert elements.to_compute(["Ti"], built.method) == []
    assert referencing.phases(["Ti"], 5, how).outcomes == []


def test_phases_that_failed_leave_their_place_to_the_next_and_are_told(database):
    for symbol, volume in (("Cu", 12.0), ("Ni", 12.1), ("Pt", 15.0)):
        save("B2", "Al", symbol, volume=volume)
    failing = How("analytic", {"fail": "raise"})
    first = [one for one in referencing.phases(["Al", "Cu", "Ni", "Pt"], 1, failing).outcomes if "Al" in one.formula]
    again = referencing.phases(["Al", "Cu", "Ni", "Pt"], 1, failing).outcomes
    compounds = [one.formula for one in again if one.formula not in {"Al", "Cu", "Ni", "Pt"}]
    failed = [one.formula for one in first if one.formula != "Al"]
    assert len(failed) == 1
    assert compounds[0] == failed[0]
    assert len(compounds) == 2


def test_a_phase_that_came_with_moments_is_computed_with_them(database):
    crystal = PROTOTYPES["B2"].build("Al", "Ni", 12.0)
    ordered = crystal.copy(site_properties={"magmom": [0.0, 0.6]})
    materials.save(ordered, origin=Origin.IMPORT, source={"name": "here"})
    built = referencing.phases(["Al", "Ni"], 5, replace(ANALYTIC, queue=True))
    (compound,) = [one for one in built.outcomes if one.formula == "AlNi"]
    given = calculations.get(compound.calculation).structure["sites"]
    assert [site["properties"]["magmom"] for site in given] == [0.0, 0.6]


def test_known_phases_of_a_corrected_method_are_not_paid_again(database):
    save("B1", "Mg", "Cl", volume=15.0)
    referencing.phases(["Mg", "Cl"], 5, ANALYTIC)
    count = queued()
    corrected = referencing.phases(["Mg", "Cl"], 5, How("analytic", {"reference_corrections": {"Cl": 0.3}}))
    assert (queued(), corrected.outcomes) == (count, [])
    assert sorted(one.formula for one in hulls.phases(["Mg", "Cl"], corrected.method)) == ["Cl2", "Mg", "MgCl"]


def test_an_element_is_its_own_reference_with_its_correction(database):
    built = referencing.references(["Al"], How("analytic", {"reference_corrections": {"Al": 0.3}}))
    (aluminium,) = built.outcomes
    assert aluminium.formation_energy_per_atom == pytest.approx(0.0)


@pytest.mark.parametrize("build", [referencing.references, lambda symbols, how: referencing.phases(symbols, 5, how)])
def test_an_engine_that_gives_no_energies_has_no_references(database, build):
    settings = {"maker": "fermiloop.tests:Maker", "outputs": {"bulk_modulus": "k"}}
    with pytest.raises(InputError, match="engine flow gives no energy_per_atom with these settings"):
        build(["Al"], How("flow", settings))


@pytest.mark.slow
def test_chgnet_gives_formation_energies_of_an_oxide(database):
    save("B1", "Mg", "O", volume=9.5)
    built = referencing.phases(["Mg", "O"], 5, How("chgnet", {}))
    assert [one.state for one in built.outcomes] == ["completed"] * 3
    (oxide,) = (one for one in hulls.phases(["Mg", "O"], built.method) if one.formula == "MgO")
    assert oxide.is_stable
    assert oxide.formation_energy_per_atom < -2.0


@pytest.mark.slow
@pytest.mark.dft
@pytest.mark.timeout(900)
def test_gpaw_gives_aluminium_a_reference(database):
    built = referencing.references(["Al"], How("gpaw", {"cutoff": 250.0, "kpoint_density": 2.0}))
    assert [one.state for one in built.outcomes] == ["completed"]
    assert elements.lacking(["Al"], built.method) == []
