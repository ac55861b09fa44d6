"""Jobs that were queued before modules moved are led to where their code is now."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from fermiloop.db_init.migrations import m0006_rooms
from fermiloop.platform.store import connection

BOUND = {
    "@module": "fermiloop.flows.engines.gpaw_makers",
    "@class": "GpawRelaxMaker",
    "name": "fermiloop.flows.close it",
}


def firework(number: int, state: str, module: str, **more: Any) -> dict[str, Any]:
    function = {"@module": module, "@callable": "close", **more}
    return {"_id": number, "state": state, "spec": {"_tasks": [{"job": {"function": function}}], "_category": "c"}}


@pytest.fixture
def queue(database: str) -> Any:
    there = connection.database()
    there["fireworks"].insert_many(
        [
            firework(1, "READY", "fermiloop.flows.close"),
            firework(2, "RUNNING", "fermiloop.flows.engines.gpaw_makers", **{"@bound": BOUND}),
            firework(3, "COMPLETED", "fermiloop.flows.close"),
            firework(4, "WAITING", "fermiloop.flows.rounds.close"),
            firework(5, "FIZZLED", "fermiloop.flows.closer"),
        ]
    )
    return there


def functions(there: Any) -> dict[int, dict[str, Any]]:
    return {row["_id"]: row["spec"]["_tasks"][0]["job"]["function"] for row in there["fireworks"].find()}


def test_what_is_not_completed_names_the_new_modules(queue: Any) -> None:
    before = functions(queue)
    (told,) = m0006_rooms.migrate(queue, dry_run=True)
    assert told == "2 queued jobs led to where their code is now"
    assert functions(queue) == before
    assert m0006_rooms.migrate(queue, dry_run=False) == [told]
    found = functions(queue)
    assert found[1]["@module"] == "fermiloop.flows.rounds.close"
    assert found[2]["@bound"] == {**BOUND, "@module": "fermiloop.flows.engines.gpaw.makers"}
    assert [found[n] for n in (3, 4, 5)] == [before[n] for n in (3, 4, 5)]
    assert m0006_rooms.migrate(queue, dry_run=False) == []


def test_every_new_module_is_there() -> None:
    for module in m0006_rooms.MOVED.values():
        import_module(m0006_rooms.ROOT + module)
