"""Store, queue and disk that do not agree are repaired; failed calculations are run again or set aside."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from fireworks import FWorker
from fireworks.core.rocket_launcher import launch_rocket
from mongoengine import get_db

from fermiloop.flows.campaigns import managing
from fermiloop.flows.campaigns.enqueue import enqueue
from fermiloop.flows.campaigns.fair_share import draw
from fermiloop.flows.driving import reconcile as module
from fermiloop.flows.driving import triage
from fermiloop.flows.driving.advance import advance_all
from fermiloop.flows.driving.reconcile import reconcile
from fermiloop.flows.engines.steps import isolation
from fermiloop.flows.queue.documents.rows import CALCULATION
from fermiloop.flows.queue.launchpad import SafeLaunchPad
from fermiloop.flows.rounds.evaluate import run_here, work_of
from fermiloop.flows.rounds.sample import document
from fermiloop.platform.errors import InputError, NotFoundError, UserError
from fermiloop.platform.generators.protocol import Proposal
from fermiloop.platform.store import calculations, campaigns, candidates
from fermiloop.schemas.vocabulary import CalculationState, CampaignState, RoundState, Stage

pytestmark = pytest.mark.slow


def run(pad: SafeLaunchPad, until: Any = lambda: False, most: int = 60) -> None:
    rng = np.random.default_rng(0)
    for _ in range(most):
        advance_all(pad, "me")
        query = draw(pad, rng)
        if query is None or until():
            return
        launch_rocket(pad, FWorker("me", query=query), strm_lvl="CRITICAL")
    raise AssertionError(f"there was still work after {most} jobs")


def queue(campaign: Any, name: str, **more: Any) -> str:
    enqueue(*campaign(name, **more))
    return name


def kinds(pad: SafeLaunchPad, **more: Any) -> list[str]:
    return [finding.kind for finding in reconcile(pad, "me", **more)]


def test_where_all_agrees_nothing_is_found(pad: SafeLaunchPad, campaign: Any) -> None:
    name = queue(campaign, "whole")
    assert kinds(pad) == []
    run(pad)
    assert campaigns.get(name).state is CampaignState.FINISHED
    assert kinds(pad) == []


def test_finished_work_that_nobody_recorded_is_adopted_and_not_paid_again(pad: SafeLaunchPad, campaign: Any) -> None:
    name = queue(campaign, "unrecorded")
    run(pad, until=lambda: any(c.calculation for c in candidates.of_round(name, 1)))
    computed = next(c for c in candidates.of_round(name, 1) if c.calculation)
    run_here(work_of(name, computed, calculations.get(computed.calculation)))  # and its worker was killed
    pad.fireworks.update_many({"state": {"$in": ["READY", "WAITING"]}}, {"$set": {"state": "DEFUSED"}})
    paid = isolation.attempts(computed.calculation)
    assert sorted(kinds(pad, dry_run=True)) == ["lost evaluation", "unrecorded result"]
    assert candidates.get(computed.id).stage is Stage.SELECTED
    assert sorted(kinds(pad)) == ["lost evaluation", "unrecorded result"]
    assert candidates.get(computed.id).stage is Stage.EVALUATED
    assert isolation.attempts(computed.calculation) == paid
    run(pad)
    assert all(c.stage is Stage.EVALUATED for c in candidates.of_round(name, 1) if c.calculation)
    assert calculations.get(computed.calculation).ingested
    assert kinds(pad) == []


def _done_on_disk(calculation: str | None) -> bool:
    return bool(calculation) and isolation.read_output(isolation.step_folder(calculation, "static")) is not None


def test_an_evaluation_lost_again_and_again_is_given_up(pad: SafeLaunchPad, campaign: Any) -> None:
    name = queue(campaign, "lost", per_round=1, evaluations=1)
    run(pad, until=lambda: any(c.calculation for c in candidates.of_round(name, 1)))
    chosen = next(c for c in candidates.of_round(name, 1) if c.calculation)
    for _ in range(4):
        pad.fireworks.update_many({"state": {"$nin": ["COMPLETED"]}}, {"$set": {"state": "DEFUSED"}})
        assert kinds(pad) == ["lost evaluation"]
        if calculations.get(chosen.calculation).state is CalculationState.FAILED:
            break
        calculations.start(chosen.calculation, "one that dies")
    assert calculations.get(chosen.calculation).attempts == 3
    assert candidates.get(chosen.id).stage is Stage.FAILED
    run(pad)
    assert campaigns.get(name).state is CampaignState.FAILED  # it has no result


def test_a_round_whose_workflow_is_gone_is_launched_again(pad: SafeLaunchPad, campaign: Any) -> None:
    name = queue(campaign, "emptied")
    advance_all(pad, "me")
    pad.fireworks.delete_many({})
    pad.workflows.delete_many({})
    assert kinds(pad) == ["round without workflow"]
    assert campaigns.round_of(name, 1).state is RoundState.PLANNED
    run(pad)
    assert campaigns.get(name).state is CampaignState.FINISHED


def test_a_workflow_that_was_half_added_is_completed(pad: SafeLaunchPad, campaign: Any) -> None:
    queue(campaign, "half")
    advance_all(pad, "me")
    pad.fireworks.update_many({}, {"$set": {"state": "WAITING"}})
    assert kinds(pad) == ["half-added workflow"]
    assert pad.fireworks.find_one({"state": "READY"})["name"] == "retrain"


def failing(campaign: Any, pad: SafeLaunchPad, name: str) -> list[str]:
    """Ids of the calculations of a campaign whose every evaluation fails."""
    queue(campaign, name, settings="{fail: raise}", per_round=2, evaluations=2)
    run(pad)
    found = calculations.find(state=CalculationState.FAILED, campaign=name)
    assert len(found) == 2
    return [one.id for one in found]


def test_failed_calculations_are_found_by_their_error_and_set_aside(pad: SafeLaunchPad, campaign: Any) -> None:
    ids = failing(campaign, pad, "bad")
    error = calculations.get(ids[0]).error
    assert {c.id for c in calculations.find(error=error.split()[0].upper())} == set(ids)
    assert calculations.find(error="no such words") == []
    with pytest.raises(InputError, match="regular expression"):
        calculations.find(error="(")
    assert triage.ignore(ids[:1]) == 1
    assert [c.id for c in calculations.find(error=".", ignored=False)] == ids[1:]
    assert [c.id for c in calculations.find(error=".", ignored=True)] == ids[:1]


def test_failed_calculations_are_run_again(pad: SafeLaunchPad, campaign: Any) -> None:
    ids = failing(campaign, pad, "again")
    assert triage.rerun(ids, time_limit=30.0) == 2
    assert {c.stage for c in candidates.of_campaign("again") if c.calculation} == {Stage.SELECTED}
    assert calculations.get(ids[0]).time_limit == 30.0
    assert pad.fireworks.count_documents({CALCULATION: {"$in": ids}, "state": "READY"}) == 2
    run(pad)
    assert {calculations.get(one).state for one in ids} == {CalculationState.FAILED}
    assert calculations.get(ids[0]).attempts == 2


def test_what_has_not_failed_is_not_run_again(pad: SafeLaunchPad, campaign: Any) -> None:
    name = queue(campaign, "fine")
    run(pad)
    done = calculations.of_campaign(name)[0].id
    with pytest.raises(UserError, match="only failed ones"):
        triage.rerun([done])
    with pytest.raises(NotFoundError, match="calc-none"):
        triage.rerun(["calc-none"])
    assert triage.ignore([done]) == 0


def finished(pad: SafeLaunchPad, campaign: Any, name: str) -> list[str]:
    """Candidates whose calculations are finished on disk, and that nobody recorded; their workflows are gone."""
    queue(campaign, name)
    run(pad, until=lambda: sum(c.stage is Stage.SELECTED for c in candidates.of_campaign(name)) == 2)
    chosen = [c for c in candidates.of_campaign(name) if c.stage is Stage.SELECTED]
    for one in chosen:
        calculations.start(one.calculation, "lost")
        run_here(work_of(name, one, calculations.get(one.calculation)))
    pad.fireworks.delete_many({CALCULATION: {"$exists": True}})
    pad.fireworks.update_many({}, {"$set": {"state": "COMPLETED"}})
    return [one.id for one in chosen]


def test_what_cannot_be_repaired_keeps_no_other_from_it(
    pad: SafeLaunchPad, campaign: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = finished(pad, campaign, "odd")
    whole = module.record_evaluation

    def record(name: str, number: int, candidate: str) -> str:
        if candidate == first:
            raise InputError("The curve has no area on the grid.")
        return whole(name, number, candidate)

    monkeypatch.setattr(module, "record_evaluation", record)
    assert kinds(pad) == ["unrecorded result"] * 2
    assert [candidates.get(one).stage for one in (first, second)] == [Stage.SELECTED, Stage.EVALUATED]


def test_what_needs_an_engine_that_is_not_here_is_left_to_others(pad: SafeLaunchPad, campaign: Any) -> None:
    first, _ = finished(pad, campaign, "elsewhere")
    calculation = candidates.get(first).calculation
    get_db()["calculations"].update_one({"_id": calculation}, {"$set": {"engine": "emt"}})
    assert kinds(pad, dry_run=True) == ["unrecorded result"]


def test_a_rerun_that_was_killed_in_the_middle_is_asked_for_again(
    pad: SafeLaunchPad, campaign: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = failing(campaign, pad, "cut")

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    for where, what in ((candidates, "update"), (calculations, "put_back")):
        with monkeypatch.context() as patch:
            patch.setattr(where, what, interrupted)
            with pytest.raises(KeyboardInterrupt):
                triage.rerun(ids)
    assert triage.rerun(ids) == 2
    assert {c.stage for c in candidates.of_campaign("cut") if c.calculation} == {Stage.SELECTED}


def test_a_rerun_is_for_the_campaigns_that_were_not_cancelled(pad: SafeLaunchPad, campaign: Any) -> None:
    ids = failing(campaign, pad, "over")
    enqueue(*campaign("alive", settings="{fail: raise}"))
    first = next(c for c in candidates.of_campaign("over") if c.calculation == ids[0])
    twin = document("alive", 1, "substitution", 0, Proposal(first.to_structure(), 1.0), "ckpt", 5)
    twin.calculation, twin.stage = ids[0], Stage.FAILED
    candidates.save_many([twin])
    campaigns.set_state("over", CampaignState.CANCELLED)
    with pytest.raises(UserError, match="belongs to over, which was cancelled"):
        triage.rerun(ids[1:])
    assert triage.rerun(ids[:1]) == 1
    assert [candidates.get(one.id).stage for one in (first, twin)] == [Stage.FAILED, Stage.SELECTED]


def test_what_a_cancelled_asynchronous_campaign_has_not_begun_is_given_back(pad: SafeLaunchPad, campaign: Any) -> None:
    spec, text = campaign("halted")
    enqueue(spec.model_copy(update={"mode": "asynchronous"}), text)
    run(pad, until=lambda: any(c.stage is Stage.SELECTED for c in candidates.of_campaign("halted")))
    chosen = [c for c in candidates.of_campaign("halted") if c.stage is Stage.SELECTED]
    assert campaigns.open_rounds() == []
    managing.cancel("halted")
    advance_all(pad, "me")
    assert kinds(pad) == ["cancelled evaluation"] * len(chosen)
    assert {candidates.get(one.id).stage for one in chosen} == {Stage.PASSED}
    assert not any(calculations.exists(one.calculation) for one in chosen)
    assert pad.fireworks.count_documents({"state": "READY"}) == 0
    assert kinds(pad) == []
