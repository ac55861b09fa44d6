"""Whole campaigns on a synthetic library: the loop closes, repeats are safe, failures do not hold it up."""

from __future__ import annotations

from typing import Any

import pytest

from fermiloop.flows.campaigns.records import read_record
from fermiloop.flows.driving import launching
from fermiloop.platform.campaign.summary import summarise
from fermiloop.platform.store import calculations, campaigns, candidates, checkpoints, lineage, snapshots
from fermiloop.schemas.vocabulary import CalculationState, CampaignState, Stage


def test_a_campaign_runs_inline_and_learns_from_itself(library: str, campaign: Any) -> None:
    spec, text = campaign("inline")
    told: list[str] = []
    launching.launch(spec, text, progress=lambda what, share: told.append(what))
    found = campaigns.get("inline")
    assert found.state is CampaignState.FINISHED
    summary = summarise(read_record("inline"))
    assert [row["number"] for row in summary["rounds"]] == [1, 2]
    assert summary["evaluations"] + summary["failures"] == 4
    assert summary["evaluations"] == sum(row["ingested"] for row in summary["rounds"])
    assert told

    results = {c.material for c in candidates.of_campaign("inline") if c.round == 1 and c.stage is Stage.EVALUATED}
    second = campaigns.round_of("inline", 2)
    learned = checkpoints.get(next(iter(second.checkpoints.values()))).snapshot
    assert results
    assert results <= set(snapshots.ids(learned))

    late = next(c for c in candidates.of_campaign("inline") if c.round == 2)
    chain = lineage.explain(late.id)
    assert {row["material"] for row in chain["snapshot"]["campaign_results"]} >= results


@pytest.mark.slow
def test_a_second_launch_changes_nothing(library: str, campaign: Any) -> None:
    spec, text = campaign("again")
    launching.launch(spec, text)
    before = {c.id: (c.stage, c.material) for c in candidates.of_campaign("again")}
    launching.launch(spec, text)
    assert {c.id: (c.stage, c.material) for c in candidates.of_campaign("again")} == before


@pytest.mark.slow
@pytest.mark.parametrize(("settings", "reason"), [("{fail: raise}", "asked to fail"), ("{fail: crash}", "signal 6")])
def test_failed_evaluations_are_recorded_and_the_round_goes_on(
    library: str, campaign: Any, settings: str, reason: str
) -> None:
    spec, text = campaign("failing", settings=settings, evaluations=2, per_round=1)
    launching.launch(spec, text)
    ended = campaigns.get("failing")
    assert ended.state is CampaignState.FAILED  # without one result it is not called finished
    assert ended.reason == "None of its 2 evaluations gave a result. All 2 evaluations of the budget are spent."
    done = calculations.of_campaign("failing")
    assert len(done) == 2
    assert all(c.state is CalculationState.FAILED and reason in c.error and c.core_seconds > 0 for c in done)
    assert [row.failed for row in read_record("failing").rounds] == [1, 1]
    assert [c.attempts for c in done] == [1, 1]  # what was proposed again in the second round was not paid again
