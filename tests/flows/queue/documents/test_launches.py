"""Runs of a real queue: whose they are, ended once, taken away once, and why they failed."""

from __future__ import annotations

from collections.abc import Callable

from fireworks import FWorker

from fermiloop.flows.queue.documents import fireworks, launches
from fermiloop.flows.queue.documents.rows import Failure
from fermiloop.flows.queue.launchpad import SafeLaunchPad

Add = Callable[..., tuple[int, int]]


def take(pad: SafeLaunchPad, worker: str = "one") -> int:
    return int(pad.checkout_fw(FWorker(worker), "/tmp")[1])


def test_what_is_asked_is_indexed(pad: SafeLaunchPad) -> None:
    found = {one["key"][0][0]: one.get("unique", False) for one in pad.launches.index_information().values()}
    assert (found["launch_id"], found["fw_id"]) == (True, False)


def test_a_run_is_its_workers(pad: SafeLaunchPad, add: Add) -> None:
    first, second = add()
    run = take(pad)
    (row,) = launches.running(pad)
    assert (row.launch_id, row.fw_id, row.worker) == (run, first, "one")
    assert row.began_at is not None
    assert [one.launch_id for one in launches.running_of(pad, "one")] == [run]
    assert launches.running_of(pad, "two") == []
    assert launches.is_held(pad, run)
    assert launches.holds_any(pad, "one", [first, second])
    assert not launches.holds_any(pad, "one", [second])
    assert not launches.holds_any(pad, "two", [first, second])
    times = launches.times_of(pad, [run, 999])
    assert list(times) == [run]
    assert (times[run].worker, times[run].began_at) == ("one", row.began_at)


def test_who_says_that_it_lives_changes_its_history(pad: SafeLaunchPad, add: Add) -> None:
    add()
    run = take(pad)
    before = launches.running(pad)[0].history
    super(SafeLaunchPad, pad).ping_launch(run)
    assert launches.running(pad)[0].history != before


def test_a_run_is_taken_away_once_and_then_cannot_be_ended(pad: SafeLaunchPad, add: Add) -> None:
    first, _ = add()
    run = take(pad)
    ended = pad.get_launch_by_id(run).to_db_dict()
    assert launches.taker_of(pad, run) is None
    assert not launches.take_away(pad, run, "FIZZLED", "two", None)  # it runs
    assert launches.take_away(pad, run, "RUNNING", "two", None)
    assert not launches.take_away(pad, run, "RUNNING", "three", None)
    assert launches.taker_of(pad, run) == "two"
    assert launches.take_away(pad, run, "FIZZLED", "three", "two")  # over one that is lost
    row = launches.ends_of(pad, [run])[run]
    assert (row.fw_id, row.state, row.worker, row.taker) == (first, "FIZZLED", "one", "three")
    assert not launches.is_held(pad, run)
    assert not launches.end(pad, run, ended)


def test_a_run_that_is_held_is_ended(pad: SafeLaunchPad, add: Add) -> None:
    add()
    run = take(pad)
    assert launches.end(pad, run, {**pad.get_launch_by_id(run).to_db_dict(), "state": "COMPLETED"})
    assert launches.ends_of(pad, [run])[run].state == "COMPLETED"


def test_what_ended_well_has_its_times(pad: SafeLaunchPad, add: Add, launch: Callable[[], bool]) -> None:
    first, second = add()
    assert launches.completed(pad) == []
    assert launch()
    (found,) = launches.completed(pad)
    assert (found.fw_id, found.worker) == (first, "one")
    assert str(found.began_at) <= str(found.completed_at)
    assert fireworks.every(pad)[second].calculation == "calc-a"


def test_what_was_given_back_is_no_attempt(pad: SafeLaunchPad, add: Add) -> None:
    first, _ = add()
    assert launches.count(pad, first) == 0
    run = take(pad)
    assert (launches.count(pad, first), launches.count_attempts(pad, first)) == (1, 1)
    launches.mark_given_back(pad, run)
    assert (launches.count(pad, first), launches.count_attempts(pad, first)) == (1, 0)


def test_a_failure_has_its_jobs_name_and_traceback(pad: SafeLaunchPad, add: Add, launch: Callable[[], bool]) -> None:
    nodes = add(text="no json")
    assert launches.first_failure(pad, nodes) is None
    assert launches.failures(pad, "calc-a") == []
    launch()
    failed = launches.first_failure(pad, nodes)
    assert failed is not None
    assert failed.name == "relax"
    assert "JSONDecodeError: Expecting value" in failed.trace
    assert launches.failures(pad, "calc-a") == [failed]
    assert launches.failures(pad, "calc-b") == []


def test_the_failure_of_a_lost_worker_has_no_traceback(pad: SafeLaunchPad, add: Add) -> None:
    nodes = add()
    run = take(pad, "lost")
    pad.mark_fizzled(run)
    assert launches.first_failure(pad, nodes) == Failure("relax", "")
    first = launches.first_of(pad, [run])
    assert first is not None
    assert (first.fw_id, first.worker, first.trace) == (nodes[0], "lost", "")
    assert launches.first_of(pad, []) is None
