"""Moving campaigns on: one workflow a round whoever looks, and no round that stays open for ever."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from fireworks import FWorker
from mongoengine import get_db
from pymongo.errors import AutoReconnect

from fermiloop.flows.campaigns import methods
from fermiloop.flows.campaigns.resuming import ROUND_KEY
from fermiloop.flows.campaigns.steps import spec_of
from fermiloop.flows.driving import advance as module
from fermiloop.flows.driving.advance import advance, advance_all, workflow_is_active
from fermiloop.flows.driving.recover import recover
from fermiloop.flows.driving.retries import MOST_RERUNS
from fermiloop.flows.driving.states import current_round
from fermiloop.flows.processes.identity import parse, worker_name
from fermiloop.flows.queue.launchpad import SafeLaunchPad, launchpad
from fermiloop.platform.errors import InputError, UserError
from fermiloop.platform.store import campaigns
from fermiloop.schemas.campaign import RoundDecision
from fermiloop.schemas.vocabulary import CampaignState, RoundState


@pytest.fixture
def pad(database: str) -> Iterator[SafeLaunchPad]:
    """LaunchPad of this test's database."""
    made = launchpad()
    yield made
    made.connection.close()


@pytest.fixture
def running(database: str, campaign: Any) -> str:
    """A campaign that nobody has moved yet."""
    spec, text = campaign("moving")
    campaigns.create(spec.name, spec.as_dict(), text)
    return "moving"


def set_states(pad: SafeLaunchPad, state: str, **query: Any) -> None:
    pad.fireworks.update_many(query, {"$set": {"state": state}})


def test_two_workers_that_look_at_once_add_one_workflow(pad: SafeLaunchPad, running: str) -> None:
    for worker in ("one", "two", "one"):
        advance_all(pad, worker)
    assert pad.workflows.count_documents({}) == 1
    assert pad.workflows.find_one({})["metadata"][ROUND_KEY] == "moving/1"
    assert campaigns.round_of(running, 1).state is RoundState.LAUNCHED


def test_a_launch_cut_off_before_the_round_was_told_adds_no_second_workflow(pad: SafeLaunchPad, running: str) -> None:
    advance(pad, running, "one")
    campaigns.update_round(running, 1, state=RoundState.PLANNED, launched={})
    advance(pad, running, "two")
    assert pad.workflows.count_documents({}) == 1
    assert campaigns.round_of(running, 1).state is RoundState.LAUNCHED


def test_the_next_round_follows_a_closed_one(pad: SafeLaunchPad, running: str) -> None:
    advance(pad, running, "one")
    campaigns.close_round(running, 1, counts={}, decision=RoundDecision(action="next", reason="more"))
    advance(pad, running, "one")
    assert pad.workflows.count_documents({}) == 2
    assert [one.number for one in campaigns.rounds(running)] == [1, 2]


def test_a_campaign_killed_between_decision_and_end_is_ended(pad: SafeLaunchPad, running: str) -> None:
    advance(pad, running, "one")
    campaigns.close_round(running, 1, counts={}, decision=RoundDecision(action="stop", reason="enough"))
    assert current_round(running) is None
    found = campaigns.get(running)
    assert (found.state, found.reason) == (
        CampaignState.FAILED,
        "Nothing was evaluated, as the generators proposed nothing. enough",
    )


def test_a_round_whose_first_job_failed_fails_the_campaign_with_the_reason(pad: SafeLaunchPad, running: str) -> None:
    advance(pad, running, "one")
    campaigns.update_round(running, 1, decision=RoundDecision(failed="retrain failed: InputError: no curves"))
    set_states(pad, "FIZZLED", name="retrain")
    assert not workflow_is_active(pad, "moving/1")
    advance(pad, running, "one")
    found = campaigns.get(running)
    assert found.state is CampaignState.FAILED
    assert "no curves" in found.reason
    advance(pad, running, "one")
    assert pad.workflows.count_documents({}) == 1


def test_a_round_that_selected_is_closed_although_its_jobs_ended_badly(
    pad: SafeLaunchPad, running: str, library: str
) -> None:
    advance(pad, running, "one")
    campaigns.update_round(running, 1, selected=["c-0"])
    set_states(pad, "FIZZLED")
    advance(pad, running, "one")
    assert campaigns.round_of(running, 1).state is RoundState.CLOSED


def dead(number: int = 1) -> str:
    """Name of a worker of this namespace whose process has ended: its number is this process's now."""
    return replace(parse(worker_name()), start=str(number), unique=f"dead{number}").name


def test_a_run_whose_worker_is_gone_goes_back_to_the_queue_and_not_for_ever(pad: SafeLaunchPad, running: str) -> None:
    advance(pad, running, "one")
    mine = worker_name()
    for attempt in range(1, MOST_RERUNS + 1):
        firework, _ = pad.checkout_fw(FWorker(dead(attempt)), "/tmp")
        assert firework.name == "retrain"
        assert recover(pad, mine)
        state = pad.fireworks.find_one({"fw_id": firework.fw_id})["state"]
        assert state == ("READY" if attempt < MOST_RERUNS else "FIZZLED")
    assert recover(pad, mine) == []


@pytest.fixture
def two(running: str, library: str, campaign: Any) -> str:
    """Another campaign beside that one, later in the alphabet and newer."""
    spec, text = campaign("other")
    campaigns.create(spec.name, spec.as_dict(), text)
    return "other"


def test_a_campaign_that_cannot_go_on_fails_with_the_reason_and_holds_up_no_other(
    pad: SafeLaunchPad, running: str, two: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    advance(pad, two, "one")
    whole = module.advance

    def breaks(pad: SafeLaunchPad, name: str, worker: str) -> None:
        if name == two:
            raise InputError("its target is gone")
        whole(pad, name, worker)

    monkeypatch.setattr(module, "advance", breaks)
    advance_all(pad, "one")
    assert campaigns.round_of(running, 1).state is RoundState.LAUNCHED
    found = campaigns.get(two)
    assert (found.state, found.reason) == (CampaignState.FAILED, "InputError: its target is gone")
    assert campaigns.broken_round(two) is not None


def test_a_campaign_of_a_newer_version_is_left_alone(pad: SafeLaunchPad, running: str, two: str) -> None:
    get_db()["campaigns"].update_one({"_id": two}, {"$set": {"spec.budget": {"joules": 5}}})
    advance_all(pad, "one")
    assert campaigns.round_of(running, 1).state is RoundState.LAUNCHED
    assert campaigns.get(two).state is CampaignState.RUNNING


def test_a_campaign_whose_packages_are_elsewhere_is_left_to_the_machines_that_have_them(
    pad: SafeLaunchPad, two: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    advance(pad, two, "one")
    methods.keep(spec_of(two))
    get_db()["campaigns"].update_one({"_id": two}, {"$set": {"resolved.packages": {"engine emt": "some-engine 1.0"}}})
    monkeypatch.setattr(module, "advance", raising(UserError("there is no engine emt")))
    advance_all(pad, "one")
    assert campaigns.get(two).state is CampaignState.RUNNING


def test_a_database_that_is_away_fails_no_campaign(
    pad: SafeLaunchPad, running: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "advance", raising(AutoReconnect("connection closed")))
    with pytest.raises(AutoReconnect):
        advance_all(pad, "one")
    assert campaigns.get(running).state is CampaignState.RUNNING


def raising(error: Exception) -> Any:
    def fails(*_: object) -> None:
        raise error

    return fails
