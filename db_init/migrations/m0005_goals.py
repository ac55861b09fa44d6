"""What a hit is and how candidates are chosen, written down for campaigns launched while both went without saying.

Hits of those campaigns need not be stable, and what chose without a name was expected improvement: a running campaign
keeps to that. Computed scores are those of `platform.campaign.goal` now: a property window scores 1 inside. Hits stay
as they were; for a window's predicted score there is no former spread of the property, so it stays as it was too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pymongo import UpdateOne
from pymongo.database import Database

from fermiloop.platform.campaign import goal
from fermiloop.platform.campaign.believing import computed_parts
from fermiloop.platform.predictors.surrogates.protocol import parts_of
from fermiloop.platform.representations.conditions import PropertyWindow
from fermiloop.platform.representations.spectrum import DOS_GRID
from fermiloop.platform.representations.training import Target

TITLE: Final = "what a hit is"
BATCH: Final = 1000
BEFORE: Final = {"name": "expected_improvement", "diversity": 0.2, "exploration": 1.0}
SPECS: Final = "stability of hits and acquisition written down for {} campaigns"
SCORES: Final = "computed scores of {} candidates of property windows"


def migrate(database: Database[dict[str, Any]], dry_run: bool) -> list[str]:
    """Complete the files and score again; returns what was, or would be, done."""
    counts = {SPECS: _specs(database, dry_run), SCORES: _scores(database, dry_run)}
    return [text.format(n) for text, n in counts.items() if n]


def completed(spec: Mapping[str, Any]) -> dict[str, Any]:
    """A campaign's file with what went without saying before."""
    target, acquisition = dict(spec.get("target") or {}), dict(spec.get("acquisition") or {})
    target.setdefault("stable_within", None)
    return {**spec, "target": target, "acquisition": {**BEFORE, **acquisition}}


def _specs(database: Database[dict[str, Any]], dry_run: bool) -> int:
    changes = []
    for row in database["campaigns"].find({}, {"spec": 1}):
        spec = row.get("spec") or {}
        now = completed(spec)
        if now != spec:
            changes.append(UpdateOne({"_id": row["_id"]}, {"$set": {"spec": now}}))
    if changes and not dry_run:
        database["campaigns"].bulk_write(changes, ordered=False)
    return len(changes)


def _scores(database: Database[dict[str, Any]], dry_run: bool) -> int:
    n = 0
    for row in list(database["campaigns"].find({"spec.target.properties.0": {"$exists": True}}, {"spec": 1})):
        target = target_of(row["spec"]["target"])
        if target is None:
            continue
        wanted = {"campaign": row["_id"], "scores.computed_score": {"$exists": True}}
        changes = []
        for candidate in database["candidates"].find(wanted, {"scores": 1, "calculation": 1}):
            now = scored(target, candidate["scores"])
            if now != candidate["scores"]:
                changes.append((candidate, now))
        n += len(changes)
        if not dry_run:
            _write(database, changes)
    return n


def target_of(asked: Mapping[str, Any]) -> Target | None:
    """As much of a target as its scores need; None without a window, or where one is not as it was then."""
    windows = asked.get("properties") or ()
    if not windows:
        return None
    if not all({"name", "value", "tolerance"} <= set(one) and one["value"] is not None for one in windows):
        return None
    curve = DOS_GRID.points if asked.get("dos") or asked.get("xrd") else None  # its values are not looked at
    return Target(
        curve=curve,
        hit_similarity=float(asked.get("hit_similarity", 0.9)),
        windows=tuple(PropertyWindow(one["name"], float(one["value"]), float(one["tolerance"])) for one in windows),
    )


def scored(target: Target, scores: Mapping[str, Any]) -> dict[str, Any]:
    """Scores of an evaluated candidate with the score of now; where a part was not kept, as they were."""
    parts = computed_parts(scores)
    if not set(parts_of(target)) <= set(parts):
        return dict(scores)
    score, _ = goal.score_of(target, parts)
    return {**scores, "score": score, "computed_score": score}


def result_scored(target: Target, result: Mapping[str, Any]) -> dict[str, Any]:
    """What a calculation gave, with the score of now."""
    if "computed_score" not in result:
        return dict(result)
    return {**result, "computed_score": scored(target, result)["computed_score"]}


def _write(database: Database[dict[str, Any]], changes: list[tuple[dict[str, Any], dict[str, Any]]]) -> None:
    for start in range(0, len(changes), BATCH):
        part = changes[start : start + BATCH]
        database["candidates"].bulk_write(
            [UpdateOne({"_id": one["_id"]}, {"$set": {"scores": now}}) for one, now in part], ordered=False
        )
        results = [
            UpdateOne(
                {"_id": one["calculation"], "result.computed_score": {"$exists": True}},
                {"$set": {"result.computed_score": now["computed_score"]}},
            )
            for one, now in part
            if one.get("calculation")
        ]
        if results:
            database["calculations"].bulk_write(results, ordered=False)
