"""Record: what an evaluation found goes into the store, exactly once; what failed, with its reason and cost.

Every write can be repeated and changes nothing the second time; the calculation is marked last. So a
worker killed between any two of them leaves nothing that the rerun would not repair.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jobflow import Maker, OnMissing, job
from pymatgen.core import Composition

from fermiloop.flows.campaigns.steps import cheap_method_of, logger, step
from fermiloop.flows.campaigns.targets import computed_curve, resolve
from fermiloop.flows.engines import sanity
from fermiloop.flows.engines.lookup import code_of
from fermiloop.flows.engines.protocol import Curve, EvaluationResult
from fermiloop.flows.engines.steps import failures, isolation
from fermiloop.flows.queue.giving_back import release
from fermiloop.flows.queue.reasons import reason_of
from fermiloop.platform.campaign import goal, scores
from fermiloop.platform.campaign.spec import CampaignSpec
from fermiloop.platform.errors import EngineError
from fermiloop.platform.plugins.engines import EngineDeclaration, engine
from fermiloop.platform.plugins.properties import PROPERTIES, grows, learned
from fermiloop.platform.screening.hull import Hulls
from fermiloop.platform.store import calculations, campaigns, candidates, labels, materials, methods, spectra
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
        found = _result(calculation, outputs)
        if isinstance(found, str) and calculation.stop_requested and not calculation.attempts:
            release(candidate)  # told not to begin, which is no failure
            return str(Stage.PASSED)
        cost = isolation.core_seconds(calculation.id)
        if isinstance(found, str):  # nothing of it is in the store
            calculations.finish(calculation.id, CalculationState.FAILED, core_seconds=cost, error=found)
            candidates.update(candidate.id, stage=Stage.FAILED, reason=found)
            logger.info("round %d of %s: %s failed: %s", number, campaign, candidate.formula, found)
            return str(Stage.FAILED)
        calculation.method = method_that_ran(calculation, found)
        material, numbers = ingest(spec, candidate, calculation, found)
        known = judged(spec, candidate, found, numbers)
        candidates.update(candidate.id, stage=Stage.EVALUATED, reason=None, material=material, scores=known)
        told = {**scores.computed_part(known), **found.computed_by(), "computed_cell": found.per_cell()}
        energy = {} if found.energy_per_atom is None else {"energy_per_atom": found.energy_per_atom}
        result = {"material": material, **energy, **told}
        late = campaigns.round_of(campaign, number).state is RoundState.CLOSED
        done = CalculationState.COMPLETED
        if not calculations.finish(calculation.id, done, core_seconds=cost, result=result, late=late):
            calculations.mark_ingested(calculation.id, late=late)
        logger.info("round %d of %s: %s computed, score %s", number, campaign, candidate.formula, known["score"])
        return str(Stage.EVALUATED)


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
    method, made_by = calculation.method, calculation.id
    factor = materials.per_cell(material, found.structure)
    if found.energies is not None and found.density is not None:
        spectra.save(
            material,
            found.energies,
            [factor * value for value in found.density],
            method=method,
            calculation=made_by,
            n_electrons=None if found.n_electrons is None else factor * found.n_electrons,
            gap=found.gap,
        )
    for kind, (points, values) in found.curves.items():
        whole = factor * values if grows(SpectrumKind(kind).declared.unit) else values
        spectra.save(material, points, whole, method=method, kind=SpectrumKind(kind), calculation=made_by)
    measured: dict[str, float | None] = {
        Property.ENERGY_PER_ATOM: found.energy_per_atom,
        Property.BAND_GAP: found.gap,
        Property.MAGNETIC_MOMENT: None if found.magnetic_moment is None else factor * found.magnetic_moment,
        Property.FERMI_LEVEL: found.fermi_level,
        **{name: factor * one if PROPERTIES[name].per_cell else one for name, one in found.properties.items()},
    }
    if found.energy_per_atom is not None:  # what the engine itself says of stability counts
        measured = stability(found.structure.composition, found.energy_per_atom, method, material) | measured
    numbers = {str(name): value for name, value in measured.items() if value is not None}
    labels.save_all(material, numbers, method=method, calculation=made_by)
    cheap = candidate.scores.get("potential_energy_per_atom")
    if cheap is not None:  # so that later rounds measure their cheap hull against it as well
        labels.save(material, Property.ENERGY_PER_ATOM, cheap, method=cheap_method_of(spec))
    return material, numbers


def stability(composition: Composition, energy_per_atom: float, method: str, material: str) -> dict[str, float | None]:
    """Formation energy and energy above the hull of everything else by this Method, where it has the elements."""
    symbols = frozenset(element.symbol for element in composition.elements)
    entries = [entry for entry in labels.hull_entries(symbols, method) if entry[2] != material]
    hulls = Hulls(entries)
    if hulls.missing(symbols):
        return {}
    above, formation = hulls.above(composition, energy_per_atom)
    known = {Property.FORMATION_ENERGY_PER_ATOM: formation, Property.ENERGY_ABOVE_HULL: above}
    return {name: value for name, value in known.items() if PROPERTIES[name].fault(value) is None}


def judged(
    spec: CampaignSpec, candidate: Candidate, found: EvaluationResult, numbers: Mapping[str, float]
) -> dict[str, Any]:
    """All scores of an evaluated candidate, whose material has these labels."""
    target, curve = resolve(spec), computed_curve(found, spec)
    computed = {} if found.energy_per_atom is None else {"energy_per_atom": found.energy_per_atom}
    computed |= {name: numbers[name] for name in learned() if name != Property.ENERGY_PER_ATOM and name in numbers}
    if target.curve is not None:
        computed["similarity"] = 0.0 if curve is None else float(target.similarity(curve))
    score, hit = goal.score_of(target, computed)
    return scores.evaluated(candidate.scores, computed | {"score": score}, hit=hit)


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
    known = judged(spec, candidate, found, numbers)
    candidates.update(candidate.id, stage=Stage.EVALUATED, reason=None, material=material, scores=known)
    calculations.mark_ingested(calculation.id)
    return str(Stage.EVALUATED)


def _other_curves(material: str, method: str) -> dict[str, Curve]:
    """What is stored of other kinds than a density of states by a Method."""
    stored = [one for one in spectra.all_of_material(material) if one.method == method]
    return {str(one.kind): (one.points(), one.array()) for one in stored if one.kind is not SpectrumKind.DOS}


def method_that_ran(calculation: Calculation, found: EvaluationResult) -> str:
    """Id of the Method of a result: the planned one, unless the program says that it ran another functional.

    Such a result is paid for and true, so it is kept, under a Method of its own that no hull or training set of the
    planned one is mixed with.
    """
    planned = methods.get(calculation.method)
    if found.functional is None or found.functional == planned.functional:
        return str(calculation.method)
    method = methods.save(planned.engine, found.functional, dict(planned.settings), dict(planned.code_versions))
    calculations.set_method(calculation.id, method)
    logger.warning(
        "%s was planned by %s and ran %s; its results are kept under the Method of that, %s",
        calculation.id, planned.functional, found.functional, method,
    )  # fmt: skip
    return method


def _result(calculation: Calculation, outputs: Any) -> EvaluationResult | str:
    """Results of the engine, or why there are none.

    Finished work is taken from its folder where the job that did it could not tell of it any more.
    """
    declared = engine(calculation.engine)
    given = {name: value for name, value in (outputs or {}).items() if value}
    if not given:
        left = isolation.read_output(isolation.step_folder(calculation.id, declared.last_step))
        if isolation.read_failure(calculation.id) is not None or left is None:
            return reason_of(calculation.id)
        given = {declared.last_step: left}
    try:
        return _believed(declared, given)
    except Exception as error:  # noqa: BLE001  (whatever an output lacks, the evaluation has failed for that reason)
        folder = isolation.step_folder(calculation.id, declared.last_step)
        folder.mkdir(parents=True, exist_ok=True)
        return f"{declared.last_step}: {failures.write(folder, error)}"


def _believed(declared: EngineDeclaration, given: Mapping[str, Any]) -> EvaluationResult:
    found = code_of(declared.name).results(given)
    fault = sanity.fault_of(found, declared.lowest_energy)
    if fault is not None:
        raise EngineError(f"its result is refused: {fault}")
    return found
