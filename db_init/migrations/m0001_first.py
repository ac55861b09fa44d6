"""The first version: the indexes, and ``formula_lower`` on documents written before it was kept."""

from __future__ import annotations

from typing import Any, Final

from pymongo.database import Database

from fermiloop.db_init import indexes

TITLE: Final = "indexes and lower-case formulas"
LOWERED: Final = ("materials", "candidates")


def migrate(database: Database[dict[str, Any]], dry_run: bool) -> list[str]:
    """Make what is missing; returns what was, or would be, done."""
    lacking: dict[str, list[str]] = {}
    for collection, keys in indexes.missing(database):
        lacking.setdefault(collection, []).append(" + ".join(field for field, _ in keys))
    done = [f"indexes of {collection}: {', '.join(found)}" for collection, found in lacking.items()]
    if not dry_run:
        indexes.create(database)
    for collection in LOWERED:
        rows = list(database[collection].find({"formula_lower": {"$exists": False}}, {"formula": 1}))
        if rows:
            done.append(f"formula_lower on {len(rows)} {collection}")
        if not dry_run:
            for row in rows:
                database[collection].update_one(
                    {"_id": row["_id"]}, {"$set": {"formula_lower": row["formula"].lower()}}
                )
    return done
