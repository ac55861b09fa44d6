"""FireWorks on the store's database: no id is given twice.

Kept light to import: each of the processes that add at once imports it anew.
"""

from __future__ import annotations

import multiprocessing

from fireworks import Firework, ScriptTask, Workflow
from pymongo import MongoClient

from fermiloop.flows.launchpad import SafeLaunchPad, launchpad

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
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=add_workflows, args=(server_uri, database, str(i))) for i in range(PROCESSES)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(90)
        assert process.exitcode == 0
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
