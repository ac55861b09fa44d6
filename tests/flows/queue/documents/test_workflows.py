"""Workflows of a real queue: found by their metadata, begun, locked and unlocked."""

from __future__ import annotations

from collections.abc import Callable

from fireworks import FWAction, FWorker
from fireworks.core.launchpad import WFLock

from fermiloop.flows.queue.documents import workflows
from fermiloop.flows.queue.launchpad import SafeLaunchPad

Add = Callable[..., tuple[int, int]]


def test_what_is_asked_is_indexed(pad: SafeLaunchPad) -> None:
    assert "nodes" in {one["key"][0][0] for one in pad.workflows.index_information().values()}


def test_a_workflow_is_found_by_its_metadata(pad: SafeLaunchPad, add: Add) -> None:
    nodes = add()
    assert workflows.has_workflow(pad, "of", "calc-a")
    assert not workflows.has_workflow(pad, "of", "calc-b")
    assert sorted(workflows.nodes_of(pad, "of", "calc-a")) == sorted(nodes)
    assert workflows.nodes_of(pad, "of", "calc-b") == []


def test_what_the_metadata_of_a_workflow_say_is_said_of_each_of_its_fireworks(pad: SafeLaunchPad, add: Add) -> None:
    one, other = add(), add(calculation="calc-b")
    assert workflows.values_by_node(pad, "of") == dict.fromkeys(one, "calc-a") | dict.fromkeys(other, "calc-b")
    assert workflows.values_by_node(pad, "nothing") == {}


def test_first_steps_of_what_was_not_begun(pad: SafeLaunchPad, add: Add) -> None:
    first, _ = add()
    assert list(workflows.roots_of_ready(pad)) == [[first]]
    pad.checkout_fw(FWorker("one"), "/tmp")
    assert list(workflows.roots_of_ready(pad)) == []


def test_that_a_step_runs_is_noted_where_the_workflow_runs_and_is_not_locked(pad: SafeLaunchPad, add: Add) -> None:
    first, second = add()
    assert not workflows.mark_running(pad, first)  # the workflow does not run yet
    pad.complete_launch(pad.checkout_fw(FWorker("one"), "/tmp")[1], FWAction())
    pad.checkout_fw(FWorker("one"), "/tmp")
    with WFLock(pad, second):
        assert not workflows.mark_running(pad, second)
    assert workflows.mark_running(pad, second)
    assert pad.get_wf_by_fw_id_lzyfw(first).fw_states[second] == "RUNNING"


def test_a_lock_is_seen_and_taken_away(pad: SafeLaunchPad, add: Add) -> None:
    first, second = add()
    assert not workflows.is_locked(pad, second)
    with WFLock(pad, first):
        assert workflows.is_locked(pad, second)
        workflows.unlock(pad, second)
        assert not workflows.is_locked(pad, first)


def test_a_document_is_added_as_it_is(pad: SafeLaunchPad, add: Add) -> None:
    add()
    document = {**pad.get_wf_by_fw_id_lzyfw(1).to_db_dict(), "nodes": [77], "metadata": {"of": "calc-77"}}
    workflows.insert(pad, document)
    assert workflows.nodes_of(pad, "of", "calc-77") == [77]
