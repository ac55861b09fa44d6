"""Scores stored before they said their source: renamed once, told by a dry run, gone on with after a stop."""

from __future__ import annotations

from typing import Any

import pytest

from fermiloop.db_init import indexes
from fermiloop.db_init.migrations import m0004_scores
from fermiloop.platform.store import connection

FUNNEL = {"similarity_mean": 0.4, "similarity_std": 0.1, "energy_per_atom": -3.5, "energy_above_hull": -0.02}
GAVE = {"computed_energy_above_hull": 0.1, "dos_similarity": 0.95, "score": 0.95, "hit": True}
TARGETS = {"curve": {"dos": {"material": "Pd"}}, "gap": {"properties": [{"name": "band_gap"}]}}
PROMISED = [
    "scores of 3 candidates under names that say their source",
    "results of 1 calculations under the same names",
    "index of scores.similarity_mean dropped",
]


@pytest.fixture
def old(database: str) -> Any:
    """Candidates of two campaigns as they were stored: one evaluated, two screened, one only proposed."""
    there = connection.database()
    there["campaigns"].insert_many([{"_id": name, "spec": {"target": one}} for name, one in TARGETS.items()])
    result = {"material": "m-1", "energy_per_atom": -4.0, "functional": "PBE", **GAVE}
    there["calculations"].insert_one({"_id": "calc-1", "result": result})
    there["candidates"].insert_many(
        [
            {"_id": "c-1", "campaign": "curve", "calculation": "calc-1", "score": 1.5, "scores": FUNNEL | GAVE},
            {"_id": "c-2", "campaign": "gap", "scores": dict(FUNNEL)},
            {"_id": "c-3", "campaign": "lost", "scores": {"similarity_mean": 0.2}},
            {"_id": "c-4", "campaign": "gap"},
        ]
    )
    there["candidates"].create_index([("elements", 1), ("scores.similarity_mean", 1)])
    return there


def everything(there: Any) -> Any:
    return [list(there[name].find().sort("_id", 1)) for name in ("candidates", "calculations")]


def test_a_dry_run_changes_nothing_and_a_repeat_does_nothing(old: Any) -> None:
    before = everything(old), old["candidates"].index_information()
    assert m0004_scores.migrate(old, True) == PROMISED
    assert (everything(old), old["candidates"].index_information()) == before
    assert m0004_scores.migrate(old, False) == PROMISED
    after = everything(old)
    assert m0004_scores.migrate(old, True) == m0004_scores.migrate(old, False) == []
    assert everything(old) == after


def test_every_value_bears_its_source(old: Any) -> None:
    m0004_scores.migrate(old, False)
    first, second, third, fourth = everything(old)[0]
    assert first["score"] == 1.5  # the generator's stays
    assert first["scores"] == {
        "potential_energy_per_atom": -3.5, "potential_energy_above_hull": -0.02,
        "predicted_score": 0.4, "predicted_score_std": 0.1,
        "predicted_similarity": 0.4, "predicted_similarity_std": 0.1,
        "score": 0.95, "similarity": 0.95, "energy_above_hull": 0.1, "energy_per_atom": -4.0,
        "computed_score": 0.95, "computed_similarity": 0.95, "computed_energy_above_hull": 0.1,
        "computed_energy_per_atom": -4.0, "hit": True,
    }  # fmt: skip
    assert second["scores"] == {
        "potential_energy_per_atom": -3.5, "potential_energy_above_hull": -0.02, "energy_per_atom": -3.5,
        "energy_above_hull": -0.02, "predicted_score": 0.4, "predicted_score_std": 0.1, "score": 0.4,
    }  # fmt: skip
    assert third["scores"] == {"predicted_score": 0.2, "score": 0.2}
    assert "scores" not in fourth
    (run,) = everything(old)[1]
    assert run["result"] == {
        "material": "m-1", "energy_per_atom": -4.0, "functional": "PBE", "computed_energy_above_hull": 0.1,
        "computed_similarity": 0.95, "computed_score": 0.95, "computed_energy_per_atom": -4.0, "hit": True,
    }  # fmt: skip


def test_what_was_stopped_goes_on(old: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(m0004_scores, "BATCH", 1)
    rename, calls = m0004_scores._rename, []

    def broken(*given: Any) -> int:
        calls.append(given)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return rename(*given)

    monkeypatch.setattr(m0004_scores, "_rename", broken)
    with pytest.raises(KeyboardInterrupt):
        m0004_scores.migrate(old, False)
    done = everything(old)[0][0]
    assert "computed_score" in done["scores"]
    monkeypatch.setattr(m0004_scores, "_rename", rename)
    assert m0004_scores.migrate(old, False)[0].startswith("scores of 2 candidates")
    assert everything(old)[0][0] == done


def test_the_indexes_of_now_are_of_names_of_now(database: str) -> None:
    from fermiloop.schemas.scores import SCORES

    scored = [field for keys in indexes.INDEXES["candidates"] for field, _ in keys if field.startswith("scores.")]
    assert scored
    assert {field.removeprefix("scores.") for field in scored} <= set(SCORES)
