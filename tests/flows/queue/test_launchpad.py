"""FireWorks on the store's database: no id is given twice.

This file is also the program of the processes that add at once.
"""

from __future__ import annotations

import os
import subprocess
import sys

from fireworks import Firework, ScriptTask, Workflow
from pymongo import MongoClient

from fermiloop.flows.queue.launchpad import SafeLaunchPad, launchpad

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


if __name__ == "__main__":
    add_workflows(*sys.argv[1:])
