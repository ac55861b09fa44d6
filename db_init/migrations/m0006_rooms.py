"""Where the code of queued jobs lies: the modules of `flows` moved into rooms.

A firework names the function that it runs by its module. What still waits, runs or failed is led to where that module
is now; what is completed stays as it was written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from pymongo import UpdateOne
from pymongo.database import Database

TITLE: Final = "modules of queued jobs"
ROOT: Final = "fermiloop.flows."
MOVED: Final[Mapping[str, str]] = {
    "close": "rounds.close",
    "engines.cheap_makers": "engines.makers",
    "engines.cp2k": "engines.cp2k.engine",
    "engines.gpaw_makers": "engines.gpaw.makers",
    "engines.native": "engines.steps.native",
    "engines.recorded": "engines.recorded.engine",
    "engines.vasp": "engines.vasp.engine",
    "engines.vasp_makers": "engines.vasp.makers",
    "evaluate": "rounds.evaluate",
    "record": "rounds.record",
    "retrain": "rounds.retrain",
    "sample": "rounds.sample",
    "screen": "rounds.screen",
    "select": "rounds.select",
}
FORMER: Final = re.compile(rf"{re.escape(ROOT)}({'|'.join(map(re.escape, sorted(MOVED, key=len, reverse=True)))})")
JOBS: Final = "{} queued jobs led to where their code is now"


def migrate(database: Database[dict[str, Any]], dry_run: bool) -> list[str]:
    """Rewrite the modules that queued fireworks name; returns what was, or would be, done."""
    changes = []
    for row in database["fireworks"].find({"state": {"$nin": ["COMPLETED", "ARCHIVED"]}}, {"spec": 1}):
        now = moved(row["spec"])
        if now != row["spec"]:
            changes.append(UpdateOne({"_id": row["_id"]}, {"$set": {"spec": now}}))
    if changes and not dry_run:
        database["fireworks"].bulk_write(changes, ordered=False)
    return [JOBS.format(len(changes))] if changes else []


def moved(value: Any) -> Any:
    """A spec with every module of `MOVED` by its new name; everything else as it is."""
    if isinstance(value, Mapping):
        return {name: moved(part) for name, part in value.items()}
    if isinstance(value, list):
        return [moved(part) for part in value]
    if isinstance(value, str):
        found = FORMER.fullmatch(value)
        return f"{ROOT}{MOVED[found[1]]}" if found else value
    return value
