"""Numbered migrations, run in order, once each, with a dry run that tells what they would do.

A migration is a module ``mNNNN_title.py`` with ``TITLE`` and ``migrate(database, dry_run)``, which
returns what it did, or would do, one sentence each.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from pymongo.database import Database

from fermiloop.db_init.migrations import (
    m0001_first,
    m0002_identity,
    m0003_alignment,
    m0004_scores,
    m0005_goals,
    m0006_rooms,
    m0007_launches,
    m0011_scores,
)
from fermiloop.platform.store import connection
from fermiloop.schemas.base import now

Migrate = Callable[[Database[dict[str, Any]], bool], list[str]]

MIGRATIONS: Final[dict[int, tuple[str, Migrate]]] = {
    1: (m0001_first.TITLE, m0001_first.migrate),
    2: (m0002_identity.TITLE, m0002_identity.migrate),
    3: (m0003_alignment.TITLE, m0003_alignment.migrate),
    4: (m0004_scores.TITLE, m0004_scores.migrate),
    5: (m0005_goals.TITLE, m0005_goals.migrate),
    6: (m0006_rooms.TITLE, m0006_rooms.migrate),
    7: (m0007_launches.TITLE, m0007_launches.migrate),
    11: (m0011_scores.TITLE, m0011_scores.migrate),
}


def version(database: Database[dict[str, Any]]) -> int:
    """Schema version of the database, 0 for an empty one."""
    found = database["schema_version"].find_one({"_id": "schema"})
    return int(found["version"]) if found else 0


def run(dry_run: bool = False) -> list[str]:
    """Run what is pending; returns what was done, or would be.

    Raises
    ------
    DatabaseError
        If the database is of a newer version than this fermiloop.
    """
    database = connection.database()
    connection.check_version()
    done = []
    for number in sorted(MIGRATIONS):
        if number <= version(database):
            continue
        title, migrate = MIGRATIONS[number]
        done += [f"{number} {title}: {action}" for action in migrate(database, dry_run)]
        if not dry_run:
            applied = {"version": number, "title": title, "at": now()}
            database["schema_version"].update_one(
                {"_id": "schema"}, {"$max": {"version": number}, "$push": {"applied": applied}}, upsert=True
            )
    return done
