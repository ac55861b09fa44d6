"""Triggers of schedules: one class each, whose name is the option, the argument and what is stored."""

from __future__ import annotations

import inspect
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import typer
from mongoengine import get_db
from tests.flows.schedules.conftest import add_crystals, schedule

from fermiloop.flows.schedules import scheduling, triggers
from fermiloop.platform.cli import schedule as commands
from fermiloop.platform.errors import InputError, NotFoundError
from fermiloop.platform.store import (
    campaigns,
    schedules,
)
from fermiloop.schemas.campaign import RoundDecision
from fermiloop.schemas.schedule import Schedule
from fermiloop.schemas.vocabulary import RunState


def test_names_are_stored_so_they_stay() -> None:
    assert list(triggers.TRIGGERS) == ["cron", "new_labels", "drift", "after_round"]
    assert {"cron"} == triggers.TIMED


def test_the_command_has_an_option_for_each() -> None:
    command = typer.main.get_command(commands.app).commands["add"]  # type: ignore[attr-defined]
    options = {one.name: one for one in command.params}
    for name, trigger in triggers.TRIGGERS.items():
        assert options[name].opts == [trigger.option]
        assert options[name].help == trigger.help
    assert "given" not in options
    assert "given" not in inspect.signature(commands.add).parameters


def test_a_trigger_of_another_version_is_told() -> None:
    with pytest.raises(InputError, match="moon is no trigger; choose one of cron"):
        triggers.of(Schedule(id="x", generator="ftcp", method="m", trigger="moon", value="full"))


def test_a_calendar_fires_at_its_time_and_not_twice(method: str) -> None:
    schedule(method, "cron", "0 3 * * *", zone="Europe/Berlin")
    assert scheduling.run_once("me") == []
    due = datetime(2026, 1, 5, 2, 0, tzinfo=UTC)
    schedules.set_next_look("nightly", due)
    (run,) = scheduling.run_once("me")
    assert run.key == due.isoformat()
    assert scheduling.run_once("me") == []
    schedules.set_next_look("nightly", due)  # as by a leader that was killed before it noted the next time
    assert scheduling.run_once("another") == []
    following = schedules.get("nightly").next_look_at
    assert following > datetime.now(UTC)
    assert following.astimezone(ZoneInfo("Europe/Berlin")).strftime("%H:%M") == "03:00"


def test_what_a_calendar_missed_while_nothing_ran_is_made_up_once(method: str) -> None:
    schedule(method, "cron", "*/5 * * * *")
    missed = datetime.now(UTC).replace(microsecond=0) - timedelta(days=3)  # some 860 times
    schedules.set_next_look("nightly", missed)
    (run,) = scheduling.run_once("me")
    assert run.key == missed.isoformat()
    assert scheduling.run_once("me") == []
    assert len(schedules.history("nightly")) == 1


def test_a_calendar_fires_again_at_its_next_time(method: str) -> None:
    schedule(method, "cron", "0 3 * * *")
    for day in (5, 6):
        schedules.set_next_look("nightly", datetime(2026, 1, day, 3, 0, tzinfo=UTC))
        assert len(scheduling.run_once("me")) == 1
    assert {run.key[:10] for run in schedules.history("nightly")} == {"2026-01-05", "2026-01-06"}


def test_a_calendar_that_is_resumed_makes_nothing_up(method: str) -> None:
    schedule(method, "cron", "0 3 * * *")
    schedules.set_next_look("nightly", datetime(2026, 1, 5, 3, 0, tzinfo=UTC))
    scheduling.set_active("nightly", False)
    assert schedules.get("nightly").next_look_at is None
    scheduling.set_active("nightly", True)
    assert schedules.get("nightly").next_look_at > datetime.now(UTC)
    assert scheduling.run_once("me") == []


def test_a_schedule_without_a_next_time_gets_one_and_does_not_fire(method: str) -> None:
    schedule(method, "cron", "* * * * *")
    get_db()["schedules"].update_many({}, {"$unset": {"next_look_at": 1}})
    assert scheduling.run_once("me") == []
    assert schedules.get("nightly").next_look_at > datetime.now(UTC) - timedelta(seconds=5)


