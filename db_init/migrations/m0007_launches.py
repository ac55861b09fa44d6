"""A candidate's generator and its preset in two fields, and what a launch has resolved in one document.

Generator and preset stood in one text, as ``dos_composer/paper``; the Methods of a campaign and whether its results
have a hull stood beside each other. Who selects for a campaign next is a lease like any other now.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pymongo import UpdateOne
from pymongo.database import Database

TITLE: Final = "generator and preset of candidates, what launches resolved"
BATCH: Final = 1000
FORMER: Final = ("methods", "hull", "turn")  # fields of a campaign
GATHERED: Final = "what the launch resolved of {} campaigns in one document"
SPLIT: Final = "generator and preset of {} candidates in two fields"


def migrate(database: Database[dict[str, Any]], dry_run: bool) -> list[str]:
    """Bring both into their form; returns what was, or would be, done."""
    counts = {SPLIT: _candidates(database, dry_run), GATHERED: _campaigns(database, dry_run)}
    return [text.format(n) for text, n in counts.items() if n]


def _candidates(database: Database[dict[str, Any]], dry_run: bool) -> int:
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
    return n


def _campaigns(database: Database[dict[str, Any]], dry_run: bool) -> int:
    n = 0
    old = {"$or": [{name: {"$exists": True}} for name in FORMER]}
    for row in list(database["campaigns"].find(old, {"methods": 1, "hull": 1, "resolved": 1})):
        n += 1
        if not dry_run:
            found = gathered(row).get("resolved")
            change = {"$unset": dict.fromkeys(FORMER, "")} | ({"$set": {"resolved": found}} if found else {})
            database["campaigns"].update_one({"_id": row["_id"]}, change)
    return n


def gathered(campaign: Mapping[str, Any]) -> dict[str, Any]:
    """A stored campaign with its Methods and whether it has a hull in one document."""
    rest = {name: value for name, value in campaign.items() if name not in FORMER}
    methods, hull = campaign.get("methods"), campaign.get("hull")
    if not methods:  # launched before Methods were kept: they are resolved at the next look
        return rest
    return {**rest, "resolved": {**methods, **({} if hull is None else {"hull": hull})}}


def parted(candidate: Mapping[str, Any]) -> dict[str, Any]:
    """A stored candidate with its generator's preset in a field of its own."""
    generator, _, preset = str(candidate.get("generator") or "").partition("/")
    return {**candidate, "generator": generator, "preset": preset} if preset else dict(candidate)
