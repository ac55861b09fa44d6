"""Lost runs: known by silence on one's own clock, taken by one worker alone, and not ended by whoever wakes up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fireworks import FWAction, FWorker
from jobflow import Flow, job
from jobflow.managers.fireworks import flow_to_workflow
from mongoengine import get_db
from pymongo.errors import AutoReconnect

from fermiloop.flows.driving.recover import recover
from fermiloop.flows.processes.heartbeat import Watch, ping_seconds, silence_seconds
from fermiloop.flows.processes.identity import parse, worker_name
from fermiloop.flows.queue.documents.rows import CALCULATION_KEY, TAKER
from fermiloop.flows.queue.launchpad import SETTLE_SECONDS, SafeLaunchPad, launchpad
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.store import calculations
from fermiloop.schemas.vocabulary import CalculationState

HERE = parse(worker_name())
assert HERE is not None
ELSEWHERE = replace(HERE, space="1", unique="elsewhere").name
DONE = FWAction().to_dict()
THIRD = replace(HERE, space="2", unique="third").name


class Clock:
    """A clock that goes when it is told to."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pad(database: str, clock: Clock) -> Iterator[SafeLaunchPad]:
    """LaunchPad that looks by that clock."""
    made = launchpad()
    made.watch = Watch(clock)
    yield made
    made.connection.close()


@pytest.fixture
def calculation(database: str) -> str:
    crystal = PROTOTYPES["B2"].build("Al", "Ni", 14.0)
    return calculations.plan(None, crystal, engine="analytic", method="m", settings={})


@job
def nothing() -> None:
    """Do nothing."""


def add(pad: SafeLaunchPad, calculation: str | None = None) -> int:
    made = nothing()
    made.metadata = {CALCULATION_KEY: calculation} if calculation else {}
    return next(iter(pad.add_wf(flow_to_workflow(Flow([made]), store=None)).values()))


def take(pad: SafeLaunchPad, worker: str) -> int | None:
    return pad.checkout_fw(FWorker(worker), "/tmp")[1]


def state(pad: SafeLaunchPad, fw_id: int) -> str:
    return str(pad.fireworks.find_one({"fw_id": fw_id})["state"])


def test_the_watch_counts_from_the_last_change_on_its_own_clock(clock: Clock) -> None:
    watch = Watch(clock)
    assert watch.unchanged(("run", 1), "a") == 0
    clock.now += 50
    assert watch.unchanged(("run", 1), "a") == 50
    assert watch.unchanged(("run", 1), "b") == 0
    clock.now += 70
    watch.begin_again()
    clock.now += 5
    assert watch.unchanged(("run", 1), "b") == 5
    watch.unchanged(("other", 2), "x")
    watch.keep("run", [])
    clock.now += 5
    assert watch.unchanged(("run", 1), "b") == 0
    assert watch.unchanged(("other", 2), "x") == 5


def test_a_run_of_elsewhere_is_lost_by_silence_alone(pad: SafeLaunchPad, clock: Clock) -> None:
    fw_id = add(pad)
    take(pad, ELSEWHERE)
    assert recover(pad, worker_name()) == []
    clock.now += silence_seconds() - 1
    assert recover(pad, worker_name()) == []
    clock.now += 2
    assert recover(pad, worker_name()) == [fw_id]
    assert state(pad, fw_id) == "READY"
    assert recover(pad, worker_name()) == []


@pytest.mark.parametrize("minutes", [-600, -10, 10, 600])
def test_a_clock_that_is_wrong_neither_steals_nor_loses(pad: SafeLaunchPad, clock: Clock, minutes: int) -> None:
    fw_id = add(pad)
    launch = take(pad, ELSEWHERE)
    wrong = datetime.now(UTC) + timedelta(minutes=minutes)
    for beat in range(30):
        pad.ping_launch(launch, wrong + timedelta(seconds=beat * ping_seconds()))
        assert recover(pad, worker_name()) == []
        clock.now += 10 * ping_seconds()
    clock.now += silence_seconds()
    assert recover(pad, worker_name()) == [fw_id]


