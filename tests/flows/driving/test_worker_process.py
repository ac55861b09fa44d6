"""A worker between two jobs: campaigns are advanced now and then, and at once where nothing waits."""

from __future__ import annotations

from typing import Any

import pytest

from fermiloop.flows.driving import worker_process
from fermiloop.flows.driving.worker_process import ADVANCE_EVERY, Worker


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What a worker does in its turns, by a clock that goes when it is told to; `waiting` is what it finds to do."""
    made: dict[str, Any] = {"now": 100.0, "advanced": 0, "drawn": 0, "waiting": {"name": "x"}}

    def advance(*_: Any) -> None:
        made["advanced"] += 1

    def draw(*_: Any) -> Any:
        made["drawn"] += 1
        return made["waiting"]

    monkeypatch.setattr(worker_process.time, "monotonic", lambda: made["now"])
    for name, what in (
        ("advance_all", advance),
        ("draw", draw),
        ("recover", lambda *_: None),
        ("reconcile", lambda *_: None),
        ("launch_rocket", lambda *_, **__: True),
    ):
        monkeypatch.setattr(worker_process, name, what)
    return made


def test_while_there_is_work_it_advances_once_a_second(calls: dict[str, Any]) -> None:
    worker = Worker(until_idle=False)
    assert [worker.turn(None) for _ in range(5)] == [True] * 5
    assert (calls["advanced"], calls["drawn"]) == (1, 5)
    calls["now"] += ADVANCE_EVERY * 1.5
    worker.turn(None)
    assert calls["advanced"] == 2


def test_where_nothing_waits_it_advances_at_once_and_looks_again(calls: dict[str, Any]) -> None:
    worker = Worker(until_idle=False)
    worker.turn(None)
    calls["waiting"] = None
    calls["now"] += ADVANCE_EVERY / 10
    assert not worker.turn(None)
    assert (calls["advanced"], calls["drawn"]) == (2, 3)
