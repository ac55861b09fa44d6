"""Campaigns launched while stability and acquisition went without saying: written down once, scores made again."""

from __future__ import annotations

from typing import Any

import pytest

from fermiloop.db_init.migrations import m0005_goals
from fermiloop.platform.store import connection

WINDOW = {"properties": [{"name": "band_gap", "value": 1.0, "tolerance": 0.5}]}
NEAR = {"computed_band_gap": 1.25, "computed_score": 2 / 3, "score": 2 / 3, "hit": True, "predicted_score": 0.4}
FAR = {"computed_band_gap": 2.0, "computed_score": 1 / 3, "score": 1 / 3, "hit": False}
LOST = {"computed_score": 0.2, "score": 0.2, "hit": False}  # its gap was not kept


@pytest.fixture
def old(database: str) -> Any:
    there = connection.database()
    there["campaigns"].insert_many(
        [
            {"_id": "curve", "spec": {"target": {"dos": {"material": "Pd"}}, "acquisition": {"name": "greedy"}}},
            {"_id": "gap", "spec": {"target": WINDOW}},
            {"_id": "said", "spec": m0005_goals.completed({"target": {"stable_within": 0.1}})},
        ]
    )
    there["calculations"].insert_one({"_id": "k-1", "result": {"material": "m-1", **NEAR}})
    there["candidates"].insert_many(
        [
            {"_id": "c-1", "campaign": "gap", "calculation": "k-1", "scores": NEAR},
            {"_id": "c-2", "campaign": "gap", "scores": FAR},
            {"_id": "c-3", "campaign": "gap", "scores": LOST},
            {"_id": "c-4", "campaign": "curve", "scores": {"computed_similarity": 0.5, "computed_score": 0.5}},
        ]
    )
    return there


def everything(there: Any) -> Any:
    return [list(there[name].find().sort("_id", 1)) for name in ("campaigns", "candidates", "calculations")]


def test_a_dry_run_changes_nothing_and_a_repeat_does_nothing(old: Any) -> None:
    before = everything(old)
    promised = m0005_goals.migrate(old, True)
    assert promised == [
        "stability of hits and acquisition written down for 2 campaigns",
        "computed scores of 2 candidates of property windows",
    ]
    assert everything(old) == before
    assert m0005_goals.migrate(old, False) == promised
    after = everything(old)
    assert m0005_goals.migrate(old, False) == []
    assert everything(old) == after


def test_nothing_changes_under_a_campaign(old: Any) -> None:
    m0005_goals.migrate(old, False)
    specs = {row["_id"]: row["spec"] for row in everything(old)[0]}
    assert specs["gap"]["target"] == {**WINDOW, "stable_within": None}
    assert specs["gap"]["acquisition"] == {"name": "expected_improvement", "diversity": 0.2, "exploration": 1.0}
    assert specs["curve"]["acquisition"]["name"] == "greedy"
    assert specs["said"]["target"]["stable_within"] == 0.1


def test_windows_score_as_they_do_now(old: Any) -> None:
    m0005_goals.migrate(old, False)
    first, second, third, fourth = (row["scores"] for row in everything(old)[1])
    assert first == {**NEAR, "computed_score": 1.0, "score": 1.0}
    assert (second["computed_score"], second["score"], second["hit"]) == (0.5, 0.5, False)
    assert third == LOST
    assert fourth["computed_score"] == 0.5
    assert everything(old)[2][0]["result"]["computed_score"] == 1.0
