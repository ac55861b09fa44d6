"""The gate: challenger against champion, on crystals that neither has seen."""

from __future__ import annotations

import numpy as np
import pytest
from tests.flows.schedules.conftest import ELEMENTS, add_crystals, schedule

from fermiloop.flows.rounds import learnable
from fermiloop.flows.schedules import gate, learning, scheduling
from fermiloop.platform.campaign.gate import compare, judge
from fermiloop.platform.store import (
    checkpoints,
    schedules,
    snapshots,
)
from fermiloop.schemas.vocabulary import CheckpointState, RunState


def test_fifty_new_labels_retrain_once_and_the_gate_says_why(method: str) -> None:
    schedule(method, "new_labels", "50")
    assert scheduling.run_once("me") == []
    add_crystals(method, ELEMENTS, "A2")
    assert scheduling.run_once("me") == []  # 38 are not 50
    add_crystals(method, ELEMENTS[:6], "A3")
    (run,) = scheduling.run_once("me")
    assert run.state is RunState.PROMOTED
    assert run.reason == "50 labels are new, 50 were asked for."
    assert run.told == "There was no champion before."
    champion = checkpoints.champion("dos_composer")
    assert champion is not None
    assert champion.id == run.checkpoint
    assert scheduling.run_once("me") == []
    add_crystals(method, ELEMENTS, "A3")  # six are there already: 26 new labels
    assert scheduling.run_once("me") == []
    assert len(schedules.history("nightly")) == 1


def test_a_second_training_meets_the_champion_on_crystals_that_neither_has_seen(method: str) -> None:
    add_crystals(method, ELEMENTS, "A2")
    made = schedule(method, "new_labels", "1")
    first = scheduling.fire(made, "one", "by hand", "me")
    add_crystals(method, ELEMENTS, "A3")
    second = scheduling.fire(made, "two", "by hand", "me")
    assert first is not None
    assert second is not None
    assert second.champion == first.checkpoint
    test = second.gate["test"]
    assert test["n"] > 0
    assert second.state is (RunState.PROMOTED if second.gate["promote"] else RunState.REFUSED)
    held = set(learnable.split("dos_composer", method).test)
    assert not held & (learning.learned(first.checkpoint) | learning.learned(second.checkpoint))
    assert scheduling.fire(made, "two", "by hand", "another") is None
    if second.state is RunState.PROMOTED:
        assert checkpoints.rollback("dos_composer").id == first.checkpoint


def test_a_worse_challenger_is_refused_and_the_champion_stays(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = schedule(method, "new_labels", "1")
    first = scheduling.fire(made, "one", "by hand", "me")
    add_crystals(method, ELEMENTS, "A2")

    # a challenger that names nothing right: the scores are made, the gate and all that follows are real
    worse = judge(compare(np.full(40, 0.1), np.full(40, 0.9)), compare([], []), learned=99, champion_learned=10)
    monkeypatch.setattr(gate, "examine", lambda made, method, held: (worse, first.checkpoint))
    second = scheduling.fire(made, "two", "by hand", "me")
    assert first is not None
    assert second is not None
    assert second.state is RunState.REFUSED
    assert "worse on the frozen test set" in second.told
    assert checkpoints.champion("dos_composer").id == first.checkpoint
    assert checkpoints.get(second.checkpoint).state is CheckpointState.CHALLENGER


def test_a_test_set_of_nothing_is_not_frozen(method: str) -> None:
    name = f"dos_composer on {method}"
    assert gate._frozen("dos_composer", method, []) == []
    assert snapshots.test_set(name) is None
    held = learnable.split("dos_composer", method).test
    assert gate._frozen("dos_composer", method, held) == held
    assert held
    assert gate._frozen("dos_composer", method, held[:1]) == held


def test_two_generators_may_be_tested_on_the_same_crystals(method: str) -> None:
    held = learnable.split("dos_composer", method).test
    for name in ("dos_composer", "ftcp"):
        assert gate._frozen(name, method, held) == held
    assert gate._frozen("ftcp", method, held[:1]) == held
