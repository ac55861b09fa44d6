"""Schedules, their firings and the lease."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from fermiloop.platform.errors import InputError, NotFoundError, UserError
from fermiloop.platform.store import campaigns, leases, schedules
from fermiloop.schemas.schedule import Schedule
from fermiloop.schemas.vocabulary import RunState


def made(name: str = "nightly") -> Schedule:
    return Schedule(id=name, generator="dos_composer", method="m", trigger="new_labels", value="50")


def test_a_schedule_is_added_once(database: str) -> None:
    schedules.add(made())
    with pytest.raises(UserError, match="there already"):
        schedules.add(made())
    with pytest.raises(InputError):
        schedules.add(Schedule(id="empty", generator="ftcp", method="m", trigger="cron"))
    assert [one.id for one in schedules.find()] == ["nightly"]
    schedules.set_active("nightly", False)
    assert schedules.find(active=True) == []
    schedules.remove("nightly")
    for call in (schedules.get, schedules.remove):
        with pytest.raises(NotFoundError, match="nightly"):
            call("nightly")
    with pytest.raises(NotFoundError):
        schedules.set_active("nightly", True)


def test_an_occasion_is_taken_once_and_finished_once(database: str) -> None:
    first = schedules.begin("nightly", "labels-0", "50 new", "one", 50)
    assert first is not None
    assert schedules.begin("nightly", "labels-0", "50 new", "two", 50) is None
    assert [run.id for run in schedules.unfinished()] == ["nightly@labels-0"]
    assert schedules.finish(first.id, "one", RunState.PROMOTED, "better", checkpoint="ckpt-1")
    assert not schedules.finish(first.id, "one", RunState.FAILED, "late")
    assert schedules.run_of(first.id).state is RunState.PROMOTED
    assert schedules.last_run("nightly").labels == 50
    assert schedules.last_run("another") is None


def test_a_firing_taken_over_is_no_longer_the_dead_ones(database: str) -> None:
    run = schedules.begin("nightly", "labels-0", "50 new", "dead", 50)
    assert run is not None
    assert schedules.take_over(run.id, "dead", "heir")
    assert not schedules.take_over(run.id, "dead", "another")
    assert not schedules.holds(run.id, "dead")
    assert schedules.holds(run.id, "heir")
    assert not schedules.finish(run.id, "dead", RunState.PROMOTED, "from the grave")
    assert schedules.run_of(run.id).attempts == 2


def test_a_lease_is_one_holders_until_it_runs_out(database: str) -> None:
    assert leases.holder("scheduler") is None
    assert leases.take("scheduler", "one", 60)
    assert leases.take("scheduler", "one", 60)
    assert not leases.take("scheduler", "two", 60)
    assert leases.holder("scheduler") == "one"
    leases.give_back("scheduler", "two")
    assert leases.holder("scheduler") == "one"
    assert leases.take("scheduler", "one", -1)
    assert leases.holder("scheduler") is None
    assert leases.take("scheduler", "two", 60)
    leases.give_back("scheduler", "two")
    assert leases.take("scheduler", "three", 60)


@pytest.mark.parametrize("minutes", [-10, 10, 60 * 24])
def test_a_host_whose_clock_is_off_neither_steals_a_lease_nor_loses_one(
    database: str, shift_clock: Callable[[float], None], minutes: float
) -> None:
    assert leases.take("scheduler", "right", 60)
    shift_clock(minutes)
    assert not leases.take("scheduler", "off", 60)
    assert leases.holder("scheduler") == "right"
    leases.give_back("scheduler", "right")
    assert leases.take("scheduler", "off", 60)
    shift_clock(0)
    assert leases.holder("scheduler") == "off"
    assert not leases.take("scheduler", "right", 60)
    assert leases.take("scheduler", "off", -1)
    assert leases.take("scheduler", "right", 60)


@pytest.mark.parametrize("minutes", [-10, 10])
def test_a_worker_whose_clock_is_off_neither_steals_a_turn_or_a_launch_nor_loses_one(
    database: str, shift_clock: Callable[[float], None], minutes: float
) -> None:
    campaigns.create("off", {"name": "off"}, "name: off")
    for number in (1, 2):
        campaigns.plan_round("off", number)
    assert campaigns.take_turn("off", "right", 60)
    assert campaigns.claim_launch("off", 1, "right", 60)
    shift_clock(minutes)
    assert not campaigns.take_turn("off", "off", 60)
    assert not campaigns.claim_launch("off", 1, "off", 60)
    campaigns.end_turn("off", "right")
    assert campaigns.take_turn("off", "off", 60)
    assert campaigns.claim_launch("off", 2, "off", 60)
    shift_clock(0)
    assert not campaigns.take_turn("off", "right", 60)
    assert not campaigns.claim_launch("off", 2, "right", 60)


def test_the_servers_time_is_in_utc(database: str) -> None:
    told = leases.server_time()
    assert told.utcoffset() == timedelta(0)
    assert abs(told - datetime.now(UTC)) < timedelta(hours=1)


def test_a_calendar_is_due_where_it_is_active_and_its_time_has_come(database: str) -> None:
    moment = datetime(2026, 1, 5, tzinfo=UTC)
    for name, trigger in (("nightly", "cron"), ("fresh", "new_labels")):
        schedules.add(Schedule(id=name, generator="ftcp", method="m", trigger=trigger, value="5"))
        schedules.set_next_look(name, moment if name == "nightly" else moment - timedelta(days=1))
    assert not schedules.is_due(moment - timedelta(seconds=1), ["cron"])
    assert schedules.is_due(moment, ["cron"])
    schedules.set_active("nightly", False)
    schedules.set_next_look("nightly", moment)
    assert not schedules.is_due(moment, ["cron"])