def test_while_the_database_was_away_nobody_could_be_heard(
    pad: SafeLaunchPad, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(pad)
    launch = take(pad, ELSEWHERE)
    recover(pad, worker_name())
    clock.now += 1000

    def away(*_: Any) -> None:
        raise AutoReconnect

    with monkeypatch.context() as patch:
        patch.setattr(pad, "get_launch_by_id", away)
        pad.ping_launch(launch)
    assert recover(pad, worker_name()) == []


def test_one_worker_alone_takes_a_lost_run(pad: SafeLaunchPad, clock: Clock) -> None:
    fw_id = add(pad)
    launch = take(pad, ELSEWHERE)
    other = launchpad()
    other.watch = Watch(clock)
    for one in (pad, other):
        recover(one, worker_name())
    clock.now += silence_seconds()
    assert recover(pad, worker_name()) == [fw_id]
    again = take(pad, worker_name())
    assert not other.take_away(launch, "RUNNING", THIRD)
    assert recover(other, THIRD) == []
    assert state(pad, fw_id) == "RUNNING"
    assert again != launch
    other.connection.close()


def test_a_lost_worker_that_wakes_up_ends_nothing(pad: SafeLaunchPad, clock: Clock, calculation: str) -> None:
    fw_id = add(pad, calculation)
    launch = take(pad, ELSEWHERE)
    recover(pad, worker_name())
    clock.now += silence_seconds()
    recover(pad, worker_name())
    again = take(pad, worker_name())
    woken = launchpad()
    woken._claimed = calculation
    woken.complete_launch(launch, FWAction())
    woken.restore_backup_data(launch, fw_id)
    assert state(pad, fw_id) == "RUNNING"
    assert calculations.claimant(calculation) == worker_name()
    pad.complete_launch(again, FWAction())
    assert state(pad, fw_id) == "COMPLETED"
    states = [one["state"] for one in pad.launches.find({"fw_id": fw_id}, sort=[("launch_id", 1)])]
    assert states == ["FIZZLED", "COMPLETED"]
    assert calculations.claimant(calculation) is None
    woken.connection.close()


def test_a_run_in_the_middle_of_its_end_is_no_recovery(pad: SafeLaunchPad, clock: Clock) -> None:
    fw_id = add(pad)
    launch = take(pad, ELSEWHERE)
    # its workflow is told next
    pad.launches.update_one({"launch_id": launch}, {"$set": {"state": "COMPLETED", "action": DONE}})
    assert recover(pad, worker_name()) == []
    clock.now += SETTLE_SECONDS / 2
    assert recover(pad, worker_name()) == []
    clock.now += SETTLE_SECONDS
    assert recover(pad, worker_name()) == [fw_id]
    assert state(pad, fw_id) == "COMPLETED"


def test_a_run_that_was_run_again_is_no_recovery_for_ever(pad: SafeLaunchPad, clock: Clock) -> None:
    fw_id = add(pad)
    take(pad, ELSEWHERE)
    recover(pad, worker_name())
    clock.now += silence_seconds()
    assert recover(pad, worker_name()) == [fw_id]
    launch = take(pad, THIRD)
    for _ in range(10):  # the first run has failed and lies in the archive, the second is well
        clock.now += SETTLE_SECONDS
        pad.ping_launch(launch)
        assert recover(pad, worker_name()) == []


@pytest.mark.parametrize("taker", [THIRD, replace(HERE, pid=999_999_999, unique="dead").name], ids=["third", "dead"])
def test_a_recovery_that_was_killed_half_way_is_finished(pad: SafeLaunchPad, clock: Clock, taker: str) -> None:
    fw_id = add(pad)
    launch = take(pad, ELSEWHERE)
    assert pad.take_away(launch, "RUNNING", taker)
    assert pad.launches.find_one({"launch_id": launch})[TAKER] == taker
    found = recover(pad, worker_name())
    if taker == THIRD:
        assert found == []
        clock.now += SETTLE_SECONDS + 1
        recover(pad, worker_name())
        clock.now += SETTLE_SECONDS + 1
        found = recover(pad, worker_name())
    assert found == [fw_id]
    assert state(pad, fw_id) == "READY"


def test_a_firework_that_was_reserved_and_never_run_may_be_taken_again(pad: SafeLaunchPad, clock: Clock) -> None:
    fw_id = add(pad)
    assert pad._get_a_fw_to_run({}).fw_id == fw_id
    assert state(pad, fw_id) == "RESERVED"
    assert recover(pad, worker_name()) == []
    clock.now += SETTLE_SECONDS
    assert recover(pad, worker_name()) == [fw_id]
    assert state(pad, fw_id) == "READY"


def test_a_calculation_is_one_workers_at_a_time(pad: SafeLaunchPad, clock: Clock, calculation: str) -> None:
    first, second = add(pad, calculation), add(pad, calculation)
    free = add(pad)
    launch = take(pad, ELSEWHERE)
    assert (calculations.claimant(calculation), state(pad, first)) == (ELSEWHERE, "RUNNING")
    assert calculations.get(calculation).state is CalculationState.RUNNING
    other = launchpad()
    other.watch = Watch(clock)
    assert take(other, THIRD) is not None
    assert (state(pad, second), state(pad, free)) == ("READY", "RUNNING")  # it took the one that is free
    assert take(other, THIRD) is None
    clock.now += 10_000  # a run that is under way keeps its right however long it takes
    assert take(other, THIRD) is None
    pad.complete_launch(launch, FWAction())
    assert calculations.claimant(calculation) is None
    assert take(other, THIRD) is not None
    assert calculations.claimant(calculation) == THIRD
    other.connection.close()


@pytest.mark.parametrize(
    "holder", [ELSEWHERE, replace(HERE, pid=999_999_999, unique="dead").name], ids=["elsewhere", "dead"]
)
def test_the_right_of_a_worker_that_is_lost_passes_on(
    pad: SafeLaunchPad, clock: Clock, calculation: str, holder: str
) -> None:
    add(pad, calculation)
    assert calculations.claim(calculation, holder)
    found = take(pad, THIRD)
    if holder == ELSEWHERE:
        assert found is None
        clock.now += SETTLE_SECONDS + 1
        found = take(pad, THIRD)
    assert found is not None
    assert calculations.claimant(calculation) == THIRD


def test_a_firework_of_a_calculation_that_is_gone_is_not_held_for_ever(pad: SafeLaunchPad) -> None:
    add(pad, "calc-none")
    assert take(pad, THIRD) is not None


def test_a_run_that_has_just_said_that_it_lives_says_it_no_second_time(pad: SafeLaunchPad, clock: Clock) -> None:
    add(pad)
    launch = take(pad, ELSEWHERE)

    def said() -> str:
        return str(pad.launches.find_one({"launch_id": launch})["state_history"])

    first = said()
    pad.ping_launch(launch, checkpoint={})
    assert said() == first
    clock.now += ping_seconds()
    pad.ping_launch(launch)
    assert said() != first


def test_a_workflow_that_runs_is_told_of_its_next_run_without_being_written_anew(pad: SafeLaunchPad) -> None:
    first, second = nothing(), nothing()
    pad.add_wf(flow_to_workflow(Flow([first, second]), store=None))
    for _ in range(2):
        launch = take(pad, ELSEWHERE)
        fw_id = pad.launches.find_one({"launch_id": launch})["fw_id"]
        workflow = pad.workflows.find_one({"nodes": fw_id})
        assert (workflow["state"], workflow["fw_states"][str(fw_id)]) == ("RUNNING", "RUNNING")
        pad.complete_launch(launch, FWAction())
    workflow = pad.workflows.find_one({})
    assert (workflow["state"], set(workflow["fw_states"].values())) == ("COMPLETED", {"COMPLETED"})
    assert "locked" not in workflow


def test_an_evaluation_that_was_recovered_is_its_new_workers(
    pad: SafeLaunchPad, clock: Clock, calculation: str
) -> None:
    dead = replace(HERE, pid=999_999_999, unique="dead").name
    add(pad, calculation)
    assert take(pad, dead) is not None
    assert recover(pad, THIRD)
    assert calculations.get(calculation).state is CalculationState.WAITING
    assert take(pad, THIRD) is not None
    found = calculations.get(calculation)
    assert (found.state, found.worker, found.attempts) == (CalculationState.RUNNING, THIRD, 2)


def test_a_lost_step_takes_no_evaluation_from_the_worker_that_has_it_now(
    pad: SafeLaunchPad, clock: Clock, calculation: str
) -> None:
    fw_id = add(pad, calculation)
    take(pad, ELSEWHERE)
    get_db()["calculations"].update_one({"_id": calculation}, {"$set": {"worker": THIRD}})
    assert recover(pad, worker_name()) == []
    clock.now += silence_seconds() + 1
    assert recover(pad, worker_name()) == [fw_id]
    found = calculations.get(calculation)
    assert (found.state, found.worker) == (CalculationState.RUNNING, THIRD)
