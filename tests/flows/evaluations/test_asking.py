"""Crystals that are handed over: refused before anything is queued, computed once, recorded exactly once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pymatgen.core import Structure

from fermiloop.flows.campaigns import elements
from fermiloop.flows.driving import computing, triage
from fermiloop.flows.engines.steps import isolation
from fermiloop.flows.evaluations import asking
from fermiloop.flows.evaluations.asking import Given
from fermiloop.flows.evaluations.outcomes import Outcome, outcomes
from fermiloop.flows.evaluations.record import record_evaluation
from fermiloop.flows.queue.documents import fireworks
from fermiloop.flows.queue.launchpad import launchpad
from fermiloop.platform.errors import InputError, UserError
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.store import calculations, labels, materials, spectra
from fermiloop.schemas.curve_kinds import SpectrumKind
from fermiloop.schemas.vocabulary import CalculationState, Origin, Property

CUBIC = PROTOTYPES["L1_2"].build("Ti", "Cu", 13.0)
NEAR = PROTOTYPES["B2"].build("Ti", "Ni", 13.25)  # Å³ per atom, near the bottom of its energy
B2 = PROTOTYPES["B2"].build("Al", "Ni", 12.1)


def given(*structures: Structure) -> list[Given]:
    return [Given(one, f"{i}.cif") for i, one in enumerate(structures)]


def n_queued() -> int:
    pad = launchpad()
    try:
        return len(fireworks.not_begun(pad, 100))
    finally:
        pad.connection.close()


def test_crystals_are_computed_and_a_repeat_pays_nothing(database: str) -> None:
    ids = asking.launch(given(CUBIC, B2), "analytic", {})
    first = computing.run(ids, workers=None)
    assert [(one.formula, one.state, one.has_curve) for one in first] == [
        ("Ti3Cu", "completed", True),
        ("AlNi", "completed", True),
    ]
    assert asking.launch(given(CUBIC, B2), "analytic", {}) == ids
    assert n_queued() == 0
    assert computing.run(ids, workers=None) == first
    kept = calculations.get(ids[0])
    assert (kept.handed_over, kept.campaign, kept.ingested, kept.attempts) == ("0.cif", None, True, 1)
    assert kept.core_seconds == pytest.approx(first[0].core_seconds, abs=0.01)
    assert kept.core_seconds > 0
    found = materials.get(str(first[0].material))
    assert (found.origin, found.source["key"]) == (Origin.IMPORT, "0.cif")
    assert labels.values([found.id], Property.ENERGY_PER_ATOM, kept.method)[found.id] == first[0].energy_per_atom


def test_one_crystal_is_one_calculation_in_whatever_cell(database: str) -> None:
    ids = asking.launch(given(CUBIC, CUBIC * (2, 1, 1)), "analytic", {})
    assert ids[0] == ids[1]
    assert len(calculations.get(ids[0]).structure["sites"]) == 4


def test_what_a_campaign_planned_in_another_cell_is_not_paid_again(database: str) -> None:
    cell = CUBIC * (2, 1, 1)
    made = elements.method("analytic", {})
    planned = calculations.plan("c-1", cell, engine="analytic", method=made.id, settings={}, campaign="pd-like")
    assert planned != calculations.id_of(asking.cell_of(cell), made.id)
    assert asking.launch(given(cell), "analytic", {}) == [planned]
    (other,) = asking.launch(given(B2 * (1, 1, 2)), "analytic", {})
    known = asking.known_cell(B2 * (1, 1, 2), made.id)
    assert known is not None
    assert calculations.id_of(known, made.id) == other  # a candidate in such a cell takes this calculation
    assert asking.known_cell(NEAR, made.id) is None


def test_a_crystal_as_it_is_is_another_calculation_that_no_step_relaxes(database: str) -> None:
    relaxed, still = (asking.launch(given(B2), "analytic", {}, relax=one)[0] for one in (True, False))
    assert relaxed != still
    assert computing.run([still], workers=None)[0].relaxed is False
    assert not isolation.step_folder(still, "relax").exists()
    volume = calculations.get(still).result["computed_cell"]["volume"]
    assert volume == pytest.approx(B2.volume, rel=1e-3)


def test_numbers_of_a_crystal_as_it_is_change_nothing_of_the_relaxed_one(database: str) -> None:
    ids = asking.launch(given(B2), "analytic", {})
    done = computing.run(ids, workers=None)[0]
    off = materials.structure(str(done.material)).copy()
    off.scale_lattice(off.volume * 1.01)  # the same material, of a higher energy
    still = computing.run(asking.launch(given(off), "analytic", {}, relax=False), workers=None)[0]
    assert still.material == done.material
    assert still.energy_per_atom > done.energy_per_atom  # type: ignore[operator]
    known = labels.values([str(done.material)], Property.ENERGY_PER_ATOM, done.method)
    assert known == {done.material: done.energy_per_atom}
    curve = spectra.of_material(str(done.material), method=done.method)
    assert curve is not None
    assert curve.calculation == done.calculation


def test_a_relaxed_curve_takes_the_place_of_that_of_the_crystal_as_it_was(database: str) -> None:
    settings = {"curve": "phonon_dos"}
    still, done = computing.run(
        [asking.launch(given(NEAR), "analytic", settings, relax=relax)[0] for relax in (False, True)], workers=None
    )
    assert done.material == still.material
    for kind in (SpectrumKind.DOS, SpectrumKind("phonon_dos")):
        curve = spectra.of_material(str(done.material), kind, method=done.method)
        assert curve is not None
        assert curve.calculation == done.calculation


def test_one_that_fails_is_told_and_hurts_nobody_else(database: str) -> None:
    bad, good = (asking.launch(given(one), "analytic", dict(more))[0] for one, more in (
        (CUBIC, {"fail": "raise"}), (B2, {}),
    ))  # fmt: skip
    found = computing.run([bad, good], workers=None)
    assert [one.state for one in found] == ["failed", "completed"]
    assert found[0].reason == "relax: asked to fail"
    assert asking.launch(given(CUBIC), "analytic", {"fail": "raise"}) == [bad]  # known to fail, and not paid again
    assert n_queued() == 0


def test_one_that_failed_is_tried_again_by_other_settings_of_the_same_method(database: str) -> None:
    (bad,) = asking.launch(given(CUBIC), "analytic", {"fail": "raise"})
    assert asking.launch(given(CUBIC), "analytic", {"steps": 100}) == [bad]  # it is queued, with its settings
    assert computing.run([bad], workers=None)[0].state == "failed"
    assert asking.launch(given(CUBIC), "analytic", {"steps": 300}) == [bad]
    assert computing.run([bad], workers=None)[0].state == "completed"
    assert asking.launch(given(CUBIC), "analytic", {"steps": 400}) == [bad]  # done, and not paid again
    assert (n_queued(), calculations.get(bad).settings) == (0, {"steps": 300})


def test_one_that_lacks_a_property_is_recorded_and_tried_again_where_asked(database: str) -> None:
    (key,) = asking.launch(given(B2), "gpaw-hydrogen", {})
    why = {"hydrogen_interstitial_energy": "1 of 2 sites did not end"}
    step = isolation.step_folder(key, "hydrogen")
    step.mkdir(parents=True)

    def computed(**more: Any) -> Outcome:
        output = {"structure": B2.as_dict(), "energy": -10.0, "gap": 0.0, **more}
        (step / isolation.OUTPUT).write_text(json.dumps(output), encoding="utf-8")
        calculations.start(key, "here")
        assert record_evaluation(key) == CalculationState.COMPLETED
        return outcomes([key])[0]

    first = computed(missing=why)
    assert (first.energy_per_atom, first.missing, first.reason) == (-5.0, why, None)
    assert calculations.get(key).result["missing"] == why
    assert Property.HYDROGEN_INTERSTITIAL_ENERGY not in {row.property for row in labels.of_calculations([key])}
    assert asking.launch(given(B2), "gpaw-hydrogen", {}) == [key]  # nothing that would end otherwise
    assert calculations.get(key).state is CalculationState.COMPLETED

    assert asking.launch(given(B2), "gpaw-hydrogen", {"hydrogen_steps": 60}) == [key]
    assert outcomes([key])[0].state == "waiting"
    assert isolation.read_output(step) is None
    assert computed(missing=why).missing == why
    assert triage.rerun([key]) == 1
    done = computed(properties={"hydrogen_interstitial_energy": -0.1})
    assert done.missing == {}
    assert done.material == first.material
    known = labels.values([str(done.material)], Property.HYDROGEN_INTERSTITIAL_ENERGY, done.method)
    assert known == {done.material: -0.1}
    with pytest.raises(UserError, match="lacks a property"):
        triage.rerun([key])


@pytest.mark.parametrize(
    ("structures", "engine", "settings", "relax", "told"),
    [
        ((B2, PROTOTYPES["B1"].build("Mg", "O", 9.4)), "gpaw", {}, True, r"does not compute MgO \(1.cif\): O needs a"),
        ((B2,), "gpaw", {"cutof": 500}, True, "did you mean cutoff"),
        ((B2,), "recorded", {}, True, "name it by its setting file"),
        ((), "analytic", {}, True, "No crystal"),
        ((PROTOTYPES["B2"].build("Am", "Ni", 16.0),), "chgnet", {}, True, "CHGNet knows elements up to Pu, not Am"),
        ((PROTOTYPES["A1"].build("Kr", None, 300.0),), "chgnet-phonon", {}, False, "Kr on site 0 has no neighbour"),
    ],
)
def test_what_cannot_be_computed_is_refused_before_anything_is_queued(
    database: str, structures: tuple[Structure, ...], engine: str, settings: dict[str, Any], relax: bool, told: str
) -> None:
    with pytest.raises(InputError, match=told):
        asking.launch(given(*structures), engine, settings, relax=relax)
    assert calculations.handed_over() == []
    assert n_queued() == 0


def test_a_crystal_that_cannot_be_relaxed_by_these_settings_is_computed_as_it_is() -> None:
    oxide = given(PROTOTYPES["B1"].build("Mg", "O", 9.4))
    with pytest.raises(InputError, match=r"does not compute MgO \(0.cif\): O needs a cutoff of 800 eV where cells"):
        asking.check(oxide, "gpaw", {"cutoff": 600})
    assert asking.check(oxide, "gpaw", {"cutoff": 600}, relax=False).settings["cutoff"] == 600


def test_an_engine_that_takes_no_crystal_as_it_is_says_so(tmp_path: Path) -> None:
    answers = tmp_path / "answers.jsonl"
    answers.write_text(json.dumps({"structure": B2.as_dict(), "energy": -1.0}), encoding="utf-8")
    with pytest.raises(InputError, match="without relaxing"):
        asking.check(given(B2), "recorded", {"file": str(answers)}, relax=False)


def test_recording_twice_changes_nothing(database: str) -> None:
    ids = asking.launch(given(B2), "analytic", {})
    done = computing.run(ids, workers=None)
    before = [(row.id, row.value) for row in labels.of_calculations(ids)]
    assert record_evaluation(ids[0]) == CalculationState.COMPLETED
    assert [(row.id, row.value) for row in labels.of_calculations(ids)] == before
    assert outcomes(ids) == done
