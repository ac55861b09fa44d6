"""Generator and preset of candidates in two fields, what a launch resolved in one document, each once."""

from __future__ import annotations

from typing import Any

import pytest

from fermiloop.db_init.migrations import m0007_launches
from fermiloop.platform.store import connection

METHODS = {"engine": "method-1", "training": "method-2", "cheap": "method-3"}
CAMPAIGNS = [
    {"_id": "a", "methods": METHODS, "hull": True}, {"_id": "b", "methods": METHODS}, {"_id": "c", "hull": False},
    {"_id": "d"},
]  # fmt: skip
STORED = {"c-1": "dos_composer/paper", "c-2": "substitution", "c-3": "ftcp/structured"}


@pytest.fixture
def old(database: str) -> Any:
    there = connection.database()
    there["campaigns"].insert_many(CAMPAIGNS)
    there["candidates"].insert_many([{"_id": key, "generator": name, "n": 1} for key, name in STORED.items()])
    return there


def rows(there: Any, collection: str = "candidates") -> dict[str, Any]:
    return {row.pop("_id"): row for row in there[collection].find().sort("_id", 1)}


def test_a_dry_run_changes_nothing_and_a_repeat_does_nothing(old: Any) -> None:
    before = rows(old)
    promised = m0007_launches.migrate(old, True)
    assert promised == [
        "generator and preset of 2 candidates in two fields",
        "what the launch resolved of 3 campaigns in one document",
    ]
    assert rows(old) == before
    assert rows(old, "campaigns")["a"] == {"methods": METHODS, "hull": True}
    assert m0007_launches.migrate(old, False) == promised
    after = rows(old)
    assert m0007_launches.migrate(old, False) == []
    assert rows(old) == after
    assert after == {
        "c-1": {"generator": "dos_composer", "preset": "paper", "n": 1},
        "c-2": {"generator": "substitution", "n": 1},
        "c-3": {"generator": "ftcp", "preset": "structured", "n": 1},
    }


def test_what_a_launch_resolved_is_one_document(old: Any) -> None:
    m0007_launches.migrate(old, False)
    assert rows(old, "campaigns") == {
        "a": {"resolved": {**METHODS, "hull": True}}, "b": {"resolved": METHODS}, "c": {}, "d": {},
    }  # fmt: skip


def test_more_than_a_batch(old: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(m0007_launches, "BATCH", 1)
    m0007_launches.migrate(old, False)
    assert not any("/" in row["generator"] for row in rows(old).values())
