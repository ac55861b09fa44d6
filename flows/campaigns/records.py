"""A campaign out of the store, as the plain records that decisions and reports are made from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Composition

from fermiloop.flows.campaigns import methods, stability
from fermiloop.flows.campaigns.proposals import proposal_records
from fermiloop.flows.campaigns.steps import curve_methods_of, spec_of, training_method_of
from fermiloop.flows.campaigns.targets import alignment_of, computed_curve, library_curves, resolve, target_name
from fermiloop.flows.engines.protocol import EvaluationResult
from fermiloop.platform.campaign import cost, counting, goal, hits
from fermiloop.platform.campaign.believing import computed_parts
from fermiloop.platform.campaign.counting import Share, Trial
from fermiloop.platform.campaign.records import (
    CampaignRecord,
    CandidateRecord,
    EvaluationRecord,
    HitRecord,
    HullPoint,
    HullRecord,
    KnownHit,
    RoundRecord,
    TallyRecord,
)
from fermiloop.platform.campaign.spec import CampaignSpec
from fermiloop.platform.errors import FermiloopError
from fermiloop.platform.generators.protocol import Target
from fermiloop.platform.plugins.properties import learned
from fermiloop.platform.screening.hull import Hulls
from fermiloop.platform.store import calculations, campaigns, candidates, labels, lineage, materials, spectra, training
from fermiloop.schemas.calculation import Calculation
from fermiloop.schemas.campaign import Round
from fermiloop.schemas.candidate import Candidate
from fermiloop.schemas.material import Material
from fermiloop.schemas.vocabulary import Alignment, Origin, Property, Stage


def read_record(name: str, *, library: bool = True) -> CampaignRecord:
    """Everything that a summary needs.

    Parameters
    ----------
    library
        Whether to tell which materials of the library are hits: what a random pick finds.

    Raises
    ------
    NotFoundError
        If there is no such campaign.
    """
    campaign, spec = campaigns.get(name), spec_of(name)
    chosen = [c for c in candidates.outlines(name) if c.calculation]
    by_id = {c.id: c for c in calculations.of_ids(c.calculation for c in chosen)}
    target = _target(spec)
    records = tuple(_candidate(c, by_id.get(c.calculation), spec, target) for c in chosen)
    best = _best(chosen)
    found = _library(spec, target) if library else {}
    return CampaignRecord(
        spec=spec,
        state=str(campaign.state),
        reason=campaign.reason,
        rounds=tuple(round_records(name)),
        candidates=records,
        spent=spent(name),
        grid=tuple(target.grid.points.tolist()) if target.grid is not None else (),
        target_curve=tuple(target.curve.tolist()) if target.curve is not None else None,
        target_name=target_name(spec),
        alignment=str(alignment_of(spec)),
        library_hits=tuple(found.values()),
        proposals=tuple(proposal_records(name)),
        known_hits=_known_hits(found),
        hit=hit_of(spec, target, methods.of_campaign(spec).engine),
        lineage=lineage.explain(best.id) if best else None,
        hull=_hull(best, by_id[best.calculation].method) if best else None,
    )


def hit_of(spec: CampaignSpec, target: Target, method: str) -> HitRecord:
    """What a hit of a campaign is, in words."""
    return HitRecord(
        definition=hits.definition(target, f"{spec.engine.name} ({method})"),
        score=goal.level(target) if hits.requirements(target) and not goal.objectives(target) else None,
        remark=stability.remark(spec),
        stable_within=None if target.stability is None else float(target.stability.high),
    )


def round_records(name: str) -> list[RoundRecord]:
    """Counts of every round of a campaign."""
    everyone = candidates.outlines(name)
    by_id = {c.id: c for c in calculations.of_ids(c.calculation for c in everyone if c.calculation)}
    return [_round(one, [c for c in everyone if c.round == one.number], by_id) for one in campaigns.rounds(name)]


def spent(name: str) -> dict[str, float]:
    """Core-seconds of a campaign by step, as measured."""
    evaluations = sum((float(one.core_seconds or 0.0) for one in calculations.of_campaign(name)), 0.0)
    return cost.spent(evaluations, [one.costs for one in campaigns.rounds(name)])


def baseline(spec: CampaignSpec, rounds: Sequence[RoundRecord]) -> Share | None:
    """Hits of the baseline that the campaign must beat, where its file names one and it is time to ask."""
    named = spec.stop.no_better_than
    if named is None or sum(one.evaluated for one in rounds) < spec.stop.after:
        return None
    if named == "random" and spec.target.dos is not None:
        return counting.picks(tuple(_library(spec, resolve(spec)).values()))
    return counting.results_of({"random": "random_pick"}.get(named, named), _trials(candidates.outlines(spec.name)))


def trials(name: str) -> dict[str, tuple[int, int]]:
    """Hits and evaluations of each generator of a campaign, by its key in a round; failed ones are evaluations."""
    return counting.paid(_trials(candidates.outlines(name)), presets=True)


def _trials(found: Sequence[Candidate]) -> list[Trial]:
    """Evaluations that have ended."""
    ended = [c for c in found if c.stage is Stage.EVALUATED or (c.stage is Stage.FAILED and c.calculation)]
    return [Trial(c.proposer, c.stage is Stage.EVALUATED, c.scores.hit) for c in ended]


def computed_of(name: str) -> list[dict[str, float]]:
    """What the evaluations of a campaign gave, as scores are made of it."""
    return [computed_parts(c.scores) for c in candidates.outlines(name) if c.stage is Stage.EVALUATED]


def _round(one: Round, proposed: list[Candidate], by_id: dict[str, Calculation]) -> RoundRecord:
    evaluated = [c for c in proposed if c.stage is Stage.EVALUATED]
    ingested = [c for c in evaluated if c.calculation in by_id and by_id[c.calculation].ingested]
    scores = [float(c.scores["computed_score"]) for c in evaluated]
    counts = dict(one.counts)
    return RoundRecord(
        number=one.number,
        state=str(one.state),
        proposed=len(proposed),
        unique=int(counts.get("unique", 0)),
        novel=int(counts.get("novel", 0)),
        passed=int(counts.get("passed", 0)),
        selected=sum(bool(c.calculation) for c in proposed),
        refused=int(counts.get("refused", 0)),
        evaluated=len(evaluated),
        failed=sum(c.stage is Stage.FAILED for c in proposed),
        ingested=len(ingested),
        new_labels=len(ingested),
        hits=counting.results(_trials(evaluated)).hits,
        best_score=max(scores, default=None),
        checkpoints=tuple(checkpoint for checkpoint in one.checkpoints.values() if checkpoint),
        tallies=tuple(_tally(row) for row in one.tallies),
        costs=dict(one.costs),
    )


def _tally(row: dict[str, Any]) -> TallyRecord:
    return TallyRecord(row["stage"], row["n_in"], row["n_out"], dict(row["reasons"]), float(row["core_seconds"]))


def _candidate(
    candidate: Candidate, calculation: Calculation | None, spec: CampaignSpec, target: Target
) -> CandidateRecord:
    evaluation = None
    if calculation is not None and candidate.stage in (Stage.EVALUATED, Stage.FAILED):
        done = candidate.stage is Stage.EVALUATED
        evaluation = EvaluationRecord(
            calculation=calculation.id,
            state="completed" if done else "failed",
            core_seconds=float(calculation.core_seconds or 0.0),
            score=candidate.scores.computed_score if done else None,
            hit=candidate.scores.hit and done,
            missed=_missed(candidate, calculation, target) if done else (),
            objectives=tuple(candidate.scores.get(f"computed_{one.property}") for one in goal.objectives(target)),
            energy_above_hull=candidate.scores.get("computed_energy_above_hull"),
            formation_energy_per_atom=candidate.scores.get("computed_formation_energy_per_atom"),
            curve=_curve(candidate.material, calculation.method, spec) if done else None,
            failed_reason=None if done else candidate.reason,
        )
    return CandidateRecord(candidate.id, candidate.formula, candidate.generator, candidate.round, evaluation)


def _missed(candidate: Candidate, calculation: Calculation, target: Target) -> tuple[str, ...]:
    """Why a result is no hit, and why it has no curve to compare where it has none."""
    told = hits.missed(target, computed_parts(candidate.scores), calculations.missing(calculation))
    return (*told, candidate.reason) if candidate.reason else told


def _curve(material: str, method: str, spec: CampaignSpec) -> tuple[float, ...] | None:
    """Curve of a computed material, of the kind that is looked for."""
    if spec.target.curve is None:
        return None
    stored = spectra.of_material(material, method=method, wanted=Alignment.MIDGAP)
    found = EvaluationResult(
        structure=materials.structure(material),
        energy_per_atom=float("nan"),  # not asked for here
        energies=stored.points() if stored else None,
        density=stored.array() if stored else None,
        gap=stored.gap if stored else None,
    )
    curve = computed_curve(found, spec)
    return None if curve is None else tuple(curve.tolist())


def _best(chosen: list[Candidate]) -> Candidate | None:
    done = [c for c in chosen if c.stage is Stage.EVALUATED]
    return max(done, key=lambda c: (float(c.scores["computed_score"]), c.id), default=None)


def _target(spec: CampaignSpec) -> Target:
    """The target, or an empty one where its material has been lost: a report is still worth reading."""
    try:
        return resolve(spec)
    except FermiloopError:
        return Target(windows=spec.target.windows())


def _library(spec: CampaignSpec, target: Target) -> dict[str, bool]:
    """Whether each library material inside the space is a hit, by its own curve and labels: what a random pick finds.

    Energies above the hull are those of the hull of all labels of the Method; they need not be stored. They take
    longest, so they are asked for what is a hit by all else.
    """
    if target.curve is None or spec.target.objectives:
        return {}
    method = training_method_of(spec)
    inside = _inside(spec)
    if not inside:
        return {}
    known = {name: _column(values, inside) for name, values in labels.table(inside, learned(), method).items()}
    curves = library_curves(inside.values(), spec)
    known[goal.CURVE] = np.asarray(target.similarity(curves))
    asked = hits.requirements(target)
    if any(one.property == Property.ENERGY_ABOVE_HULL for one in asked):
        nothing = np.full(len(inside), np.nan)
        others = [one for one in asked if one.property != Property.ENERGY_ABOVE_HULL]
        rest = np.all([one.met(known.get(one.property, nothing)) for one in others], axis=0)
        energies = np.where(rest, known[Property.ENERGY_PER_ATOM], np.nan)
        formulas = [material.formula for material in inside.values()]
        known[Property.ENERGY_ABOVE_HULL] = _above(formulas, energies, spec.space.elements, method)
    # nothing is picked that has no curve of a kind that is stored
    nowhere = np.asarray(np.isnan(curves).all(axis=1), dtype=bool) & (not spec.target.of_crystals)
    return {
        key: hits.is_hit(target, {name: float(values[i]) for name, values in known.items()})
        for i, key in enumerate(inside)
        if not nowhere[i]
    }


def _inside(spec: CampaignSpec) -> dict[str, Material]:
    """Library materials inside the space."""
    known = training.materials_of(training_method_of(spec), curves=curve_methods_of(spec))
    return {
        key: m
        for key, m in materials.get_many(known).items()
        if m.origin is not Origin.CAMPAIGN
        and set(m.elements) <= set(spec.space.elements)
        and spec.space.components[0] <= m.n_elements <= spec.space.components[1]
        and str(m.crystal_system) in spec.space.crystal_systems
        and m.formula not in spec.target.exclude
    }


def _column(values: Mapping[str, float], keys: Iterable[str]) -> NDArray[np.float64]:
    return np.array([values.get(key, np.nan) for key in keys], dtype=float)


def _known_hits(library: dict[str, bool]) -> tuple[KnownHit, ...]:
    """Library materials inside the space that are hits."""
    found = materials.get_many(key for key, is_hit in library.items() if is_hit)
    return tuple(KnownHit(key, one.formula) for key, one in found.items())


def _above(
    formulas: Sequence[str], energies: NDArray[np.float64], elements: Sequence[str], method: str
) -> NDArray[np.float64]:
    """(n,) energies above the hull of all that has an energy by a Method, NaN without energy or reference."""
    hulls = Hulls(labels.hull_entries(elements, method))
    found = np.full(len(formulas), np.nan)
    for i in np.flatnonzero(np.isfinite(energies)).tolist():
        composition = Composition(formulas[i])
        if not hulls.missing(frozenset(element.symbol for element in composition.elements)):
            found[i] = hulls.above(composition, float(energies[i]))[0]
    return found


def _hull(best: Candidate, method: str) -> HullRecord | None:
    """Formation energies in the best candidate's system, where that is binary."""
    if len(best.elements) != 2:
        return None
    first, second = best.elements
    entries = labels.hull_entries(best.elements, method)
    found = materials.get_many(key for _, _, key in entries)
    formation = labels.values(found, Property.FORMATION_ENERGY_PER_ATOM, method)
    points = []
    for amounts, _, key in entries:
        total = sum(amounts.values())
        if key in formation:
            points.append(
                HullPoint(found[key].formula, amounts.get(second, 0.0) / total, formation[key], found[key].candidate)
            )
    return HullRecord((first, second), tuple(points))
