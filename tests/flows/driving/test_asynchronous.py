"""Asynchronous campaigns: in this process and by workers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from fireworks import FWorker
from fireworks.core.rocket_launcher import launch_rocket

from fermiloop.flows.campaigns.enqueue import enqueue
from fermiloop.flows.campaigns.fair_share import draw
from fermiloop.flows.driving import asynchronous, launching
from fermiloop.flows.driving.advance import advance_all
from fermiloop.flows.driving.asynchronous import in_flight
from fermiloop.flows.processes.identity import parse, worker_name
from fermiloop.flows.queue.launchpad import configure_jobflow, launchpad
from fermiloop.flows.rounds.sample import document
from fermiloop.platform.generators.protocol import Proposal
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.store import calculations, campaigns, candidates
from fermiloop.schemas.vocabulary import CampaignState, Stage


def steady(campaign: Any, name: str) -> Any:
    spec, text = campaign(name, evaluations=5, per_round=2)
    return spec.model_copy(update={"mode": "asynchronous"}), text


def check_finished(name: str) -> None:
    found = campaigns.get(name)
    assert found.state is CampaignState.FINISHED, found.reason
    chosen = [c for c in candidates.of_campaign(name) if c.calculation]
    assert len(chosen) == 5
    assert all(c.stage in (Stage.EVALUATED, Stage.FAILED) for c in chosen)
    assert len({c.id for c in calculations.of_campaign(name)}) == 5
    assert "evaluations" in found.reason


@pytest.mark.slow
def test_in_one_process_it_chooses_again_after_each_result(library: str, campaign: Any) -> None:
    spec, text = steady(campaign, "inline")
    launching.launch(spec, text)
    check_finished("inline")
    launching.launch(spec, text)  # a repeat does nothing
    assert len(calculations.of_campaign("inline")) == 5


@pytest.mark.slow
def test_with_workers_the_places_are_kept_full_and_a_lost_queueing_is_made_good(
    library: str, campaign: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    configure_jobflow()
    spec, text = steady(campaign, "queued")
    enqueue(spec, text)
    pad, rng = launchpad(), np.random.default_rng(1)
    most, lost = 0, False
    for _ in range(80):
        advance_all(pad, "me")
        flying = len(in_flight("queued"))
        most = max(most, flying)
        if flying and not lost:  # as if the process had been killed between the selection and the queue
            pad.fireworks.delete_many({"spec.fermiloop_calculation": {"$exists": True}})
            pad.workflows.delete_many({"metadata.fermiloop_evaluation": {"$exists": True}})
            lost = True
            continue
        query = draw(pad, rng)
        if query is not None:
            launch_rocket(pad, FWorker("me", query=query), strm_lvl="CRITICAL")
        elif campaigns.get("queued").state is CampaignState.FINISHED:
            break
    pad.connection.close()
    assert lost
    assert most == 2
    check_finished("queued")


def test_two_workers_do_not_select_at_once(library: str, campaign: Any) -> None:
    spec, text = steady(campaign, "turns")
    enqueue(spec, text)
    assert campaigns.take_turn("turns", "one", 60)
    assert not campaigns.take_turn("turns", "two", 60)
    campaigns.end_turn("turns", "two")
    assert not campaigns.take_turn("turns", "two", 60)
    campaigns.end_turn("turns", "one")
    assert campaigns.take_turn("turns", "two", -1)
    assert campaigns.take_turn("turns", "one", 60)  # the other's lease has run out


def test_a_turn_whose_holder_died_is_given_back_at_once(library: str, campaign: Any) -> None:
    spec, text = steady(campaign, "left")
    enqueue(spec, text)
    gone = replace(parse(worker_name()), start="1", unique="gone").name
    assert campaigns.take_turn("left", gone, 600)  # a process of this number that began at another time
    pad = launchpad()
    advance_all(pad, "me")
    pad.connection.close()
    assert [one.number for one in campaigns.rounds("left")] == [1]
    assert campaigns.turn_of("left") is None


def test_who_has_lost_the_turn_while_choosing_selects_nothing(
    library: str, campaign: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec, text = steady(campaign, "slow")
    enqueue(spec, text)
    campaigns.plan_round("slow", 1)
    crystal = PROTOTYPES["B2"].build("Ti", "Cu", 14.0)
    (one,) = candidates.save_many([document("slow", 1, "substitution", 0, Proposal(crystal, 1.0), "ckpt", 5)])
    candidates.update(one, stage=Stage.PASSED)

    def choose(spec: Any, name: str, pool: list[Any], *_: Any) -> list[Any]:
        campaigns.end_turn(name, "me")  # as after two minutes
        assert campaigns.take_turn(name, "another", 60)
        return pool

    pad = launchpad()
    with monkeypatch.context() as patch:
        patch.setattr(asynchronous, "best_of", choose)
        asynchronous.advance_asynchronous(pad, "slow", "me")
    assert in_flight("slow") == []
    assert campaigns.turn_of("slow") == "another"
    campaigns.end_turn("slow", "another")
    asynchronous.advance_asynchronous(pad, "slow", "me")
    pad.connection.close()
    assert [c.id for c in in_flight("slow")] == [one]
