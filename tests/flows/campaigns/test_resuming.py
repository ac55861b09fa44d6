"""A campaign that failed in the middle of a round does that round again, in this process and by workers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from fireworks import FWorker
from fireworks.core.rocket_launcher import launch_rocket

from fermiloop.flows.campaigns import managing
from fermiloop.flows.campaigns.enqueue import enqueue
from fermiloop.flows.campaigns.fair_share import draw
from fermiloop.flows.driving import launching
from fermiloop.flows.driving.advance import advance_all
from fermiloop.flows.queue.launchpad import SafeLaunchPad
from fermiloop.flows.rounds import sample
from fermiloop.platform.errors import NotFoundError, UserError
from fermiloop.platform.store import campaigns, candidates, leases
from fermiloop.schemas.vocabulary import CampaignState, RoundState, Stage


@contextlib.contextmanager
def out_of_memory() -> Iterator[None]:
    """Sampling that fails, as long as this lasts."""

    def fails(*_: object) -> None:
        raise MemoryError("no memory left")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sample, "propose", fails)
        yield


def work(pad: SafeLaunchPad, most: int = 60) -> None:
    """Be a worker until nothing may be taken."""
    rng = np.random.default_rng(0)
    for _ in range(most):
        advance_all(pad, "me")
        query = draw(pad, rng)
        if query is None:
            return
        launch_rocket(pad, FWorker("me", query=query), strm_lvl="CRITICAL")
    raise AssertionError(f"there was still work after {most} jobs")


def test_a_run_in_this_process_goes_on_at_its_round(library: str, campaign: Any) -> None:
    spec, text = campaign("broken", evaluations=2)
    with out_of_memory():
        launching.launch(spec, text)
    assert campaigns.get("broken").state is CampaignState.FAILED
    failed = campaigns.round_of("broken", 1)
    assert (failed.state, failed.decision.reason) == (RoundState.FAILED, "sample failed: MemoryError: no memory left")
    managing.resume("broken")
    assert campaigns.get("broken").state is CampaignState.RUNNING
    assert campaigns.get("broken").closed_at is None
    launching.launch(spec, text)
    ended = campaigns.get("broken")
    assert (ended.state, ended.reason) == (CampaignState.FINISHED, "All 2 evaluations of the budget are spent.")
    (done,) = campaigns.rounds("broken")
    assert done.checkpoints == failed.checkpoints  # trained once
    assert done.costs["retrain"] < 2 * failed.costs["retrain"]
    assert done.decision.failed is None
    with pytest.raises(UserError, match="neither paused nor failed in a round"):
        managing.resume("broken")


def test_workers_go_on_at_its_round_in_the_same_workflow(pad: SafeLaunchPad, campaign: Any) -> None:
    spec, text = campaign("queued", evaluations=2)
    enqueue(spec, text)
    with out_of_memory():
        work(pad)
    assert campaigns.get("queued").state is CampaignState.FAILED
    managing.resume("queued")
    again = campaigns.round_of("queued", 1)
    assert (again.state, bool(again.launched)) == (RoundState.LAUNCHED, True)
    work(pad)
    assert campaigns.get("queued").state is CampaignState.FINISHED
    assert [c.stage for c in candidates.of_round("queued", 1) if c.calculation] == [Stage.EVALUATED] * 2
    rounds = {"metadata.fermiloop_round": {"$exists": True}}
    assert pad.workflows.count_documents(rounds) == 1
    assert pad.fireworks.count_documents({"state": "FIZZLED"}) == 0


def test_a_resume_that_was_killed_halfway_is_repeated(pad: SafeLaunchPad, campaign: Any) -> None:
    spec, text = campaign("halfway", evaluations=2)
    enqueue(spec, text)
    with out_of_memory():
        work(pad)
    for what in ("move", "mark_launched"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(campaigns, what, interrupted)
            with pytest.raises(KeyboardInterrupt):
                managing.resume("halfway")
        with pytest.raises(UserError, match="resumed by another process" if what == "move" else "is running"):
            managing.resume("halfway")
        leases.end("launch of halfway/1")  # as after a minute
    assert campaigns.get("halfway").state is CampaignState.RUNNING
    work(pad)
    assert campaigns.get("halfway").state is CampaignState.FINISHED


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_round_whose_workflow_is_gone_is_planned_again(pad: SafeLaunchPad, campaign: Any) -> None:
    spec, text = campaign("emptied", evaluations=2)
    enqueue(spec, text)
    with out_of_memory():
        work(pad)
    pad.workflows.delete_many({})
    pad.fireworks.delete_many({})
    managing.resume("emptied")
    assert campaigns.round_of("emptied", 1).state is RoundState.PLANNED
    work(pad)
    assert campaigns.get("emptied").state is CampaignState.FINISHED


def test_what_ended_with_its_budget_has_no_round_to_do_again(library: str, campaign: Any) -> None:
    spec, text = campaign("spent", settings="{fail: raise}", evaluations=1, per_round=1)
    launching.launch(spec, text)
    assert campaigns.get("spent").state is CampaignState.FAILED
    assert campaigns.broken_round("spent") is None
    with pytest.raises(UserError, match="its state is failed"):
        managing.resume("spent")
    with pytest.raises(NotFoundError):
        managing.resume("nobody")


def test_of_two_resumes_at_once_the_later_one_changes_nothing(
    pad: SafeLaunchPad, campaign: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec, text = campaign("twice", evaluations=2)
    enqueue(spec, text)
    with out_of_memory():
        work(pad)
    seen = campaigns.broken_round("twice")
    managing.resume("twice")
    work(pad)
    before = campaigns.round_of("twice", 1).to_mongo()
    monkeypatch.setattr(campaigns, "broken_round", lambda name: seen)  # looked before the other began
    with pytest.raises(UserError, match="resumed by another process"):
        managing.resume("twice")
    assert campaigns.round_of("twice", 1).to_mongo() == before
    assert campaigns.get("twice").state is CampaignState.FINISHED


@pytest.mark.slow
def test_an_asynchronous_campaign_goes_on_at_its_generation(pad: SafeLaunchPad, campaign: Any) -> None:
    spec, text = campaign("steady", evaluations=5)
    few = tuple(one.model_copy(update={"proposals": 4}) for one in spec.generators)
    enqueue(spec.model_copy(update={"mode": "asynchronous", "generators": few}), text)
    whole, left = sample.propose, [len(spec.generators)]

    def propose(*given: Any) -> Any:
        if not left[0]:
            raise MemoryError("no memory left")
        left[0] -= 1
        return whole(*given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sample, "propose", propose)
        work(pad, 120)
    assert campaigns.get("steady").reason == "sample failed: MemoryError: no memory left"
    paid = {c.id for c in candidates.of_campaign("steady") if c.calculation}
    assert paid
    managing.resume("steady")
    work(pad, 120)
    assert campaigns.get("steady").state is CampaignState.FINISHED
    chosen = [c for c in candidates.of_campaign("steady") if c.calculation]
    assert paid < {c.id for c in chosen}  # the second generation was chosen from
    assert {c.stage for c in chosen} == {Stage.EVALUATED}
    assert {one.state for one in campaigns.rounds("steady")} == {RoundState.CLOSED}
