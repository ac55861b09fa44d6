"""What runs and waits, by its own words: states, workers, times and logs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from fireworks import Firework, Workflow
from fireworks.user_objects.firetasks.script_task import PyTask

from fermiloop.flows.engines.steps import isolation
from fermiloop.flows.engines.steps.children import LOG
from fermiloop.flows.processes import identity
from fermiloop.flows.queue import watching
from fermiloop.flows.queue.documents.rows import CALCULATION_KEY, CAMPAIGN_KEY
from fermiloop.flows.queue.launchpad import launchpad

WORKER = "node7~12~99~boot~space~0123456789abcdef"
RUN = "calc-0123456789abcdef"


@pytest.fixture
def queued(database: str) -> Any:
    """A queue with a flow of two steps of one calculation, and one of another."""
    pad = launchpad()
    task = PyTask(func="builtins.len", args=["x"])

    def step(name: str, run: str, parents: Any = None) -> Firework:
        spec = {CAMPAIGN_KEY: "pd-like", CALCULATION_KEY: run}
        return Firework([task], spec=spec, name=name, parents=parents)

    relax = step("relax", RUN)
    pad.add_wf(Workflow([relax, step("record", RUN, [relax])]))
    pad.add_wf(Workflow([step("other", "calc-1")]))
    yield pad
    pad.connection.close()


def test_steps_of_a_calculation_and_the_queue(queued: Any) -> None:
    assert {one.name: one.state for one in watching.steps(RUN)} == {"relax": "READY", "record": "WAITING"}
    assert watching.steps(RUN)[-1].name == "record"
    assert {one.name for one in watching.queue()} == {"relax", "record", "other"}
    assert {one.campaign for one in watching.queue()} == {"pd-like"}
    assert all(one.since.tzinfo is not None for one in watching.queue())


def test_a_step_that_runs_names_its_worker_and_since_when(queued: Any) -> None:
    queued.fireworks.update_one({"name": "relax"}, {"$set": {"state": "RUNNING", "launches": [5]}})
    began = "2026-11-28T08:00:00.123456"
    queued.launches.insert_one(
        {
            "launch_id": 5,
            "fworker": {"name": WORKER},
            "state_history": [{"state": "RUNNING", "created_on": began}],
        }
    )
    first = watching.queue()[0]
    assert (first.name, first.worker) == ("relax", "node7, process 12")
    assert first.since == datetime(2026, 11, 28, 8, 0, 0, 123456, tzinfo=UTC)
    assert watching.told("somebody") == "somebody"
    assert watching.told(identity.worker_name()).endswith(f"process {identity.parse(identity.worker_name()).pid}")


def test_nothing_is_written_by_a_look_at_an_empty_store(database: str) -> None:
    from mongoengine.connection import get_db

    before = set(get_db().list_collection_names())
    assert watching.queue() == []
    assert watching.steps(RUN) == []
    assert set(get_db().list_collection_names()) == before


def test_the_end_of_each_log(database: str) -> None:
    folder = isolation.step_folder(RUN, "relax")
    folder.mkdir(parents=True)
    (folder / LOG).write_text("\n".join(f"line {i}" for i in range(50_000)), encoding="utf-8")
    (folder / isolation.FAILURE_LOG).write_bytes(b"Traceback \xff")
    found = watching.logs(RUN)
    assert list(found) == ["relax: failure.log", "relax: child.log"]
    lines = found["relax: child.log"].splitlines()
    assert (len(lines), lines[-1]) == (watching.LINES, "line 49999")
    assert watching.logs("calc-none") == {}
