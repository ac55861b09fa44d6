"""Lineage: from a candidate back to what it was learned from, and from a calculation on to what used it."""

from __future__ import annotations

from typing import cast

from fermiloop.platform.campaign.explained import (
    CalculationLineage,
    CheckpointLineage,
    Descendants,
    Explained,
    Lineage,
    ResultRow,
    SnapshotLineage,
    VerdictRow,
)
from fermiloop.platform.plugins.provenance import package_of
from fermiloop.platform.store import calculations, candidates, checkpoints, labels, snapshots
from fermiloop.platform.store.batches import in_batches
from fermiloop.platform.store.materials import BATCH
from fermiloop.schemas.calculation import Calculation
from fermiloop.schemas.candidate import Candidate
from fermiloop.schemas.checkpoint import Checkpoint
from fermiloop.schemas.material import Material
from fermiloop.schemas.snapshot import Snapshot, SnapshotPage
from fermiloop.schemas.vocabulary import Origin


def explain(candidate_id: str) -> Lineage:
    """Chain of a candidate: candidate ← seed ← checkpoint ← snapshot ← labels ← calculations.

    ``labels`` are those that the candidate's own calculation gave; ``snapshot`` tells which results
    of campaigns the checkpoint had learned from, with the calculation of each.

    Raises
    ------
    NotFoundError
        If the store does not contain the candidate.
    """
    candidate = candidates.get(candidate_id)
    checkpoint = checkpoints.get(candidate.checkpoint) if candidate.checkpoint else None
    own = [calculations.get(candidate.calculation)] if candidate.calculation else []
    return {
        "candidate": candidate.id,
        "formula": candidate.formula,
        "campaign": candidate.campaign,
        "round": candidate.round,
        "generator": candidate.generator,
        "preset": candidate.preset or (checkpoint.preset if checkpoint else None),
        "seed": candidate.seed,
        "parent": candidate.parent,
        "stage": str(candidate.stage),
        "reason": candidate.reason,
        "generator_score": candidate.score,
        "detail": candidate.to_mongo().to_dict().get("detail", {}),
        "scores": dict(candidate.scores),
        "verdicts": [cast("VerdictRow", dict(one)) for one in candidate.verdicts],
        "checkpoint": _checkpoint(checkpoint) if checkpoint else None,
        "snapshot": _snapshot(snapshots.get(checkpoint.snapshot)) if checkpoint else None,
        "material": candidate.material,
        "labels": [
            {
                "id": label.id,
                "property": str(label.property),
                "value": label.value,
                "unit": str(label.unit),
                "method": label.method,
                "version": label.version,
                "calculation": label.calculation,
            }
            for label in labels.of_calculations(c.id for c in own)
        ],
        "calculations": [_calculation(calculation) for calculation in own],
    }


def descendants(calculation_id: str) -> Descendants:
    """What a calculation led to: its labels, the snapshots that hold its material, what learned from them."""
    calculation = calculations.get(calculation_id)
    material = calculation.result.get("material")
    pages = SnapshotPage.objects(materials=material).only("snapshot") if material else []
    holding = sorted({page.snapshot for page in pages})
    learned = list(Checkpoint.objects(snapshot__in=holding).only("generator", "snapshot").order_by("id"))
    proposed = Candidate.objects(checkpoint__in=[c.id for c in learned]).only("formula", "campaign", "round")
    return {
        "calculation": calculation_id,
        "material": material,
        "labels": [label.id for label in labels.of_calculations([calculation_id])],
        "snapshots": holding,
        "checkpoints": [{"id": c.id, "generator": c.generator, "snapshot": c.snapshot} for c in learned],
        "candidates": [{"id": c.id, "formula": c.formula, "round": c.round} for c in proposed.order_by("id")],
    }


def explained(candidate_id: str) -> Explained:
    """Chain of a candidate, and what learned from each of its calculations.

    Raises
    ------
    NotFoundError
        If the store does not contain the candidate.
    """
    chain = explain(candidate_id)
    return {**chain, "descendants": [descendants(one["id"]) for one in chain["calculations"]]}


def _checkpoint(checkpoint: Checkpoint) -> CheckpointLineage:
    return {
        "id": checkpoint.id,
        "generator": checkpoint.generator,
        "preset": checkpoint.preset,
        "package": package_of(checkpoint.config),
        "seed": checkpoint.seed,
        "config": checkpoint.to_mongo().to_dict().get("config", {}),
        "metrics": dict(checkpoint.metrics),
        "files": {name.replace("|", "."): digest for name, digest in checkpoint.files.items()},
    }


def _snapshot(snapshot: Snapshot) -> SnapshotLineage:
    return {
        "id": snapshot.id,
        "n": snapshot.n,
        "content_hash": snapshot.content_hash,
        "method": snapshot.method,
        "curve_methods": list(snapshots.curve_methods(snapshot.id)),
        "campaign_results": _campaign_results(snapshots.ids(snapshot.id)),
    }


def _campaign_results(material_ids: list[str]) -> list[ResultRow]:
    results: list[ResultRow] = []
    for batch in in_batches(material_ids, BATCH):
        query = Material.objects(id__in=batch, origin=Origin.CAMPAIGN).only("formula", "candidate").order_by("id")
        rows = list(query)
        made = Calculation.objects(result__material__in=[row.id for row in rows]).only("result").order_by("-id")
        by_material = {calculation.result["material"]: calculation.id for calculation in made}
        results += [
            {
                "material": row.id,
                "formula": row.formula,
                "candidate": row.candidate,
                "calculation": by_material.get(row.id),
            }
            for row in rows
        ]
    return results


def _calculation(calculation: Calculation) -> CalculationLineage:
    return {
        "id": calculation.id,
        "engine": str(calculation.engine),
        "method": calculation.method,
        "state": str(calculation.state),
        "core_seconds": calculation.core_seconds,
        "attempts": calculation.attempts,
        "error": calculation.error,
    }
