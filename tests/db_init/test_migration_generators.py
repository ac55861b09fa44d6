"""Generator and preset of candidates: one text becomes two fields, once."""

from __future__ import annotations

from typing import Any

import pytest

from fermiloop.db_init.migrations import m0007_generators
from fermiloop.platform.store import connection

STORED = {"c-1": "dos_composer/paper", "c-2": "substitution", "c-3": "ftcp/structured"}


@pytest.fixture
def old(database: str) -> Any:
    there = connection.database()
    there["candidates"].insert_many([{"_id": key, "generator": name, "n": 1} for key, name in STORED.items()])
    return there


def rows(there: Any) -> dict[str, Any]:
    return {row.pop("_id"): row for row in there["candidates"].find().sort("_id", 1)}


def test_a_dry_run_changes_nothing_and_a_repeat_does_nothing(old: Any) -> None:
    before = rows(old)
    promised = m0007_generators.migrate(old, True)
    assert promised == ["generator and preset of 2 candidates in two fields"]
    assert rows(old) == before
    assert m0007_generators.migrate(old, False) == promised
    after = rows(old)
    assert m0007_generators.migrate(old, False) == []
    assert rows(old) == after
    assert after == {
        "c-1": {"generator": "dos_composer", "preset": "paper", "n": 1},
        "c-2": {"generator": "substitution", "n": 1},
        "c-3": {"generator": "ftcp", "preset": "structured", "n": 1},
    }


def test_more_than_a_batch(old: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(m0007_generators, "BATCH", 1)
    m0007_generators.migrate(old, False)
    assert not any("/" in row["generator"] for row in rows(old).values())
