"""Scores of candidates under names that say where each value comes from, and the best known under a plain name.

A candidate is written in one update, and one that has the names of now is left as it is: a run that is broken off is
begun again, and goes on where it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pymongo import UpdateOne
from pymongo.database import Database
from pymongo.errors import OperationFailure

from fermiloop.platform.campaign import scores

TITLE: Final = "names of scores"
BATCH: Final = 1000
FORMER_INDEXES: Final = ("similarity_mean", "similarity_std")
CANDIDATES: Final = "scores of {} candidates under names that say their source"
RESULTS: Final = "results of {} calculations under the same names"
DROPPED: Final = "index of scores.{} dropped"


def migrate(database: Database[dict[str, Any]], dry_run: bool) -> list[str]:
    """Rename and drop; returns what was, or would be, done."""
    counts = {CANDIDATES: _candidates(database, dry_run), RESULTS: _results(database, dry_run)}
    done = [text.format(n) for text, n in counts.items() if n]
    return done + [DROPPED.format(name) for name in FORMER_INDEXES if _drop(database, name, dry_run)]


def curve_alone(spec: Mapping[str, Any]) -> bool:
    """Whether the target of a campaign's file is a curve without windows."""
    target = spec.get("target") or {}
    return bool(target.get("dos") or target.get("xrd")) and not target.get("properties")


def _candidates(database: Database[dict[str, Any]], dry_run: bool) -> int:
    alone = {row["_id"]: curve_alone(row.get("spec") or {}) for row in database["campaigns"].find({}, {"spec": 1})}
    n, last = 0, ""
    while True:  # by id, so that a large collection is never read at once
        wanted = {"_id": {"$gt": last}, "scores": {"$nin": [None, {}]}}
        fields = {"scores": 1, "campaign": 1, "calculation": 1}
        rows = list(database["candidates"].find(wanted, fields).sort("_id", 1).limit(BATCH))
        if not rows:
            return n
        last = rows[-1]["_id"]
        n += _rename(database, rows, alone, dry_run)


def _rename(
    database: Database[dict[str, Any]], rows: list[dict[str, Any]], alone: Mapping[str, bool], dry_run: bool
) -> int:
    keys = sorted({row["calculation"] for row in rows if row.get("calculation")})
    found = database["calculations"].find({"_id": {"$in": keys}}, {"result.energy_per_atom": 1})
    energies = {row["_id"]: (row.get("result") or {}).get("energy_per_atom") for row in found}
    changes = []
    for row in rows:
        energy = energies.get(row.get("calculation"))
        now = scores.renamed(row["scores"], curve_alone=alone.get(row["campaign"], False), energy_per_atom=energy)
        if now != row["scores"]:
            changes.append(UpdateOne({"_id": row["_id"], "scores": row["scores"]}, {"$set": {"scores": now}}))
    if changes and not dry_run:
        database["candidates"].bulk_write(changes, ordered=False)
    return len(changes)


def _results(database: Database[dict[str, Any]], dry_run: bool) -> int:
    n = 0
    for row in list(database["calculations"].find({"result.score": {"$exists": True}}, {"result": 1})):
        now = renamed_result(row["result"])
        n += 1
        if not dry_run:
            database["calculations"].update_one({"_id": row["_id"]}, {"$set": {"result": now}})
    return n


def renamed_result(result: Mapping[str, Any]) -> dict[str, Any]:
    """What a calculation gave, its scores under the names of now."""
    if "score" not in result:
        return dict(result)
    known = scores.renamed(result, energy_per_atom=result.get("energy_per_atom"))
    former = ("score", *scores.FORMER_SIMILARITIES)
    return {**{name: value for name, value in result.items() if name not in former}, **scores.computed_part(known)}


def _drop(database: Database[dict[str, Any]], name: str, dry_run: bool) -> bool:
    """Drop the index of a score that has another name now; whether there was one."""
    for index, about in database["candidates"].index_information().items():
        if [field for field, _ in about["key"]] == ["elements", f"scores.{name}"]:
            if not dry_run:
                try:
                    database["candidates"].drop_index(index)
                except OperationFailure:  # another process was first
                    return False
            return True
    return False