def test_a_schedule_of_before_that_is_invalid_keeps_no_other_from_firing(method: str) -> None:
    schedule(method, "cron", "0 3 * * *", name="bad")
    schedule(method, "cron", "0 3 * * *", name="good")
    get_db()["schedules"].update_many({}, {"$set": {"next_look_at": datetime(2026, 1, 5, 3, 0, tzinfo=UTC)}})
    get_db()["schedules"].update_one({"_id": "bad"}, {"$set": {"value": "0 3 last * *"}})
    assert [run.schedule for run in scheduling.run_once("me")] == ["good"]


def test_a_leader_goes_on_with_its_own_firing_that_the_database_cut_off(method: str) -> None:
    schedule(method, "new_labels", "1")
    schedules.begin("nightly", "labels-0", "cut off", "me", 40)
    schedules.begin("nightly", "labels-1", "by hand, elsewhere", "another", 40)
    assert scheduling.take_up("me", others=False) == 1
    assert {run.key: run.state for run in schedules.history("nightly")} == {
        "labels-0": RunState.PROMOTED,
        "labels-1": RunState.RUNNING,
    }


def test_each_round_and_a_drift_fire(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    campaigns.create("pd-like", {"name": "pd-like"}, "name: pd-like")
    after = schedule(method, "after_round", "pd-like", name="rounds")
    drift = schedule(method, "drift", "0.05", name="drift")
    assert triggers.of(after).firing(after, None) is None
    for number in (1, 2):
        campaigns.plan_round("pd-like", number)
        campaigns.close_round("pd-like", number, counts={}, decision=RoundDecision(action="next"))
    found = triggers.of(after).firing(after, None)
    assert found is not None
    assert found.key == "round-pd-like/2"
    get_db()["rounds"].update_many({}, {"$set": {"closed_at": after.created_at}})  # all in one millisecond
    assert triggers.of(after).firing(after, None) == found
    monkeypatch.setattr(triggers, "_uses", lambda campaign, method: True)
    errors = [(1, 0.01 * i) for i in range(-5, 5)] + [(2, 0.4 + 0.01 * i) for i in range(6)]
    monkeypatch.setattr(triggers, "_errors", lambda campaign: errors)
    grown = triggers.of(drift).firing(drift, None)
    assert grown is not None
    assert grown.key == "drift-pd-like/2"
    assert "p = " in grown.reason
    monkeypatch.setattr(triggers, "_errors", lambda campaign: errors[:10])
    assert triggers.of(drift).firing(drift, None) is None


def test_a_round_that_closed_before_the_schedule_was_added_fires_nothing(method: str) -> None:
    campaigns.create("pd-like", {"name": "pd-like"}, "name: pd-like")
    campaigns.plan_round("pd-like", 1)
    campaigns.close_round("pd-like", 1, counts={}, decision=RoundDecision(action="next"))
    after = schedule(method, "after_round", "pd-like", name="rounds")
    late = after.created_at + timedelta(minutes=10)  # as by a host whose clock is fast
    get_db()["rounds"].update_many({}, {"$set": {"closed_at": late}})
    assert triggers.of(after).firing(after, None) is None


@pytest.mark.parametrize(
    ("trigger", "value", "more", "says"),
    [
        ("cron", "at three", {}, "at three"),
        ("cron", "0 0 30 2 *", {}, "0 0 30 2"),
        ("cron", "0 3 * * *", {"zone": "Mars/Base"}, "Mars/Base"),
        ("new_labels", "0", {}, "counted from 1"),
        ("new_labels", "many", {}, "many"),
        ("drift", "1.5", {}, "1.5"),
        ("after_round", "nobody", {}, "nobody"),
    ],
)
def test_triggers_that_do_not_hold(method: str, trigger: str, value: str, more: dict[str, str], says: str) -> None:
    with pytest.raises((InputError, NotFoundError), match=says):
        schedule(method, trigger, value, **more)
    assert schedules.find() == []


def test_a_schedule_of_a_name_that_was_used_before_counts_from_its_own_beginning(method: str) -> None:
    schedules.begin("nightly", "labels-0", "another Method's", "gone", 5000)
    schedules.finish("nightly@labels-0", "gone", RunState.REFUSED, "no gain")
    made = schedule(method, "new_labels", "2")
    assert triggers.of(made).firing(made, None) is None
    add_crystals(method, ("Pd",), "A2")
    found = triggers.of(made).firing(made, None)
    assert found is not None
    assert found.reason == "2 labels are new, 2 were asked for."
