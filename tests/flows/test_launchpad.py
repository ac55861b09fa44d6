"""FireWorks on the store's database: no id is given twice.

This file is also the program of the processes that add at once.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta

import pytest
from fireworks import Firework, FWorker, ScriptTask, Workflow
from jobflow import Flow, Job
from pymongo import MongoClient

from fermiloop.flows.launchpad import SafeLaunchPad, add_flow, launchpad
from fermiloop.platform.store import leases

PROCESSES, WORKFLOWS = 3, 12


def add_workflows(uri: str, database: str, name: str) -> None:
    pad = SafeLaunchPad(host=uri, uri_mode=True, name=database, strm_lvl="CRITICAL")
    for number in range(WORKFLOWS):
        first = Firework(ScriptTask.from_str("true"), name=f"{name}-{number}-a")
        second = Firework(ScriptTask.from_str("true"), name=f"{name}-{number}-b", parents=[first])
        pad.add_wf(Workflow([first, second]))
        pad.get_new_launch_id()
    pad.connection.close()


def test_processes_that_add_workflows_at_once_lose_none(database: str, server_uri: str) -> None:
    launchpad().connection.close()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    processes = [
        subprocess.Popen([sys.executable, "-W", "ignore", __file__, server_uri, database, str(i)], env=environment)
        for i in range(PROCESSES)
    ]
    assert [process.wait(90) for process in processes] == [0] * PROCESSES
    with MongoClient(server_uri) as client:
        found = client[database]
        assert found.workflows.count_documents({}) == PROCESSES * WORKFLOWS
        ids = [row["fw_id"] for row in found.fireworks.find({}, {"fw_id": 1})]
        assert len(ids) == len(set(ids)) == 2 * PROCESSES * WORKFLOWS
        assert found.fw_id_assigner.find_one()["next_launch_id"] == 1 + PROCESSES * WORKFLOWS


def test_bulk_adding_takes_fresh_ids(database: str) -> None:
    pad = launchpad()
    pad.bulk_add_wfs([Workflow([Firework(ScriptTask.from_str("true"))]) for _ in range(3)])
    assert sorted(pad.get_fw_ids()) == [1, 2, 3]
    pad.connection.close()


def add_job(pad: SafeLaunchPad, name: str) -> None:
    add_flow(pad, Flow([Job(os.path.basename, ("x",), name=name)]), name, {})


@pytest.mark.parametrize("minutes", [-10, 10])
def test_a_worker_whose_clock_is_off_loses_no_run_and_takes_none(
    database: str, shift_clock: Callable[[float], None], minutes: float
) -> None:
    pad = launchpad()
    for name in ("right", "off"):
        add_job(pad, name)
    assert pad.checkout_fw(FWorker("right"), ".")[0] is not None
    shift_clock(minutes)
    assert pad.checkout_fw(FWorker("off"), ".")[0] is not None
    assert pad.detect_lostruns(expiration_secs=300)[:2] == ([], [])
    shift_clock(0)
    assert pad.detect_lostruns(expiration_secs=300)[:2] == ([], [])
    pad.connection.close()


@pytest.mark.parametrize("minutes", [-10, 0, 10])
def test_a_run_that_fell_silent_is_found_by_any_clock(
    database: str, shift_clock: Callable[[float], None], minutes: float
) -> None:
    pad = launchpad()
    add_job(pad, "silent")
    _, launch = pad.checkout_fw(FWorker("gone"), ".")
    pad.ping_launch(launch, leases.server_time() - timedelta(seconds=301))
    shift_clock(minutes)
    assert pad.detect_lostruns(expiration_secs=300)[0] == [launch]
    pad.ping_launch(launch)
    assert pad.detect_lostruns(expiration_secs=300)[0] == []
    pad.connection.close()


if __name__ == "__main__":
    add_workflows(*sys.argv[1:])
