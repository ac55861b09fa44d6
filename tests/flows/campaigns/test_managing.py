"""Paused, resumed, cancelled and cloned campaigns, and whose work is taken next."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from fireworks import FWorker
from fireworks.core.rocket_launcher import launch_rocket

from fermiloop.flows.campaigns import managing
from fermiloop.flows.campaigns.enqueue import enqueue
from fermiloop.flows.campaigns.fair_share import draw, queue_shares
from fermiloop.flows.driving.advance import advance, advance_all
from fermiloop.flows.engines.lookup import code_of
from fermiloop.flows.queue.documents.rows import CALCULATION
from fermiloop.flows.queue.launchpad import SafeLaunchPad
from fermiloop.platform.campaign.spec import parse_spec
from fermiloop.platform.errors import InputError, NotFoundError, SpecError, UserError
from fermiloop.platform.store import calculations, campaigns, candidates
from fermiloop.schemas.vocabulary import CalculationState, CampaignState, RoundState, Stage


def queued(campaign: Any, name: str, **changes: Any) -> str:
    spec, text = campaign(name)
    enqueue(spec.model_copy(update=changes), text)
    return name


def work(pad: SafeLaunchPad, until: Any = lambda: False, most: int = 60) -> int:
    """Be a worker until nothing may be taken, or something holds; how many jobs were run."""
    rng = np.random.default_rng(0)
    for n in range(most):
        advance_all(pad, "me")
        query = draw(pad, rng)
        if query is None or until():
            return n
        launch_rocket(pad, FWorker("me", query=query), strm_lvl="CRITICAL")
    raise AssertionError(f"there was still work after {most} jobs")


def begun(pad: SafeLaunchPad) -> bool:
    """Whether the first job of an evaluation is done and the rest waits."""
    return pad.fireworks.count_documents({CALCULATION: {"$exists": True}, "state": "COMPLETED"}) == 1


@pytest.mark.slow
def test_a_paused_campaign_finishes_what_it_began_and_goes_on_later(pad: SafeLaunchPad, campaign: Any) -> None:
    name = queued(campaign, "paused")
    work(pad, until=lambda: begun(pad))
    managing.pause(name)
    work(pad)
    stages = Counter(c.stage for c in candidates.of_round(name, 1))
    assert (stages[Stage.EVALUATED], stages[Stage.SELECTED]) == (1, 1)
    assert campaigns.round_of(name, 1).state is RoundState.LAUNCHED
    with pytest.raises(UserError, match="is not running"):
        managing.pause(name)
    managing.resume(name)
    work(pad)
    assert campaigns.get(name).state is CampaignState.FINISHED
    assert [len(one.selected) for one in campaigns.rounds(name)] == [2, 2]


def test_a_cancelled_campaign_keeps_its_results_and_pays_for_nothing_more(pad: SafeLaunchPad, campaign: Any) -> None:
    name = queued(campaign, "cancelled")
    work(pad, until=lambda: begun(pad))
    managing.cancel(name, wait=True)  # what runs comes to its end
    work(pad)
    advance_all(pad, "me")
    chosen = [c for c in candidates.of_round(name, 1) if c.calculation]
    assert [c.stage for c in chosen] == [Stage.EVALUATED]
    assert [c.state for c in calculations.of_campaign(name)] == [CalculationState.COMPLETED]
    closed = campaigns.round_of(name, 1)
    assert (closed.state, closed.decision.reason) == (RoundState.CLOSED, "The campaign was cancelled.")
    assert pad.fireworks.count_documents({"state": {"$in": ["READY", "RUNNING"]}}) == 0
    with pytest.raises(UserError, match="has ended"):
        managing.cancel(name)
    with pytest.raises(UserError, match="neither paused nor failed"):
        managing.resume(name)


def test_a_campaign_cancelled_before_it_began_leaves_nothing_open(pad: SafeLaunchPad, campaign: Any) -> None:
    name = queued(campaign, "early")
    advance_all(pad, "me")
    managing.cancel(name)
    assert work(pad) == 0
    assert campaigns.round_of(name, 1).state is RoundState.CLOSED


def test_work_is_drawn_by_priority_and_nobody_starves(pad: SafeLaunchPad, campaign: Any) -> None:
    for name, priority in (("low", 1.0), ("high", 4.0)):
        queued(campaign, name, priority=priority)
        advance(pad, name, "me")
    rng = np.random.default_rng(7)
    drawn = Counter(str(draw(pad, rng)) for _ in range(300))
    high, low = sorted(drawn.values(), reverse=True)
    assert len(drawn) == 2
    assert 0.7 < high / (high + low) < 0.9  # four of five tickets


def test_a_paused_campaign_has_no_lot(pad: SafeLaunchPad, campaign: Any) -> None:
    name = queued(campaign, "held")
    advance(pad, name, "me")
    assert [share.campaign for share in queue_shares(pad)] == ["held"]
    managing.pause(name)
    assert queue_shares(pad) == []
    assert draw(pad, np.random.default_rng(0)) is None


def test_work_of_another_method_is_left_to_other_machines(
    pad: SafeLaunchPad, campaign: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    advance(pad, queued(campaign, "elsewhere"), "me")
    entry = code_of("analytic")
    record = entry.method({})
    other = type(record)(record.engine, record.functional, {"ENCUT": 520}, record.code_versions)
    monkeypatch.setattr("fermiloop.flows.engines.analytic.engine.ENGINE", replace(entry, method=lambda _: other))
    with caplog.at_level("WARNING", logger="fermiloop.flows"):
        assert [draw(pad, np.random.default_rng(0)) for _ in range(3)] == [None, None, None]
    assert caplog.text.count("its work is left to other machines: The campaign elsewhere was launched") == 1
    assert [share.campaign for share in queue_shares(pad)] == ["elsewhere"]


def test_a_campaign_is_queued_once_and_checked_first(library: str, campaign: Any) -> None:
    spec, text = campaign("once")
    assert [enqueue(spec, text), enqueue(spec, text)] == [True, False]
    with pytest.raises(UserError, match="another specification"):
        enqueue(spec.model_copy(update={"seed": 9}), text)
    lost = spec.target.model_copy(update={"dos": spec.target.dos.model_copy(update={"material": "Xe"})})
    with pytest.raises((InputError, NotFoundError)):
        enqueue(spec.model_copy(update={"name": "lost", "target": lost}), text)
    assert [one.id for one in campaigns.find()] == ["once"]


def test_a_campaign_saved_before_the_file_had_all_its_keys_is_the_same(library: str, campaign: Any) -> None:
    spec, text = campaign("older")
    old = spec.as_dict()
    old.pop("mode")
    old.pop("priority")
    campaigns.create("older", old, text)
    assert not enqueue(spec, text)


def test_a_clone_is_the_same_campaign_under_another_name(library: str, campaign: Any) -> None:
    queued(campaign, "first")
    text = managing.clone("first", "second")
    spec, _ = campaign("first")
    assert parse_spec(text) == spec.model_copy(update={"name": "second"})
    with pytest.raises(SpecError, match="Bad Name"):
        managing.clone("first", "Bad Name")
    with pytest.raises(NotFoundError, match="nobody"):
        managing.clone("nobody", "second")
    with pytest.raises(NotFoundError, match="nobody"):
        managing.pause("nobody")
