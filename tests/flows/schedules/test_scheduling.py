"""Scheduled retraining: when it fires, what the gate says, and who leads."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from mongoengine import get_db

from fermiloop.db_init import setup
from fermiloop.flows.rounds import learnable
from fermiloop.flows.schedules import gate, learning, scheduling, triggers
from fermiloop.platform.campaign.gate import compare, judge
from fermiloop.platform.errors import InputError, NotFoundError
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.representations.spectrum import DOS_GRID
from fermiloop.platform.settings import settings
from fermiloop.platform.store import (
    campaigns,
    checkpoints,
    connection,
    embedded,
    labels,
    leases,
    materials,
    methods,
    schedules,
    snapshots,
    spectra,
)
from fermiloop.schemas.campaign import RoundDecision
from fermiloop.schemas.schedule import Lease, Schedule, ScheduleRun
from fermiloop.schemas.vocabulary import CheckpointState, Origin, Property, RunState

ELEMENTS = (
    "Al",
    "Ti",
    "Fe",
    "Co",
    "Ni",
    "Cu",
    "Zn",
    "Zr",
    "Nb",
    "Mo",
    "Ru",
    "Rh",
    "Pd",
    "Ag",
    "Hf",
    "Ta",
    "W",
    "Pt",
    "Au",
)
QUICK = {"epochs": 3}


def add_crystals(method: str, elements: tuple[str, ...], prototype: str) -> int:
    """Crystals with a made-up curve and two labels each; how many labels."""
    for element in elements:
        structure = PROTOTYPES[prototype].build(element, None, 14.0)
        material = materials.save(structure, origin=Origin.SEED, source={"name": "synthetic"}, prototype=prototype)
        centre = float(structure.species[0].Z % 7) - 3
        density = np.exp(-((DOS_GRID.points - centre) ** 2)) + 0.05
        spectra.save(material, DOS_GRID.points, density, method=method, n_electrons=float(structure.species[0].Z))
        labels.save(material, Property.ENERGY_PER_ATOM, -3.0 - centre, method=method)
        labels.save(material, Property.BAND_GAP, 0.0, method=method)
    return 2 * len(elements)


@pytest.fixture
def method(database: str) -> str:
    """A small library; the id of its Method."""
    setup.init()
    made = methods.save("external", "made up", {}, {})
    add_crystals(made, ELEMENTS, "A1")
    return made


def schedule(method: str, trigger: str, value: str, name: str = "nightly", **more: Any) -> Schedule:
    made = Schedule(
        id=name, generator="dos_composer", preset="factorised", options=QUICK, method=method, trigger=trigger,
        value=value, **more,
    )  # fmt: skip
    scheduling.add(made)
    return made


def test_fifty_new_labels_retrain_once_and_the_gate_says_why(method: str) -> None:
    schedule(method, "new_labels", "50")
    assert scheduling.run_once("me") == []
    add_crystals(method, ELEMENTS, "A2")
    assert scheduling.run_once("me") == []  # 38 are not 50
    add_crystals(method, ELEMENTS[:6], "A3")
    (run,) = scheduling.run_once("me")
    assert run.state is RunState.PROMOTED
    assert run.reason == "50 labels are new, 50 were asked for."
    assert run.told == "There was no champion before."
    champion = checkpoints.champion("dos_composer")
    assert champion is not None
    assert champion.id == run.checkpoint
    assert scheduling.run_once("me") == []
    add_crystals(method, ELEMENTS, "A3")  # six are there already: 26 new labels
    assert scheduling.run_once("me") == []
    assert len(schedules.history("nightly")) == 1


def test_a_second_training_meets_the_champion_on_crystals_that_neither_has_seen(method: str) -> None:
    add_crystals(method, ELEMENTS, "A2")
    made = schedule(method, "new_labels", "1")
    first = scheduling.fire(made, "one", "by hand", "me")
    add_crystals(method, ELEMENTS, "A3")
    second = scheduling.fire(made, "two", "by hand", "me")
    assert first is not None
    assert second is not None
    assert second.champion == first.checkpoint
    test = second.gate["test"]
    assert test["n"] > 0
    assert second.state is (RunState.PROMOTED if second.gate["promote"] else RunState.REFUSED)
    held = set(learnable.split("dos_composer", method).test)
    assert not held & (learning.learned(first.checkpoint) | learning.learned(second.checkpoint))
    assert scheduling.fire(made, "two", "by hand", "another") is None
    if second.state is RunState.PROMOTED:
        assert checkpoints.rollback("dos_composer").id == first.checkpoint


def test_a_worse_challenger_is_refused_and_the_champion_stays(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = schedule(method, "new_labels", "1")
    first = scheduling.fire(made, "one", "by hand", "me")
    add_crystals(method, ELEMENTS, "A2")

    # a challenger that names nothing right: the scores are made, the gate and all that follows are real
    worse = judge(compare(np.full(40, 0.1), np.full(40, 0.9)), compare([], []), learned=99, champion_learned=10)
    monkeypatch.setattr(gate, "examine", lambda made, method, held: (worse, first.checkpoint))
    second = scheduling.fire(made, "two", "by hand", "me")
    assert first is not None
    assert second is not None
    assert second.state is RunState.REFUSED
    assert "worse on the frozen test set" in second.told
    assert checkpoints.champion("dos_composer").id == first.checkpoint
    assert checkpoints.get(second.checkpoint).state is CheckpointState.CHALLENGER


def test_what_cannot_be_trained_ends_as_failed_with_the_reason(method: str) -> None:
    made = schedule(method, "new_labels", "1")
    made.options = {"epochz": 3}
    run = scheduling.fire(made, "one", "by hand", "me")
    assert run is not None
    assert run.state is RunState.FAILED
    assert "epochz" in run.told


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


def test_a_generator_that_learns_nothing_is_refused(method: str) -> None:
    made = Schedule(id="x", generator="substitution", method=method, trigger="new_labels", value="5")
    with pytest.raises(InputError, match="learns nothing"):
        scheduling.add(made)


def test_nobody_learns_from_what_nothing_has_confirmed(method: str) -> None:
    loose = materials.save(
        PROTOTYPES["B2"].build("Ni", "Al", 12.0), origin=Origin.CAMPAIGN, source={"name": "campaign"}, candidate="c-1"
    )
    labels.save(loose, Property.ENERGY_PER_ATOM, -4.0, method=method)  # the cheap potential's word, no calculation
    given = learnable.split("dos_composer", method)
    assert given.dropped["unverified"] == 1
    assert loose not in {*given.learn, *given.test}
    labels.save(loose, Property.BAND_GAP, 0.1, method=method, calculation="calc-1")
    assert learnable.split("dos_composer", method).dropped["unverified"] == 0


def test_a_generators_own_proposals_are_at_most_half(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    learn = learnable.split("dos_composer", method).learn
    own = learn[:-3]
    monkeypatch.setattr(learnable.training, "proposed_by", lambda ids, generator: own)
    given = learnable.split("dos_composer", method)
    assert len(set(given.learn) & set(own)) == 3
    assert given.dropped["own proposals above their share"] == len(own) - 3


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
    assert run.told == f"It was cut off {scheduling.MOST_ATTEMPTS} times, perhaps for want of memory, and is given up."


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


def test_a_schedule_of_a_name_that_was_used_before_counts_from_its_own_beginning(method: str) -> None:
    schedules.begin("nightly", "labels-0", "another Method's", "gone", 5000)
    schedules.finish("nightly@labels-0", "gone", RunState.REFUSED, "no gain")
    made = schedule(method, "new_labels", "2")
    assert triggers.of(made).firing(made, None) is None
    add_crystals(method, ("Pd",), "A2")
    found = triggers.of(made).firing(made, None)
    assert found is not None
    assert found.reason == "2 labels are new, 2 were asked for."


def test_a_test_set_of_nothing_is_not_frozen(method: str) -> None:
    name = f"dos_composer on {method}"
    assert gate._frozen("dos_composer", method, []) == []
    assert snapshots.test_set(name) is None
    held = learnable.split("dos_composer", method).test
    assert gate._frozen("dos_composer", method, held) == held
    assert held
    assert gate._frozen("dos_composer", method, held[:1]) == held


def test_two_generators_may_be_tested_on_the_same_crystals(method: str) -> None:
    held = learnable.split("dos_composer", method).test
    for name in ("dos_composer", "ftcp"):
        assert gate._frozen(name, method, held) == held
    assert gate._frozen("ftcp", method, held[:1]) == held


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
