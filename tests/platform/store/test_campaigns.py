"""Campaigns and rounds are created, launched and closed once."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from fermiloop.platform.errors import NotFoundError, UserError
from fermiloop.platform.store import campaigns
from fermiloop.schemas.campaign import Round, RoundDecision
from fermiloop.schemas.vocabulary import CampaignState, RoundState

SPEC = {"name": "pd-like", "space": {"elements": ("Pd", "Al"), "components": [1, 2]}, "budget": {"core_hours": 2.0}}


@pytest.fixture
def campaign(database) -> str:
    """A campaign with one planned round."""
    assert campaigns.create("pd-like", SPEC, "name: pd-like\n")
    assert campaigns.plan_round("pd-like", 1)
    return "pd-like"


def test_the_same_campaign_is_created_once_and_another_refused(campaign):
    assert not campaigns.create("pd-like", SPEC, "name: pd-like\n")
    with pytest.raises(UserError, match="another name"):
        campaigns.create("pd-like", SPEC | {"seed": 8}, "seed: 8\n")
    kept = campaigns.get("pd-like")
    assert (kept.state, kept.spec_text, kept.closed_at) == (CampaignState.RUNNING, "name: pd-like\n", None)


def test_states(campaign):
    campaigns.set_state(campaign, CampaignState.PAUSED, "by hand")
    assert (campaigns.get(campaign).state, campaigns.get(campaign).closed_at) == (CampaignState.PAUSED, None)
    campaigns.set_state(campaign, CampaignState.FINISHED, "out of budget")
    kept = campaigns.get(campaign)
    assert (kept.state, kept.reason) == (CampaignState.FINISHED, "out of budget")
    assert kept.closed_at >= kept.created_at
    assert [c.id for c in campaigns.find(CampaignState.FINISHED)] == [campaign]
    assert campaigns.find(CampaignState.RUNNING) == []


def test_newest_first(campaign):
    campaigns.create("later", {"name": "later"}, "name: later\n")
    assert [c.id for c in campaigns.find()] == ["later", "pd-like"]


def test_what_is_not_there(database):
    calls = (
        lambda: campaigns.get("none"),
        lambda: campaigns.set_state("none", CampaignState.PAUSED),
        lambda: campaigns.round_of("none", 1),
    )
    for call in calls:
        with pytest.raises(NotFoundError, match="none"):
            call()


def test_a_round_is_planned_once(campaign):
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda _: campaigns.plan_round(campaign, 2), range(8))) == 1
    for number in (10, 3):
        campaigns.plan_round(campaign, number)
    assert [one.number for one in campaigns.rounds(campaign)] == [1, 2, 3, 10]


def test_one_of_many_launches(campaign):
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda i: campaigns.claim_launch(campaign, 1, f"worker-{i}", 60.0), range(8)))
    assert sum(won) == 1
    assert campaigns.round_of(campaign, 1).launched["by"] == f"worker-{won.index(True)}"
    assert campaigns.mark_launched(campaign, 1)
    assert not campaigns.mark_launched(campaign, 1)
    assert campaigns.round_of(campaign, 1).state is RoundState.LAUNCHED


def test_the_right_of_one_that_was_killed_goes_to_one_other(campaign):
    assert campaigns.claim_launch(campaign, 1, "killed", 0.05)
    time.sleep(0.1)
    with ThreadPoolExecutor(8) as pool:
        # those that start again under the name of the killed one count too
        names = ["killed", "other"] * 4
        assert sum(pool.map(lambda name: campaigns.claim_launch(campaign, 1, name, 60.0), names)) == 1


def test_a_launched_round_is_not_claimed_again(campaign):
    assert campaigns.claim_launch(campaign, 1, "one", 0.0)
    campaigns.mark_launched(campaign, 1)
    assert not campaigns.claim_launch(campaign, 1, "two", 60.0)


def test_a_round_is_closed_once(campaign):
    campaigns.update_round(campaign, 1, snapshot="snap-1", checkpoints={"dos_composer": "ckpt-1"}, selected=["c-1"])
    decision = RoundDecision(action="next", reason="budget left")
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda i: campaigns.close_round(campaign, 1, counts={"n": i}, decision=decision), range(8)))
    assert sum(won) == 1
    kept = campaigns.round_of(campaign, 1)
    assert (kept.state, kept.counts, kept.decision) == (RoundState.CLOSED, {"n": won.index(True)}, decision)
    assert (kept.snapshot, kept.checkpoints, list(kept.selected)) == ("snap-1", {"dos_composer": "ckpt-1"}, ["c-1"])


def test_a_failed_round_stays_failed(campaign):
    campaigns.update_round(campaign, 1, state=RoundState.FAILED)
    assert not campaigns.close_round(campaign, 1, counts={}, decision=RoundDecision())
    assert Round.objects.get(id="pd-like/1").state is RoundState.FAILED
