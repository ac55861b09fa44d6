"""Names of scores: where a value comes from, what a plain name means, and what older names become."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fermiloop.platform.campaign import scores
from fermiloop.schemas.scores import COMPUTED, HIT, PLAIN, POTENTIAL, PREDICTED, SCORES, better_high
from fermiloop.schemas.vocabulary import Unit

FUNNEL = {
    "potential_energy_per_atom": -3.0, "potential_energy_above_hull": -0.02,
    "predicted_score": 0.4, "predicted_score_std": 0.1,
}  # fmt: skip


def test_the_potential_and_the_surrogate_are_the_best_known_before_an_evaluation() -> None:
    assert scores.screened(FUNNEL) == {
        "score": 0.4, "energy_per_atom": -3.0, "energy_above_hull": -0.02,
        "potential_energy_per_atom": -3.0, "potential_energy_above_hull": -0.02,
        "predicted_score": 0.4, "predicted_score_std": 0.1,
    }  # fmt: skip
    assert scores.screened({}) == {}


def test_the_potential_comes_before_an_ensemble() -> None:
    gave = {
        "energy_above_hull": 0.1,
        "energy_above_hull_mean": 0.3,
        "energy_above_hull_std": 0.05,
        "band_gap_mean": 1.5,
    }
    known = scores.screened(scores.predicted({**gave, "band_gap_mean": 1.5}))
    assert (known["energy_above_hull"], known["predicted_energy_above_hull"], known["band_gap"]) == (0.1, 0.3, 1.5)
    assert known["predicted_energy_above_hull_std"] == 0.05
    assert scores.predicted({"fermi_level_mean": 5.0}) == {}


def test_after_an_evaluation_a_plain_name_is_the_computed_value() -> None:
    found = scores.evaluated(scores.screened(FUNNEL), {"score": 0.9, "energy_above_hull": 0.1}, hit=True)
    assert (found["score"], found["computed_score"], found["predicted_score"]) == (0.9, 0.9, 0.4)
    assert (found["energy_above_hull"], found["potential_energy_above_hull"]) == (0.1, -0.02)
    assert found[HIT] is True


def test_what_was_not_computed_has_no_plain_name_after_an_evaluation() -> None:
    found = scores.evaluated(scores.screened(FUNNEL), {"score": 0.9}, hit=False)
    assert "energy_above_hull" not in found
    assert found["potential_energy_above_hull"] == -0.02


def test_an_evaluation_takes_the_place_of_an_earlier_one() -> None:
    first = scores.evaluated(scores.screened(FUNNEL), {"score": 0.9, "band_gap": 2.0}, hit=True)
    second = scores.evaluated(first, {"score": 0.3}, hit=False)
    assert second == scores.evaluated(scores.screened(FUNNEL), {"score": 0.3}, hit=False)
    assert scores.evaluated(first, {"score": 0.9, "band_gap": 2.0}, hit=True) == first


def test_computed_part_is_what_an_evaluation_gave() -> None:
    found = scores.evaluated(scores.screened(FUNNEL), {"score": 0.9}, hit=True)
    assert scores.computed_part(found) == {"computed_score": 0.9, "hit": True}


@pytest.mark.parametrize(
    ("former", "about", "now"),
    [
        ({}, {}, {}),
        (
            {"similarity_mean": 0.4, "similarity_std": 0.1, "energy_above_hull": 0.2},
            {},
            {"score": 0.4, "predicted_score": 0.4, "predicted_score_std": 0.1,
             "energy_above_hull": 0.2, "potential_energy_above_hull": 0.2},
        ),
        (
            {"similarity_mean": 0.4, "similarity_std": 0.1},
            {"curve_alone": True},
            {"score": 0.4, "similarity": 0.4, "predicted_score": 0.4, "predicted_score_std": 0.1,
             "predicted_similarity": 0.4, "predicted_similarity_std": 0.1},
        ),
        (
            {"energy_above_hull": -0.02, "computed_energy_above_hull": 0.1, "dos_similarity": 0.95, "score": 0.95,
             "hit": True},
            {"energy_per_atom": -4.0},
            {"potential_energy_above_hull": -0.02, "energy_above_hull": 0.1, "computed_energy_above_hull": 0.1,
             "similarity": 0.95, "computed_similarity": 0.95, "score": 0.95, "computed_score": 0.95,
             "energy_per_atom": -4.0, "computed_energy_per_atom": -4.0, "hit": True},
        ),
    ],
)  # fmt: skip
def test_former_names(former: dict[str, Any], about: dict[str, Any], now: dict[str, Any]) -> None:
    assert scores.renamed(former, **about) == now
    assert scores.renamed(now, **about) == now  # a repeat changes nothing


def test_every_name_stands_in_the_table_under_one_source() -> None:
    believed = {"predicted_score", "predicted_score_std", "predicted_probability"}  # made of what the funnel predicts
    assert {*scores.FUNNEL.values(), *believed} == {*POTENTIAL, *PREDICTED}
    assert set(COMPUTED) == {f"computed_{name}" for name in PLAIN}
    for name, one in SCORES.items():
        if name == "predicted_probability":  # nothing computes it
            continue
        plain = name.split("_", 1)[1].removesuffix("_std") if name not in PLAIN else name
        assert one.unit == PLAIN[plain].unit
    assert len({one.heading for one in SCORES.values()}) == len(SCORES)
    assert all(better_high(name) for name in ("score", "predicted_score", "computed_similarity"))
    assert not any(better_high(name) for name in ("energy_above_hull", "band_gap", "predicted_score_std"))


def test_the_documents_tell_every_name_with_its_unit() -> None:
    text = (Path(__file__).parents[3] / "docs" / "scores.md").read_text(encoding="utf-8")
    for name, one in SCORES.items():
        unit = "–" if one.unit == Unit.DIMENSIONLESS else str(one.unit)
        assert f"| `{name}` | {one.label} | {unit} |" in text
