"""Recording results: once, late ones too, finished work adopted, failures with their reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pymatgen.core import Structure
from pymongo.errors import AutoReconnect

from fermiloop.flows.campaigns.records import read_record
from fermiloop.flows.campaigns.steps import method_of, seed_of, spec_of
from fermiloop.flows.campaigns.targets import computed_curve, resolve
from fermiloop.flows.driving import triage
from fermiloop.flows.engines.lookup import code_of
from fermiloop.flows.engines.protocol import EvaluationResult
from fermiloop.flows.engines.steps import isolation, tasks
from fermiloop.flows.rounds import record as module
from fermiloop.flows.rounds.sample import document
from fermiloop.platform.campaign.spec import parse_spec
from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.protocol import Proposal
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.representations.spectrum import DOS_GRID
from fermiloop.platform.store import calculations, campaigns, candidates, labels, lineage, materials, spectra, training
from fermiloop.schemas.campaign import RoundDecision
from fermiloop.schemas.vocabulary import CalculationState, Property, Stage

CRYSTAL = PROTOTYPES["L1_2"].build("Ti", "Cu", 13.0)
record = module.record.original


@pytest.fixture
def selected(library: str, campaign: Any) -> str:
    """A campaign in its first round with one candidate selected; the candidate's id."""
    spec, text = campaign("rec")
    campaigns.create(spec.name, spec.as_dict(), text)
    campaigns.plan_round("rec", 1)
    campaigns.mark_launched("rec", 1)
    made = document("rec", 1, "substitution", 0, Proposal(CRYSTAL, 1.0), "ckpt-none", 5)
    candidates.save_many([made])
    calculation = calculations.plan(
        made.id, CRYSTAL, engine="analytic", method=method_of(spec_of("rec")), settings={}, campaign="rec"
    )
    candidates.update(
        made.id, stage=Stage.SELECTED, calculation=calculation, scores={"potential_energy_per_atom": -1.0}
    )
    return str(made.id)


HYDRIDES = """
name: hydrides
target: {properties: [{name: hydrogen_interstitial_energy, at_most: 0}], stable_within: null}
space: {elements: [Ti, Cu], components: [2, 2], max_sites: 4}
generators: [{name: substitution, proposals: 4}]
engine: {name: gpaw-hydrogen}
budget: {rounds: 1, evaluations: 1, per_round: 1}
"""


def test_a_candidate_without_the_property_that_is_looked_for_is_evaluated_and_no_hit(library: str) -> None:
    spec = parse_spec(HYDRIDES)
    campaigns.create(spec.name, spec.as_dict(), HYDRIDES)
    campaigns.plan_round(spec.name, 1)
    made = document(spec.name, 1, "substitution", 0, Proposal(CRYSTAL, 1.0), None, 5)
    candidates.save_many([made])
    method = method_of(spec_of(spec.name))
    calculation = calculations.plan(
        made.id, CRYSTAL, engine="gpaw-hydrogen", method=method, settings={}, campaign=spec.name
    )
    candidates.update(made.id, stage=Stage.SELECTED, calculation=calculation)
    output = {
        "structure": CRYSTAL.as_dict(),
        "energy": -20.0,
        "missing": {"hydrogen_interstitial_energy": "1 of 2 sites did not end"},
    }
    assert record(spec.name, 1, made.id, {"hydrogen": output}) == Stage.EVALUATED
    found = candidates.get(made.id)
    assert (found.scores["computed_score"], found.scores["hit"]) == (0.0, False)
    assert found.scores["computed_energy_per_atom"] == -5.0
    (told,) = read_record(spec.name).candidates
    assert told.evaluation is not None
    assert told.evaluation.missed == ("interstitial hydrogen is not known: 1 of 2 sites did not end",)
    assert triage.rerun([calculation]) == 1
    assert candidates.get(made.id).stage is Stage.SELECTED
    output = output | {"missing": {}, "properties": {"hydrogen_interstitial_energy": -0.1}}
    assert record(spec.name, 1, made.id, {"hydrogen": output}) == Stage.EVALUATED
    assert candidates.get(made.id).scores["hit"] is True


def outputs(tmp_path: Path) -> dict[str, Any]:
    return {"static": tasks.analytic_static({"structure": CRYSTAL.as_dict()}, tmp_path)}


