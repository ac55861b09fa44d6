"""Scheduled retraining: who leads, what is taken up after a kill, and what a broken training does to the others."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.flows.schedules.conftest import add_crystals, schedule

from fermiloop.flows.schedules import learning, scheduling
from fermiloop.platform.errors import InputError
from fermiloop.platform.settings import settings
from fermiloop.platform.store import (
    checkpoints,
    connection,
    embedded,
    leases,
    schedules,
)
from fermiloop.schemas.schedule import Lease, Schedule, ScheduleRun
from fermiloop.schemas.vocabulary import RunState


def test_what_cannot_be_trained_ends_as_failed_with_the_reason(method: str) -> None:
    made = schedule(method, "new_labels", "1")
    made.options = {"epochz": 3}
    run = scheduling.fire(made, "one", "by hand", "me")
    assert run is not None
    assert run.state is RunState.FAILED
    assert "epochz" in run.told


def test_a_generator_that_learns_nothing_is_refused(method: str) -> None:
    made = Schedule(id="x", generator="substitution", method=method, trigger="new_labels", value="5")
    with pytest.raises(InputError, match="learns nothing"):
        scheduling.add(made)


def test_without_the_lease_nothing_is_done(method: str) -> None:
    schedule(method, "new_labels", "1")
    add_crystals(method, ("Pd",), "A2")
    assert leases.take(scheduling.LEASE, "another", 60)
    assert scheduling.run_once("me") == []
    leases.give_back(scheduling.LEASE, "another")
    assert len(scheduling.run_once("me")) == 1


def test_a_firing_whose_leader_died_is_taken_up(method: str) -> None:
    schedule(method, "new_labels", "1")
    schedules.begin("nightly", "labels-0", "by one that died", "dead", 40)
    scheduling.run_once("heir")
    (run,) = schedules.history("nightly")
    assert (run.state, run.leader, run.attempts) == (RunState.PROMOTED, "heir", 2)


def test_a_training_that_breaks_ends_as_failed_and_holds_up_no_other(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule(method, "new_labels", "1", name="first")
    schedule(method, "new_labels", "1", name="second")
    add_crystals(method, ("Pd",), "A2")
    whole = learning.train
    broken = [RuntimeError("the matrix is singular")]
    monkeypatch.setattr(learning, "train", lambda *given: whole(*given) if not broken else raised(broken.pop()))
    scheduling.run_once("me")
    states = {run.schedule: (run.state, run.told) for run in schedules.history()}
    assert states["first"] == (RunState.FAILED, "RuntimeError: the matrix is singular")
    assert states["second"][0] is RunState.PROMOTED
    assert schedules.unfinished() == []


def raised(error: Exception) -> Any:
    raise error


def test_a_training_that_ends_its_process_every_time_is_given_up(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    schedule(method, "new_labels", "1", name="greedy")
    schedules.begin("greedy", "labels-0", "by one that died", "dead", 40)
    with monkeypatch.context() as patch:
        patch.setattr(learning, "train", lambda *_: raised(KeyboardInterrupt()))
        for attempt in range(2, scheduling.MOST_ATTEMPTS + 1):
            with pytest.raises(KeyboardInterrupt):
                scheduling.run_once(f"heir-{attempt}")
        assert scheduling.run_once("last") == []
    (run,) = schedules.history("greedy")
    assert (run.state, run.attempts) == (RunState.FAILED, scheduling.MOST_ATTEMPTS)
    assert run.told == f"It was cut off {scheduling.MOST_ATTEMPTS} times, perhaps for lack of memory, and is given up."


def test_a_firing_that_was_killed_after_its_promotion_is_told_as_promoted(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = schedule(method, "new_labels", "1")
    with monkeypatch.context() as patch:
        patch.setattr(schedules, "finish", lambda *_, **__: raised(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            scheduling.fire(made, "one", "by hand", "killed")
    champion = checkpoints.champion("dos_composer")
    scheduling.run_once("heir")
    (run,) = schedules.history("nightly")
    assert (run.state, run.checkpoint) == (RunState.PROMOTED, champion.id)
    again = scheduling.fire(made, "two", "by hand", "me")  # nothing is new: the same checkpoint
    assert again is not None
    assert again.state is RunState.REFUSED


def test_the_lease_is_kept_as_long_as_a_look_takes(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def look(leader: str, **_: Any) -> list[ScheduleRun]:
        first, deadline = Lease.objects(id=scheduling.LEASE).first().until, time.monotonic() + 10.0
        while Lease.objects(id=scheduling.LEASE).first().until == first and time.monotonic() < deadline:
            time.sleep(0.05)
        renewed.append(leases.holder(scheduling.LEASE) == leader)
        return []

    renewed: list[bool] = []
    monkeypatch.setattr(scheduling, "LEASE_SECONDS", 1.5)
    monkeypatch.setattr(scheduling, "look_at_all", look)
    assert scheduling.run_once("me") == []
    assert renewed == [True]
    assert leases.holder(scheduling.LEASE) is None


@pytest.mark.faults
def test_a_scheduler_waits_for_a_server_that_is_away_and_leads_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FERMILOOP_MONGODB_URI", embedded.ensure(tmp_path))  # so that nothing of ours starts it again
    monkeypatch.setattr(connection, "SELECTION_MS", 200)
    settings.cache_clear()
    process, told = scheduling.SchedulerProcess(3.0, 0.2), []

    def go_away_and_come_back() -> None:
        try:
            _wait(lambda: len(told) == 1, 30)
            embedded.stop(tmp_path)
            _wait(lambda: len(told) == 2, 30)
            embedded.ensure(tmp_path)
            _wait(lambda: len(told) == 3, 30)
        finally:
            process.stopping = True

    signals = [signal.getsignal(which) for which in (signal.SIGTERM, signal.SIGINT)]
    try:
        with ThreadPoolExecutor(1) as pool:
            going = pool.submit(go_away_and_come_back)
            process.run(told.append)
            going.result()
        assert [sentence.partition(" ")[2] for sentence in told] == ["leads.", "no longer leads.", "leads."]
        assert leases.holder(scheduling.LEASE) is None
    finally:
        for which, before in zip((signal.SIGTERM, signal.SIGINT), signals, strict=True):
            signal.signal(which, before)
        connection.disconnect()
        embedded.stop(tmp_path)


@pytest.mark.faults
def test_a_scheduler_fires_a_calendar_when_it_is_due(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    schedule(method, "cron", "0 3 * * *")
    schedule(method, "new_labels", "1000", name="other")
    process, told = scheduling.SchedulerProcess(3.0, 60.0), []

    def wait_for_it() -> None:
        try:
            _wait(lambda: told and process._work is None, 30)  # the first look is over, the next in a minute
            schedules.set_next_look("nightly", datetime.now(UTC))
            _wait(_ended_run)
        finally:
            process.stopping = True

    signals = [signal.getsignal(which) for which in (signal.SIGTERM, signal.SIGINT)]
    try:
        with ThreadPoolExecutor(1) as pool:
            going = pool.submit(wait_for_it)
            process.run(told.append)
            going.result()
    finally:
        for which, before in zip((signal.SIGTERM, signal.SIGINT), signals, strict=True):
            signal.signal(which, before)
    (run,) = schedules.history()
    assert run.state is RunState.PROMOTED


@pytest.mark.slow
@pytest.mark.faults
@pytest.mark.timeout(170)
def test_a_killed_leader_is_followed_by_another_and_nothing_runs_twice(
    method: str, server_uri: str, database: str, tmp_path: Path
) -> None:
    schedule(method, "new_labels", "4")
    first, second = (_scheduler(server_uri, database, tmp_path) for _ in range(2))
    try:
        leader = _wait(lambda: leases.holder(scheduling.LEASE))
        killed, heir = (first, second) if f"~{first.pid}~" in leader else (second, first)
        add_crystals(method, ("Pd", "Ag"), "A2")
        _wait(schedules.unfinished)
        os.kill(killed.pid, signal.SIGKILL)
        _wait(lambda: leases.holder(scheduling.LEASE) not in (None, leader))
        run = _wait(_ended_run)
        assert f"~{heir.pid}~" in run.leader or run.attempts == 1  # it may have ended before the kill
        assert len(schedules.history()) == 1
        assert len(checkpoints.find("dos_composer")) == 1
        assert checkpoints.champion("dos_composer").id == run.checkpoint
    finally:
        for process in (first, second):
            process.kill()
            process.wait()


def _ended_run() -> ScheduleRun | None:
    return next((run for run in schedules.history() if run.state is not RunState.RUNNING), None)


def _scheduler(uri: str, database: str, folder: Path) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ, "FERMILOOP_MONGODB_URI": uri, "FERMILOOP_DATABASE": database, "FERMILOOP_DATA_DIR": str(folder),
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }  # fmt: skip
    command = [sys.executable, "-W", "ignore", "-m", "fermiloop.platform.cli.main", "schedule", "run"]
    return subprocess.Popen([*command, "--lease", "3", "--look", "1"], env=environment)


def _wait(what: Callable[[], Any], seconds: float = 70.0) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := what():
            return found
        time.sleep(0.1)
    raise AssertionError(f"waited {seconds} s in vain")
