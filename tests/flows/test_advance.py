"""Moving campaigns on: one workflow a round whoever looks, and no round that stays open for ever."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from fermiloop.flows.advance import ROUND_KEY, advance, advance_all, current_round, workflow_is_active
from fermiloop.flows.launchpad import SafeLaunchPad, launchpad
from fermiloop.flows.recover import MOST_RERUNS, is_gone, recover, worker_name
from fermiloop.platform.store import campaigns
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
    campaigns.close_round(running, 1, counts={}, decision={"action": "next", "reason": "more"})
    advance(pad, running, "one")
    assert pad.workflows.count_documents({}) == 2
    assert [one.number for one in campaigns.rounds(running)] == [1, 2]


def test_a_campaign_killed_between_decision_and_end_is_ended(pad: SafeLaunchPad, running: str) -> None:
    advance(pad, running, "one")
    campaigns.close_round(running, 1, counts={}, decision={"action": "stop", "reason": "enough"})
    assert current_round(running) is None
    found = campaigns.get(running)
    assert (found.state, found.reason) == (
        CampaignState.FAILED,
        "Nothing was evaluated, as the generators proposed nothing. enough",
    )


def test_a_round_whose_first_job_failed_fails_the_campaign_with_the_reason(pad: SafeLaunchPad, running: str) -> None:
    advance(pad, running, "one")
    campaigns.update_round(running, 1, decision={"failed": "retrain failed: InputError: no curves"})
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


def test_this_process_is_not_gone_and_another_is() -> None:
    mine = worker_name()
    assert not is_gone(mine)
    host, pid, _ = mine.split("~")
    assert is_gone(f"{host}~{pid}~1")
    assert not is_gone("another-host~1~1")
    assert not is_gone("a name of somebody else")


def test_a_run_whose_worker_is_gone_goes_back_to_the_queue_and_not_for_ever(pad: SafeLaunchPad, running: str) -> None:
    advance(pad, running, "one")
    mine = worker_name()
    host, pid, _ = mine.split("~")
    for attempt in range(1, MOST_RERUNS + 1):
        firework, _ = pad.checkout_fw(_fworker(f"{host}~{pid}~{attempt}"), "/tmp")
        assert firework.name == "retrain"
        assert recover(pad, mine)
        state = pad.fireworks.find_one({"fw_id": firework.fw_id})["state"]
        assert state == ("READY" if attempt < MOST_RERUNS else "FIZZLED")
    assert recover(pad, mine) == []


def _fworker(name: str) -> Any:
    from fireworks import FWorker

    return FWorker(name)
