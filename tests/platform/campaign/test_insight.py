"""Predicted against computed, where hits were lost, and what the library knows of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fermiloop.platform.campaign.counting import Trial
from fermiloop.platform.campaign.insight import insight
from fermiloop.platform.campaign.losses import known_hits, losses, worst
from fermiloop.platform.campaign.parity import expected_hits, parity
from fermiloop.platform.campaign.records import CampaignRecord, KnownHit, ProposalRecord
from fermiloop.platform.campaign.spec import load_spec

SPEC = load_spec(Path(__file__).parents[3] / "examples" / "pd-like.yaml")
STAGES = ("geometry", "duplicates", "hull", "target")


def proposal(index: int, scores: dict[str, Any] | None = None, **known: Any) -> ProposalRecord:
    made = {"formula": f"X{index}", "n_sites": 4, **known}
    return ProposalRecord(id=f"c-{index}", generator="substitution", round=1, scores=scores or {}, **made)


def evaluated(index: int, predicted: float, std: float | None, computed: float, **more: Any) -> ProposalRecord:
    told = {"predicted_similarity": predicted, "computed_similarity": computed, "hit": computed >= 0.9, **more}
    return proposal(index, told | ({} if std is None else {"predicted_similarity_std": std}))


def test_errors_and_coverage_of_a_part() -> None:
    (row,) = parity([evaluated(0, 0.9, 0.1, 0.8), evaluated(1, 0.7, 0.01, 0.9), evaluated(2, 0.5, None, 0.5)])
    assert (row["part"], row["source"], row["n"]) == ("similarity", "predicted", 3)
    assert row["mean_error"] == pytest.approx(-0.1 / 3)
    assert row["mean_absolute_error"] == pytest.approx(0.1)
    assert (row["covered"]["hits"], row["covered"]["n"]) == (1, 2)
    assert [pair["hit"] for pair in row["pairs"]] == [False, True, False]


def test_the_potentials_hull_is_a_prediction_without_uncertainty() -> None:
    told = {"potential_energy_above_hull": 0.05, "computed_energy_above_hull": 0.15}
    told |= {"potential_energy_per_atom": -3.0, "computed_energy_per_atom": -5.0}  # each about a zero of its own
    (row,) = parity([proposal(0, told), proposal(1, {"potential_energy_above_hull": 0.1})])
    assert (row["part"], row["source"], row["covered"]) == ("energy_above_hull", "potential", None)
    assert row["mean_error"] == pytest.approx(-0.1)


def test_what_is_not_finite_is_no_pair() -> None:
    assert parity([evaluated(0, float("nan"), 0.1, 0.8)]) == []
    assert parity([]) == []


def test_expected_hits_are_the_sum_of_the_probabilities_of_the_evaluated() -> None:
    rows = [
        evaluated(0, 0.9, 0.1, 0.95, predicted_probability=0.5),
        evaluated(1, 0.9, 0.1, 0.5, predicted_probability=0.25),
        proposal(2, {"predicted_probability": 0.9}, lost_at="choice"),
    ]
    assert expected_hits(rows) == {"expected": 0.75, "found": 1, "n": 2}
    assert expected_hits([evaluated(0, 0.9, 0.1, 0.95)]) is None


def test_each_stage_answers_for_what_it_rejected() -> None:
    rows = losses(
        [
            proposal(0, {"predicted_probability": 0.2}, lost_at="hull"),
            proposal(1, {"predicted_probability": 0.3}, lost_at="hull"),
            proposal(2, lost_at="geometry"),
            proposal(3, {"predicted_probability": 0.4}, lost_at="choice"),
            proposal(4, {"predicted_probability": 1.0}, lost_at="duplicates", is_twin=True),
            evaluated(5, 0.9, 0.1, 0.95, predicted_probability=0.9),
        ],
        STAGES,
    )
    told = {row["stage"]: (row["rejected"], row["predicted"], row["expected_hits"]) for row in rows}
    assert told == {
        "geometry": (1, 0, None), "duplicates": (0, 0, None), "hull": (2, 2, 0.5), "target": (0, 0, None),
        "choice": (1, 1, 0.4), "engine": (0, 0, None),
    }  # fmt: skip
    assert worst(rows) == "hull"


def test_a_crystal_that_comes_again_is_lost_once_and_not_at_all_where_it_was_evaluated() -> None:
    again = {"formula": "PtCu", "lost_at": "choice"}
    first, second = (proposal(i, {"predicted_probability": p}, **again) for i, p in ((0, 0.9), (1, 0.2)))
    assert [row["expected_hits"] for row in losses([first, second], ())] == [0.2, None]
    chosen = proposal(2, {"hit": True}, formula="PtCu")
    rows = losses([first, second, chosen], ())
    assert [row["rejected"] for row in rows] == [0, 0]
    assert worst(rows) is None


def test_what_became_of_the_librarys_hits() -> None:
    known = [KnownHit("m-1", "AgPt"), KnownHit("m-2", "CuPt"), KnownHit("m-3", "RhPt"), KnownHit("m-4", "AuPt")]
    proposals = [
        proposal(0, formula="AgPt", lost_at="duplicates", known="m-1", is_twin=True, compared=True),
        proposal(1, formula="CuPt", lost_at="geometry"),
        proposal(2, formula="RhPt", lost_at="hull", compared=True),  # another crystal of that formula
    ]
    assert known_hits(known, proposals) == {"n": 4, "found_again": 1, "rejected": {"geometry": 1}, "not_proposed": 2}
    assert known_hits([], proposals) is None


def test_baselines_that_propose_are_compared_with_the_others() -> None:
    trials = [Trial("dos_composer/factorised", True, True)] * 3 + [Trial("dos_composer/factorised", False, False)]
    trials += [Trial("substitution", True, True)] + [Trial("substitution", True, False)] * 3
    found = insight(CampaignRecord(SPEC, "running"), trials, {"hits": 1, "n": 50})
    told = {row["baseline"]: row for row in found["acceleration"]}
    assert set(told) == {"random", "substitution"}
    assert (told["random"]["hits"], told["random"]["evaluations"], told["random"]["factor"]) == (4, 8, 25)
    assert (told["substitution"]["hits"], told["substitution"]["evaluations"]) == (3, 4)
    assert told["substitution"]["factor"] == pytest.approx(3)


def test_a_generator_that_stands_alone_is_no_baseline() -> None:
    trials = [Trial("substitution", True, True)] * 3
    found = insight(CampaignRecord(SPEC, "running"), trials, {"hits": 0, "n": 0})
    assert found["acceleration"] == []
    assert found["known_hits"] is None
    assert found["worst_stage"] is None
