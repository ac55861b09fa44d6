"""Scores that an earlier version kept as a bag: read as they are, and numbers alone after the migration."""

from __future__ import annotations

import math
from typing import Any

import pytest
from mongoengine import get_db

from fermiloop.db_init.migrations import m0011_scores
from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.store import candidates
from fermiloop.schemas.candidate import Candidate

ROW = {
    "campaign": "c", "round": 1, "generator": "ftcp", "index": 0, "structure": {}, "formula": "Cu",
    "formula_lower": "cu", "elements": ["Cu"], "chemical_system": "Cu", "n_sites": 1, "seed": 0, "score": 0.1,
}  # fmt: skip
FORMER = {"score": 0.5, "note": "by hand", "hit": 1, "computed_score": None, "predicted_score": math.nan, "x y": 1.0}


@pytest.fixture
def old(database: str) -> Any:
    collection = get_db()["candidates"]
    collection.insert_one({"_id": "c-old", **ROW, "scores": FORMER})
    collection.insert_one({"_id": "c-new", **ROW, "scores": {"score": 0.5, "hit": False}})
    collection.insert_one({"_id": "c-none", **ROW})
    return collection


def test_a_dry_run_tells_and_a_second_run_has_nothing_to_do(old: Any) -> None:
    told = m0011_scores.migrate(get_db(), True)
    assert told == ["what is no number left out of the scores of 1 candidates"]
    assert old.find_one({"_id": "c-old"})["scores"].keys() == FORMER.keys()
    assert m0011_scores.migrate(get_db(), False) == told
    assert old.find_one({"_id": "c-old"})["scores"] == {"score": 0.5, "hit": True}
    assert old.find_one({"_id": "c-new"})["scores"] == {"score": 0.5, "hit": False}
    assert m0011_scores.migrate(get_db(), False) == []


def test_what_is_stored_is_read_as_it_is_and_typed(old: Any) -> None:
    assert candidates.get("c-old").scores["note"] == "by hand"
    new = candidates.get("c-new").scores
    assert (new.hit, new.computed_score, new["score"]) == (False, None, 0.5)
    assert candidates.get("c-none").scores == {}
    candidates.update("c-none", scores={"computed_score": 0.9, "hit": True})
    found = candidates.get("c-none").scores
    assert (found.hit, found.computed_score) == (True, 0.9)
    assert old.find_one({"_id": "c-none"})["scores"] == {"computed_score": 0.9, "hit": True}


@pytest.mark.parametrize(
    ("scores", "why"),
    [
        ({"score": math.inf}, "score is 'inf', not a finite number"),
        ({"score": "high"}, "score is 'high'"),
        ({"score": True}, "score is 'True'"),
        ({"hit": 1}, "hit is 1, not true or false"),
        ({"a b": 1.0}, "'a b' is no name"),
    ],
)
def test_what_is_no_score_is_refused(scores: dict[str, Any], why: str) -> None:
    made = Candidate(
        id="c-1", **{**ROW, "structure": PROTOTYPES["A1"].build("Cu", None, 12.0).as_dict()}, scores=scores
    )
    with pytest.raises(InputError, match=why):
        made.check()
