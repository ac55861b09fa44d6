"""The report of a campaign as JSON-ready data; the terminal, the page and the pictures all show this.

Every proportion bears its count and its 95 % Wilson interval.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, cast

from fermiloop.platform.campaign import cost, counting
from fermiloop.platform.campaign.counting import Trial
from fermiloop.platform.campaign.insight import insight
from fermiloop.platform.campaign.pareto_front import front
from fermiloop.platform.campaign.statistics import discovery_factor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fermiloop.platform.campaign.explained import Lineage
    from fermiloop.platform.campaign.records import CampaignRecord, CandidateRecord, HullRecord, RoundRecord
    from fermiloop.platform.campaign.reported import (
        Baselines,
        BestRow,
        CurveRow,
        EvaluatedRow,
        HullData,
        HullPointRow,
        Rate,
        RoundRow,
        SpecData,
        Summary,
        TargetData,
    )

MOST_CURVES: Final = 3


def summarise(record: CampaignRecord) -> Summary:
    """Everything that a report shows; no NaN, unknown numbers are None."""
    done = [one for one in record.candidates if one.evaluation is not None]
    trials = [_trial(one) for one in done]
    good = [one for one, trial in zip(done, trials, strict=True) if trial.completed]
    ranked = sorted(good, key=_score, reverse=True)
    rate, baseline = counting.results(trials).as_dict(), _baseline(record, trials)
    hits, core_seconds = rate["hits"], cost.total(record.spent)
    summary: Summary = {
        "name": record.spec.name,
        "state": record.state,
        "reason": record.reason,
        "evaluations": len(good),
        "failures": len(done) - len(good),
        "core_seconds": core_seconds,
        "spent": dict(record.spent),
        "rounds": [_round(one) for one in record.rounds],
        "best": _best(ranked, record.lineage),
        "hits": rate,
        "baseline": baseline,
        "earned": counting.shares(trials),
        "discovery_factor": discovery_factor(rate["rate"], baseline["random"]["rate"]),
        "intervals_apart": _apart(rate, baseline["random"]),
        "cost_per_hit": {
            "evaluations": len(done) / hits if hits else None,
            "core_seconds": core_seconds / hits if hits else None,
        },
        "insight": insight(record, trials, baseline["random"]),
        "target": _target(record),
        "pareto": front(record.spec.target.properties, done),
        "curves": [_curve(one) for one in ranked if one.evaluation and one.evaluation.curve][:MOST_CURVES],
        "evaluated": [_evaluated(one) for one in done],
        "hull": _hull(record.hull),
        "spec": cast("SpecData", record.spec.as_dict()),
    }
    return cast("Summary", _finite(summary))


def _score(candidate: CandidateRecord) -> float:
    score = candidate.evaluation.score if candidate.evaluation else None
    return score if score is not None and math.isfinite(score) else -math.inf


def _trial(candidate: CandidateRecord) -> Trial:
    found = candidate.evaluation
    return Trial(candidate.generator, found is not None and found.state == "completed", found is not None and found.hit)


def _apart(one: Rate, other: Rate) -> bool:
    """Whether two proportions were both tried and their intervals do not touch."""
    if not one["n"] or not other["n"]:
        return False
    low, high = one["low"] or 0.0, one["high"] or 0.0
    return low > (other["high"] or 0.0) or high < (other["low"] or 0.0)


def _round(one: RoundRecord) -> RoundRow:
    rate = counting.Share(one.hits, one.evaluated).as_dict()
    return {
        "number": one.number,
        "state": one.state,
        "proposed": one.proposed,
        "unique": one.unique,
        "novel": one.novel,
        "passed": one.passed,
        "selected": one.selected,
        "evaluated": one.evaluated,
        "failed": one.failed,
        "ingested": one.ingested,
        "best_score": one.best_score,
        "checkpoints": list(one.checkpoints),
        "hits": one.hits,
        "hit_rate": rate["rate"],
        "hit_low": rate["low"],
        "hit_high": rate["high"],
        "funnel": [
            {
                "stage": tally.stage,
                "n_in": tally.n_in,
                "n_out": tally.n_out,
                "reasons": dict(tally.reasons),
                "core_seconds": tally.core_seconds,
            }
            for tally in one.tallies
        ],
    }


def _best(ranked: Sequence[CandidateRecord], lineage: Lineage | None) -> BestRow | None:
    if not ranked or not math.isfinite(_score(ranked[0])):
        return None
    return {**_evaluated(ranked[0]), "lineage": lineage}


def _evaluated(one: CandidateRecord) -> EvaluatedRow:
    found = one.evaluation
    assert found is not None
    return {
        "candidate": one.id,
        "formula": one.formula,
        "generator": one.generator,
        "round": one.round,
        "calculation": found.calculation,
        "state": found.state,
        "score": found.score,
        "hit": found.hit,
        "missed": list(found.missed),
        "energy_above_hull": found.energy_above_hull,
        "formation_energy_per_atom": found.formation_energy_per_atom,
        "core_seconds": found.core_seconds,
        "failed_reason": found.failed_reason,
    }


def _curve(one: CandidateRecord) -> CurveRow:
    assert one.evaluation is not None
    assert one.evaluation.curve is not None
    return {
        "candidate": one.id, "formula": one.formula, "score": one.evaluation.score,
        "values": list(one.evaluation.curve),
    }  # fmt: skip


def _baseline(record: CampaignRecord, trials: Sequence[Trial]) -> Baselines:
    """What a random pick from the library finds, and what substitution found of its own."""
    return {
        "random": counting.picks(record.library_hits).as_dict(),
        "substitution": counting.results_of("substitution", trials).as_dict(),
    }


def _target(record: CampaignRecord) -> TargetData:
    target = record.spec.target
    return {
        "name": record.target_name,
        "kind": str(target.curve.kind) if target.curve else None,
        "hit_similarity": target.hit_similarity if target.curve else None,
        "hit_score": record.hit.score if record.hit else None,
        "grid": list(record.grid),
        "window": list(target.window) if target.window else None,
        "alignment": record.alignment if target.dos else None,
        "values": list(record.target_curve) if record.target_curve is not None else None,
        "properties": [one.asked() for one in target.properties],
        "hit": record.hit.definition if record.hit else None,
        "hit_remark": record.hit.remark if record.hit else None,
        "stable_within": record.hit.stable_within if record.hit else None,
    }


def _hull(hull: HullRecord | None) -> HullData | None:
    if hull is None:
        return None
    points: list[HullPointRow] = [
        {
            "formula": point.formula,
            "fraction": point.fraction,
            "formation_energy": point.formation_energy,
            "candidate": point.candidate,
        }
        for point in hull.points
    ]
    return {"elements": list(hull.elements), "points": points}


def _finite(value: object) -> object:
    """The same tree with None where a number is not finite."""
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
