"""Record: what an evaluation found goes into the store, exactly once; what failed, with its reason and cost.

Every write can be repeated and changes nothing the second time; the calculation is marked last. So a
worker killed between any two of them leaves nothing that the rerun would not repair.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jobflow import Maker, OnMissing, job

from fermiloop.flows.campaigns.steps import cheap_method_of, logger, step
from fermiloop.flows.campaigns.targets import curve_and_fault, resolve
from fermiloop.flows.engines.protocol import Curve, EvaluationResult
from fermiloop.flows.engines.steps import isolation
from fermiloop.flows.evaluations import storing
from fermiloop.flows.queue.giving_back import AWAY, release
from fermiloop.platform.campaign import goal, scores
from fermiloop.platform.campaign.spec import CampaignSpec
from fermiloop.platform.errors import UserError
from fermiloop.platform.plugins.properties import learned
from fermiloop.platform.store import calculations, campaigns, candidates, labels, materials, spectra
from fermiloop.schemas.calculation import Calculation
from fermiloop.schemas.candidate import Candidate
from fermiloop.schemas.curve_kinds import SpectrumKind
from fermiloop.schemas.vocabulary import Alignment, CalculationState, Origin, Property, RoundState, Stage


@dataclass
class RecordMaker(Maker):
    """Ingestion of one evaluation."""

    name: str = "record"

    def make(self, campaign: str, number: int, candidate_id: str, outputs: Any = None) -> Any:
        """Job that records one evaluation, whatever became of it."""
        made = record(campaign, number, candidate_id, outputs)
        made.name = self.name
        made.config.on_missing_references = OnMissing.NONE
        return made


@job
def record(campaign: str, number: int, candidate_id: str, outputs: Any = None) -> str:
    """Stage that the candidate came to."""
    return record_evaluation(campaign, number, candidate_id, outputs)


def record_evaluation(campaign: str, number: int, candidate_id: str, outputs: Any = None) -> str:
    """Write down what an evaluation found; without its outputs, what it left on disk. Stage of the candidate."""
    with step(campaign, number, f"record {candidate_id}") as spec:
        candidate = candidates.get(candidate_id)
        calculation = calculations.get(candidate.calculation)
        if calculation.state is CalculationState.COMPLETED and calculation.result.get("material"):
            return adopt(spec, candidate, calculation)
        found = storing.result_of(calculation, outputs)
        if isinstance(found, str) and calculation.stop_requested and not calculation.attempts:
            release(candidate)  # told not to begin, which is no failure
            return str(Stage.PASSED)
        cost = isolation.core_seconds(calculation.id)
        made = found if isinstance(found, str) else _ingested(spec, candidate, calculation, found)
        if isinstance(made, str):
            reason = calculation.error or made  # where that was noted before, perhaps on another machine
            calculations.finish(calculation.id, CalculationState.FAILED, core_seconds=cost, error=reason)
            candidates.update(candidate.id, stage=Stage.FAILED, reason=reason)
            logger.info("round %d of %s: %s failed: %s", number, campaign, candidate.formula, reason)
            return str(Stage.FAILED)
        known, result, told = made
        candidates.update(candidate.id, stage=Stage.EVALUATED, reason=told, material=result["material"], scores=known)
        late = campaigns.round_of(campaign, number).state is RoundState.CLOSED
        done = CalculationState.COMPLETED
        if not calculations.finish(calculation.id, done, core_seconds=cost, result=result, late=late):
            calculations.mark_ingested(calculation.id, late=late)
        logger.info("round %d of %s: %s computed, score %s", number, campaign, candidate.formula, known["score"])
        return str(Stage.EVALUATED)


def _ingested(
    spec: CampaignSpec, candidate: Candidate, calculation: Calculation, found: EvaluationResult
) -> tuple[dict[str, Any], dict[str, Any], str | None] | str:
    """Scores of a candidate, what its calculation keeps as its result, and its reason; or why it cannot be recorded.

    Tried again and again it could not be either, and its campaign would wait for it for ever.
    """
    try:
        calculation.method = storing.method_that_ran(calculation, found)
        material, numbers = ingest(spec, candidate, calculation, found)
        known, told = judged(spec, candidate, found, numbers)
    except AWAY:
        raise
    except Exception as error:  # noqa: BLE001  (whatever it was)
        kind = "" if isinstance(error, UserError) else f"{type(error).__name__}: "
        return f"its result cannot be recorded: {kind}{' '.join(str(error).split())}"[:500]
    return known, storing.told_of(material, found, scores.computed_part(known)), told


def ingest(
    spec: CampaignSpec, candidate: Candidate, calculation: Calculation, found: EvaluationResult
) -> tuple[str, dict[str, float]]:
    """Save material, curve and labels of a result; id of the material, and the labels."""
    source = {"name": f"campaign {candidate.campaign}", "key": candidate.id, "licence": "the campaign owner's"}
    material = materials.save(
        found.structure,
        origin=Origin.CAMPAIGN,
        source=source,
        prototype=candidate.detail.get("prototype"),
        candidate=candidate.id,
    )
    numbers = storing.store(calculation, material, found)
    cheap = candidate.scores.get("potential_energy_per_atom")
    if cheap is not None:  # so that later rounds measure their cheap hull against it as well
        labels.save(material, Property.ENERGY_PER_ATOM, cheap, method=cheap_method_of(spec))
    return material, numbers


def judged(
    spec: CampaignSpec, candidate: Candidate, found: EvaluationResult, numbers: Mapping[str, float]
) -> tuple[dict[str, Any], str | None]:
    """All scores of an evaluated candidate, whose material has these labels, and why it has no curve to compare."""
    target, (curve, fault) = resolve(spec), curve_and_fault(found, spec)
    computed = {} if found.energy_per_atom is None else {"energy_per_atom": found.energy_per_atom}
    computed |= {name: numbers[name] for name in learned() if name != Property.ENERGY_PER_ATOM and name in numbers}
    if target.curve is not None:
        computed["similarity"] = 0.0 if curve is None else float(target.similarity(curve))
    score, hit = goal.score_of(target, computed)
    told = f"its similarity counts as 0: {fault}" if fault is not None else None
    return scores.evaluated(candidate.scores, computed | {"score": score}, hit=hit), told


def adopt(spec: CampaignSpec, candidate: Candidate, calculation: Calculation) -> str:
    """Give a candidate the result of a calculation that was finished before, by a rerun or another campaign."""
    material = str(calculation.result["material"])
    curve = spectra.of_material(material, method=calculation.method, wanted=Alignment.MIDGAP)
    found = EvaluationResult(
        structure=materials.structure(material),
        energy_per_atom=calculation.result.get("energy_per_atom"),
        energies=curve.points() if curve else None,
        density=curve.array() if curve else None,
        gap=curve.gap if curve else None,
        curves=_other_curves(material, calculation.method),
    )
    stored = labels.of_materials([material])  # the latest version comes last
    numbers = {row.property: row.value for row in stored if row.method == calculation.method}
    known, told = judged(spec, candidate, found, numbers)
    candidates.update(candidate.id, stage=Stage.EVALUATED, reason=told, material=material, scores=known)
    calculations.mark_ingested(calculation.id)
    return str(Stage.EVALUATED)


def _other_curves(material: str, method: str) -> dict[str, Curve]:
    """What is stored of other kinds than a density of states by a Method."""
    stored = [one for one in spectra.all_of_material(material) if one.method == method]
    return {str(one.kind): (one.points(), one.array()) for one in stored if one.kind is not SpectrumKind.DOS}
