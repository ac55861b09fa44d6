"""What a step that failed leaves with its round: a reason, as long as nothing has made it good."""

from __future__ import annotations

from typing import Any

import pytest
from pymongo.errors import AutoReconnect

from fermiloop.flows.campaigns.steps import step
from fermiloop.flows.driving.states import current_round
from fermiloop.flows.rounds.close import close_round
from fermiloop.platform.store import campaigns
from fermiloop.schemas.campaign import RoundDecision
from fermiloop.schemas.vocabulary import CampaignState, RoundAction, RoundState


@pytest.fixture
def launched(library: str, campaign: Any) -> str:
    """A campaign in its first round."""
    spec, text = campaign("steps")
    campaigns.create(spec.name, spec.as_dict(), text)
    campaigns.plan_round("steps", 1)
    campaigns.mark_launched("steps", 1)
    return "steps"


def fail(name: str, what: str) -> None:
    with pytest.raises(AutoReconnect), step(name, 1, what):
        raise AutoReconnect("connection closed")


def test_a_step_that_was_done_again_fails_no_campaign(launched: str) -> None:
    fail(launched, "screen")
    assert campaigns.round_of(launched, 1).decision.failed == "screen failed: AutoReconnect: connection closed"
    with step(launched, 1, "retrain"):
        pass
    assert campaigns.round_of(launched, 1).decision.failed is not None
    with step(launched, 1, "screen"):
        pass
    assert campaigns.round_of(launched, 1).decision.failed is None
    assert close_round(launched, 1).reason.startswith("Round 1 left nothing new to evaluate")
    assert campaigns.round_of(launched, 1).state is RoundState.CLOSED


def test_a_late_result_that_cannot_be_recorded_leaves_the_decision_as_it_is(launched: str) -> None:
    campaigns.close_round(launched, 1, counts={}, decision=RoundDecision(action=RoundAction.NEXT, reason="more"))
    fail(launched, "record c-1")
    assert campaigns.round_of(launched, 1).decision.reason == "more"
    following = current_round(launched)
    assert following is not None
    assert following.number == 2
    assert campaigns.get(launched).state is CampaignState.RUNNING
