"""Scores of candidates are finite numbers, and a hit is true or false.

What an earlier version kept beside these is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pymongo import UpdateOne
from pymongo.database import Database

from fermiloop.schemas.candidate_scores import fault_of
from fermiloop.schemas.scores import HIT

TITLE: Final = "scores of candidates as numbers"
BATCH: Final = 1000


def migrate(database: Database[dict[str, Any]], dry_run: bool) -> list[str]:
    """Leave out what is no score; returns what was, or would be, done."""
    collection, n = database["candidates"], 0
    changes: list[UpdateOne] = []
    for row in collection.find({"scores": {"$exists": True}}, {"scores": 1}):
        now = typed(row)
        if now["scores"] == row["scores"]:
            continue
        n += 1
        changes.append(UpdateOne({"_id": row["_id"]}, {"$set": {"scores": now["scores"]}}))
        if len(changes) == BATCH and not dry_run:
            collection.bulk_write(changes, ordered=False)
            changes = []
    if changes and not dry_run:
        collection.bulk_write(changes, ordered=False)
    return [f"what is no number left out of the scores of {n} candidates"] if n else []


def typed(candidate: Mapping[str, Any]) -> dict[str, Any]:
    """A stored candidate whose scores are numbers."""
    given = candidate.get("scores")
    if not isinstance(given, Mapping):
        return {**candidate, "scores": {}} if given is not None else dict(candidate)
    hit = {HIT: bool(given[HIT])} if given.get(HIT) in (0, 1) else {}
    kept = {name: value for name, value in given.items() if name != HIT and fault_of(name, value) is None}
    found = {name: (hit | kept)[name] for name in given if name in (hit | kept)}
    return {**candidate, "scores": found}
