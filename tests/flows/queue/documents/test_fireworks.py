"""What waits, runs and has failed, asked of a real queue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from fireworks import FWorker

from fermiloop.flows.queue.documents import fireworks
from fermiloop.flows.queue.documents.rows import CALCULATION
from fermiloop.flows.queue.launchpad import SafeLaunchPad

Add = Callable[..., tuple[int, int]]


def test_what_is_asked_is_indexed(pad: SafeLaunchPad) -> None:
    found = {one["key"][0][0]: one.get("unique", False) for one in pad.fireworks.index_information().values()}
    assert (found["fw_id"], found["state"], found[CALCULATION]) == (True, False, False)


def test_campaigns_with_work_and_calculations_in_the_queue(pad: SafeLaunchPad, add: Add) -> None:
    first, second = add()
    add("b", "calc-b")
    assert sorted(fireworks.waiting_campaigns(pad)) == ["a", "b"]
    assert fireworks.is_queued(pad, "calc-a")
    assert not fireworks.is_queued(pad, "calc-none")
    assert fireworks.is_active(pad, [first])
    assert not fireworks.is_active(pad, [second])  # it waits for the first
    assert fireworks.is_any_waiting(pad, [first, second])
    assert not fireworks.is_any_waiting(pad, [first])
    assert list(fireworks.ready_of(pad, [first, second])) == [first]
    assert sorted(fireworks.of_calculation(pad, "calc-a")) == sorted([first, second])
    assert fireworks.names_of(pad, "calc-a") == {first: "relax", second: "record"}
    assert fireworks.calculation_of(pad, second) == "calc-a"
    assert fireworks.calculation_of(pad, 999) == ""


def test_work_of_a_campaign_and_of_some_of_its_calculations(pad: SafeLaunchPad, add: Add) -> None:
    add()
    assert fireworks.is_ready(pad, fireworks.work_of("a"))
    assert fireworks.is_ready(pad, fireworks.work_of("a", ["calc-a"]))
    assert not fireworks.is_ready(pad, fireworks.work_of("a", []))
    assert not fireworks.is_ready(pad, fireworks.work_of("b", ["calc-a"]))
    assert pad.checkout_fw(FWorker("one", query=fireworks.work_of("b")), "/tmp")[0] is None


def test_the_next_is_that_of_the_highest_priority_that_was_not_passed_over(pad: SafeLaunchPad, add: Add) -> None:
    low, high = add()[0], add("b", "calc-b", priority=5)[0]
    found = fireworks.next_ready(pad, None, [])
    assert found is not None
    assert (found.fw_id, found.calculation) == (high, "calc-b")
    passed = fireworks.next_ready(pad, None, [high])
    assert passed is not None
    assert passed.fw_id == low
    assert fireworks.next_ready(pad, fireworks.work_of("b"), [high]) is None


def test_one_is_reserved_once_and_freed_only_as_it_was_read(pad: SafeLaunchPad, add: Add) -> None:
    first, second = add()
    assert not fireworks.is_any_held(pad)
    assert fireworks.begun_calculations(pad, "a") == []
    assert fireworks.reserve(pad, first)
    assert not fireworks.reserve(pad, first)
    assert fireworks.is_any_held(pad)
    assert fireworks.is_held(pad, [first])
    assert not fireworks.is_held(pad, [second])
    assert fireworks.begun_calculations(pad, "a") == ["calc-a"]
    (row,) = fireworks.reserved(pad)
    assert row.fw_id == first
    assert not fireworks.free(pad, replace(row, updated_on="later"))
    assert fireworks.free(pad, row)
    assert not fireworks.free(pad, row)
    assert list(fireworks.ready_of(pad, [first])) == [first]


def test_what_waits_may_be_taken_and_what_was_taken_stays(pad: SafeLaunchPad, add: Add) -> None:
    first, second = add()
    fireworks.reserve(pad, first)
    fireworks.mark_waiting_ready(pad, [first, second])
    assert list(fireworks.ready_of(pad, [first, second])) == [second]
    fireworks.mark_ready(pad, [first, second])
    assert sorted(fireworks.ready_of(pad, [first, second])) == sorted([first, second])


def test_what_runs_and_what_has_failed(pad: SafeLaunchPad, add: Add) -> None:
    first, second = add()
    assert fireworks.first_failed(pad, [first, second]) is None
    launch = pad.checkout_fw(FWorker("one"), "/tmp")[1]
    assert [(one.fw_id, one.launch_ids) for one in fireworks.running(pad)] == [(first, (launch,))]
    assert list(fireworks.of_launch(pad, launch)) == [first]
    pad.mark_fizzled(launch)
    assert fireworks.running(pad) == []
    assert [(one.fw_id, one.launch_ids) for one in fireworks.failed(pad)] == [(first, (launch,))]
    failed = fireworks.first_failed(pad, [first, second])
    assert failed is not None
    assert (failed.fw_id, failed.name, failed.launch_ids) == (first, "relax", (launch,))
    assert fireworks.first_failed(pad, [second]) is None


def test_rows_in_the_order_of_ids_up_to_a_bound(pad: SafeLaunchPad, add: Add) -> None:
    first, second = add()
    launch = pad.checkout_fw(FWorker("one"), "/tmp")[1]
    (held,) = fireworks.held(pad, 10)
    assert (held.fw_id, held.state, held.newest_launch) == (first, "RUNNING", launch)
    assert (held.campaign, held.calculation) == ("a", "calc-a")
    assert held.created_on is not None
    assert held.updated_on is not None
    assert [one.fw_id for one in fireworks.not_begun(pad, 10)] == [second]
    assert [one.fw_id for one in fireworks.steps_of(pad, "calc-a", 10)] == sorted([first, second])
    assert [one.fw_id for one in fireworks.steps_of(pad, "calc-a", 1)] == [min(first, second)]
