"""Counts of campaigns and jobs that want attention, from a few documents."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from fermiloop.platform.store import calculations, campaigns, candidates, glance
from fermiloop.schemas.base import now
from fermiloop.schemas.calculation import Calculation
from fermiloop.schemas.campaign import RoundDecision
from fermiloop.schemas.candidate import Candidate
from fermiloop.schemas.vocabulary import CalculationState, Stage

SPEC = {"budget": {"rounds": 3, "evaluations": 10, "core_hours": 2.0}, "engine": {"time_limit": 10}}


@pytest.fixture
def planned(database: str, method: str, crystal: Callable[..., Any], proposal: Callable[..., Candidate]) -> list[str]:
    """Calculations of two candidates of a campaign, neither begun."""
    campaigns.create("pd-like", SPEC, "text")
    campaigns.plan_round("pd-like", 1)
    pairs = (("Ni", "Al"), ("Cu", "Al"), ("Ni", "Cu"))
    ids = candidates.save_many([proposal(pair, index=i) for i, pair in enumerate(pairs)])
    return [
        calculations.plan(ids[i], crystal(*pairs[i]), engine="gpaw", method=method, settings={}, campaign="pd-like")
        for i in (0, 1)
    ]


def test_a_campaign_in_a_line(planned: list[str]) -> None:
    ids = [c.id for c in candidates.of_campaign("pd-like")]
    candidates.update(ids[0], stage=Stage.EVALUATED, scores={"score": 0.9, "hit": True})
    candidates.update(ids[1], stage=Stage.FAILED)
    calculations.finish(planned[0], CalculationState.COMPLETED, core_seconds=5.0)
    calculations.finish(planned[1], CalculationState.FAILED, core_seconds=2.0, error="no")
    (one,) = glance.campaigns()
    assert (one.evaluated, one.failed, one.waiting, one.hits) == (1, 1, 0, 1)
    assert (one.evaluations, one.rounds, one.closed_rounds, one.core_hours) == (10, 3, 0, 2.0)
    assert one.core_seconds == pytest.approx(7.0)
    assert one.last is not None
    assert glance.campaigns(name="none") == []


def test_the_stamp_changes_with_what_is_shown(planned: list[str]) -> None:
    before = glance.stamp("pd-like")
    assert before == glance.stamp("pd-like")
    candidates.update(candidates.of_campaign("pd-like")[0].id, stage=Stage.SELECTED)
    after = glance.stamp("pd-like")
    assert after != before
    campaigns.close_round("pd-like", 1, counts={}, decision=RoundDecision())
    assert glance.stamp("pd-like") != after
    assert glance.stamp("none") == ""


def test_failed_jobs_want_attention_until_they_are_set_aside(planned: list[str]) -> None:
    calculations.finish(planned[0], CalculationState.FAILED, core_seconds=1.0, error="did not converge")
    (job,) = glance.attention()
    assert (job.id, job.error, job.campaign) == (planned[0], "did not converge", "pd-like")
    assert glance.attention(campaign="other") == []
    assert glance.attention(limit=0) == []
    Calculation._get_collection().update_one({"_id": planned[0]}, {"$set": {"ignored": True}})
    assert glance.attention() == []


def test_a_job_is_stuck_after_twice_its_time(planned: list[str]) -> None:
    calculations.start(planned[0], "worker")
    assert glance.attention() == []
    began = now() - timedelta(seconds=2 * 10 + glance.SLACK + 5)
    Calculation.objects(id=planned[0]).update(set__started_at=began)
    (job,) = glance.attention()
    assert job.state == "running"
    assert "80 s" in job.error


def test_outcomes_come_best_first(planned: list[str]) -> None:
    ids = [c.id for c in candidates.of_campaign("pd-like")]
    for one, score in zip(ids[:2], (0.3, 0.8), strict=True):
        candidates.update(one, stage=Stage.EVALUATED, scores={"computed_score": score})
    assert [one.id for one in glance.outcomes("pd-like")] == [ids[1], ids[0]]
    assert len(glance.outcomes("pd-like", limit=1)) == 1