def test_a_result_becomes_material_curve_and_labels(selected: str, tmp_path: Path) -> None:
    assert record("rec", 1, selected, outputs(tmp_path)) == Stage.EVALUATED
    candidate = candidates.get(selected)
    assert (candidate.stage, candidate.reason) == (Stage.EVALUATED, None)
    assert 0 < candidate.scores["score"] <= 1
    assert candidate.scores["hit"] is (candidate.scores["score"] >= 0.9)
    assert materials.structure(candidate.material).composition == CRYSTAL.composition
    method = calculations.get(candidate.calculation).method
    assert spectra.of_material(candidate.material, method=method) is not None
    found = {row.property for row in labels.of_calculations([candidate.calculation])}
    assert {Property.ENERGY_PER_ATOM, Property.FORMATION_ENERGY_PER_ATOM, Property.ENERGY_ABOVE_HULL} <= found


def test_what_was_computed_of_a_supercell_is_kept_per_cell_of_the_material(selected: str) -> None:
    spec, candidate = spec_of("rec"), candidates.get(selected)
    calculation = calculations.get(candidate.calculation)
    grid = np.linspace(-10.0, 10.0, 401)
    found = EvaluationResult(
        structure=CRYSTAL * (1, 1, 2), energy_per_atom=-3.0, magnetic_moment=3.0, n_electrons=50.0, energies=grid,
        density=np.full(401, 4.0),
    )  # fmt: skip
    material, numbers = module.ingest(spec, candidate, calculation, found)
    assert (materials.get(material).n_sites, materials.settings(material)[-1].n_sites) == (4, 8)
    curve = spectra.of_material(material, method=calculation.method)
    assert (curve.array().max(), curve.n_electrons) == (pytest.approx(2.0), 25.0)
    assert labels.values([material], Property.MAGNETIC_MOMENT, calculation.method) == {material: 1.5}
    assert numbers[Property.MAGNETIC_MOMENT] == 1.5


def test_recording_twice_changes_nothing(selected: str, tmp_path: Path) -> None:
    record("rec", 1, selected, outputs(tmp_path))
    n = materials.count()
    before = [(row.id, row.value) for row in labels.of_calculations([candidates.get(selected).calculation])]
    record("rec", 1, selected, outputs(tmp_path))
    assert materials.count() == n
    assert [(r.id, r.value) for r in labels.of_calculations([candidates.get(selected).calculation])] == before


def test_a_late_result_is_still_ingested(selected: str, tmp_path: Path) -> None:
    campaigns.close_round("rec", 1, counts={}, decision=RoundDecision(action="stop", reason="x"))
    record("rec", 1, selected, outputs(tmp_path))
    calculation = calculations.get(candidates.get(selected).calculation)
    assert calculation.ingested
    assert calculation.late


def test_a_failure_keeps_its_reason_and_a_later_result_mends_it(selected: str, tmp_path: Path) -> None:
    calculation = candidates.get(selected).calculation
    folder = isolation.step_folder(calculation, "relax")
    folder.mkdir(parents=True)
    isolation.write_atomically(folder / isolation.FAILURE, '{"reason": "did not converge"}')
    isolation.add_cost(folder, 12.5, "failed")
    assert record("rec", 1, selected, None) == Stage.FAILED
    found = calculations.get(calculation)
    assert found.state is CalculationState.FAILED
    assert found.error == "relax: did not converge"
    assert found.core_seconds == 12.5
    evaluation = read_record("rec").candidates[0].evaluation
    assert evaluation is not None
    assert evaluation.failed_reason == "relax: did not converge"
    (folder / isolation.FAILURE).unlink()
    assert record("rec", 1, selected, outputs(tmp_path)) == Stage.EVALUATED
    assert calculations.get(calculation).state is CalculationState.COMPLETED


def test_finished_work_that_nobody_could_tell_of_is_adopted_from_its_folder(selected: str, tmp_path: Path) -> None:
    import json

    calculation = candidates.get(selected).calculation
    folder = isolation.step_folder(calculation, "static")
    folder.mkdir(parents=True)
    isolation.write_atomically(folder / isolation.OUTPUT, json.dumps(outputs(tmp_path)["static"]))
    assert record("rec", 1, selected, None) == Stage.EVALUATED


def test_without_result_and_reason_it_fails_in_words(selected: str) -> None:
    assert record("rec", 1, selected, None) == Stage.FAILED
    assert "without a result" in candidates.get(selected).reason


def test_another_candidate_takes_over_a_finished_calculation(selected: str, tmp_path: Path) -> None:
    record("rec", 1, selected, outputs(tmp_path))
    first = candidates.get(selected)
    twin = document("rec", 1, "random_pick", 0, Proposal(CRYSTAL, 1.0), "ckpt-none", 6)
    candidates.save_many([twin])
    candidates.update(twin.id, stage=Stage.SELECTED, calculation=first.calculation)
    assert record("rec", 1, twin.id, None) == Stage.EVALUATED
    assert candidates.get(twin.id).scores["score"] == pytest.approx(first.scores["score"], abs=1e-5)


