"""A candidate's generator and its preset, which stood in one text as ``dos_composer/paper``, in two fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pymongo import UpdateOne
from pymongo.database import Database

TITLE: Final = "generator and preset of candidates"
BATCH: Final = 1000
SPLIT: Final = "generator and preset of {} candidates in two fields"


def migrate(database: Database[dict[str, Any]], dry_run: bool) -> list[str]:
    """Part the texts; returns what was, or would be, done."""
    collection, n = database["candidates"], 0
    changes: list[UpdateOne] = []
    for row in collection.find({"generator": {"$regex": "/"}}, {"generator": 1}):
        now, n = parted(row), n + 1
        changes.append(UpdateOne({"_id": row["_id"]}, {"$set": {name: now[name] for name in ("generator", "preset")}}))
        if len(changes) == BATCH and not dry_run:
            collection.bulk_write(changes, ordered=False)
            changes = []
    if changes and not dry_run:
        collection.bulk_write(changes, ordered=False)
    return [SPLIT.format(n)] if n else []


def parted(candidate: Mapping[str, Any]) -> dict[str, Any]:
    """A stored candidate with its generator's preset in a field of its own."""
    generator, _, preset = str(candidate.get("generator") or "").partition("/")
    return {**candidate, "generator": generator, "preset": preset} if preset else dict(candidate)