def test_a_target_that_the_store_does_not_hold_is_refused(library: str, campaign: Any) -> None:
    spec, _ = campaign("x")
    gone = spec.model_copy(update={"target": spec.target.model_copy(update={"dos": _dos("Au")})})
    with pytest.raises(InputError, match=r"holds no material Au for target\.dos"):
        resolve(gone)
    assert resolve(spec).curve is not None


def test_seeds_differ_by_place_and_are_the_same_again(campaign: Any) -> None:
    spec, _ = campaign("x")
    seeds = [seed_of(spec, number, place) for number in (1, 2) for place in (0, 1)]
    assert len(set(seeds)) == 4
    assert seeds == [seed_of(spec, number, place) for number in (1, 2) for place in (0, 1)]


def test_results_of_an_engine_keep_the_structure() -> None:
    found = code_of("chgnet").results({"relax": {"structure": CRYSTAL.as_dict(), "energy": -8.0}})
    assert isinstance(found.structure, Structure)
    assert found.energy_per_atom == -2.0


def _dos(material: str) -> Any:
    from fermiloop.platform.campaign.target_spec import DosTarget

    return DosTarget(material=material)


def test_lineage_of_a_result(selected: str, tmp_path: Path) -> None:
    record("rec", 1, selected, outputs(tmp_path))
    calculation = candidates.get(selected).calculation
    assert lineage.descendants(calculation)["material"] == candidates.get(selected).material


@pytest.mark.parametrize("reach", [5.0, 30.0])
def test_a_curve_that_cannot_be_compared_is_like_nothing_and_the_candidate_says_why(
    selected: str, reach: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    grid = np.linspace(-reach, reach, 601)
    far = np.where(np.abs(grid) > 10.0, 1.0, 0.0) if reach > 10.0 else np.ones(601)
    found = EvaluationResult(structure=CRYSTAL, energy_per_atom=-3.0, energies=grid, density=far)
    monkeypatch.setattr(module.storing, "result_of", lambda *_: found)
    assert record("rec", 1, selected, None) == Stage.EVALUATED
    candidate = candidates.get(selected)
    assert (candidate.scores["computed_similarity"], candidate.scores.hit) == (0.0, False)
    fault = "covers -5 to 5 eV, but the grid asks for -7.5 to 7.5" if reach < 10.0 else "has no area on the grid"
    assert candidate.reason.startswith(f"its similarity counts as 0: the curve {fault}")
    candidates.update(selected, checkpoint=None)  # which the store does not hold
    evaluation = read_record("rec").candidates[0].evaluation
    assert evaluation is not None
    assert evaluation.missed[-1] == candidate.reason
    assert calculations.get(candidate.calculation).state is CalculationState.COMPLETED
    spec, method = spec_of("rec"), calculations.get(candidate.calculation).method
    known = training.materials_of(method, curves=[method])  # the next round learns from it what there is
    data = training.training_set(known, DOS_GRID, method)
    assert bool(data.has_curve[data.ids.index(candidate.material)]) is (reach > 10.0)
    assert computed_curve(found, spec) is None
    module.adopt(spec, candidate, calculations.get(candidate.calculation))
    assert candidates.get(selected).reason == candidate.reason


@pytest.mark.parametrize(
    ("error", "told"),
    [(InputError("the target is gone"), "the target is gone"), (RuntimeError("no\nsuch"), "RuntimeError: no such")],
)
def test_a_result_that_cannot_be_recorded_is_a_failure_with_its_reason_and_cost(
    selected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, told: str
) -> None:
    calculation = candidates.get(selected).calculation
    folder = isolation.step_folder(calculation, "static")
    folder.mkdir(parents=True)
    isolation.add_cost(folder, 12.5, "finished")

    def judged(*_: object) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(module, "judged", judged)
        assert record("rec", 1, selected, outputs(tmp_path)) == Stage.FAILED
    found = calculations.get(calculation)
    assert (found.state, found.core_seconds) == (CalculationState.FAILED, 12.5)
    assert candidates.get(selected).reason == found.error == f"its result cannot be recorded: {told}"
    assert record("rec", 1, selected, outputs(tmp_path)) == Stage.EVALUATED


def test_while_the_database_is_away_nothing_has_failed(
    selected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def judged(*_: object) -> None:
        raise AutoReconnect("connection closed")

    monkeypatch.setattr(module, "judged", judged)
    with pytest.raises(AutoReconnect):
        record("rec", 1, selected, outputs(tmp_path))
    assert candidates.get(selected).stage is Stage.SELECTED
