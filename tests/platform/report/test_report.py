"""The page and pictures of a campaign, also of one that found nothing."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from fermiloop.platform.campaign.records import (
    CampaignRecord,
    CandidateRecord,
    EvaluationRecord,
    HitRecord,
    HullPoint,
    HullRecord,
    KnownHit,
    ProposalRecord,
    RoundRecord,
    TallyRecord,
)
from fermiloop.platform.campaign.spec import CampaignSpec, load_spec
from fermiloop.platform.campaign.summary import summarise
from fermiloop.platform.errors import UserError
from fermiloop.platform.report.figures import FIGURES
from fermiloop.platform.report.html import write_report
from fermiloop.platform.representations.spectrum import DOS_GRID

SPEC = load_spec(Path(__file__).parents[3] / "examples" / "pd-like.yaml")


def curve(shift: float) -> tuple[float, ...]:
    x = DOS_GRID.points
    y = 0.2 + 2 * np.exp(-(((x + 2 + shift) / 1.6) ** 2)) + np.exp(-(((x + 0.4 + shift) / 0.3) ** 2))
    return tuple(DOS_GRID.normalise(y).tolist())


def record(formulas: tuple[str, ...] = ("NiPt", "RhAg", "CuPt", "<b>x")) -> CampaignRecord:
    rows = []
    for index, formula in enumerate(formulas):
        failed = index == 3
        evaluation = EvaluationRecord(
            f"calc-{index}", "failed" if failed else "completed", 300.0 + index,
            None if failed else 0.95 - 0.06 * index, index == 0, None if failed else 0.02 * index,
            None if failed else -0.1, None if failed else curve(0.2 * index), "ran out of its time" if failed else None,
        )  # fmt: skip
        generator = "substitution" if index % 2 else "dos_composer"
        rows.append(CandidateRecord(f"c-{index}", formula, generator, 1 + index // 2, evaluation))
    stages = SPEC.funnel.stages
    tallies = tuple(TallyRecord(s, 40 - 5 * i, 35 - 5 * i, {"too close": 5}, 1.5) for i, s in enumerate(stages))
    hits = (1, 0)
    rounds = tuple(
        RoundRecord(n, "closed", 40, 35, 30, 10, 2, 0, 2 - (n == 2), int(n == 2), 2, 2, hits[n - 1], 0.95, ("ckpt-1",),
                    tallies)
        for n in (1, 2)
    )  # fmt: skip
    scored = (("NiPt", 0.8, 0.05, 0.95), ("RhAg", 0.85, 0.1, 0.89), ("CuPt", 0.9, 0.02, 0.83))
    proposals = tuple(
        ProposalRecord(f"c-{i}", formula, "substitution", 1, 4, {
            "predicted_similarity": mean, "predicted_similarity_std": std, "computed_similarity": value,
            "predicted_probability": 0.2, "hit": value >= 0.9,
        })
        for i, (formula, mean, std, value) in enumerate(scored)
    )  # fmt: skip
    points = (
        HullPoint("Ni", 0.0, 0.0), HullPoint("Pt", 1.0, 0.0), HullPoint("Ni3Pt", 0.25, -0.06),
        HullPoint("NiPt", 0.5, -0.1, "c-0"), HullPoint("NiPt3", 0.75, -0.04),
    )  # fmt: skip
    return CampaignRecord(
        SPEC, "finished", "All 4 evaluations of the budget are spent.", rounds, tuple(rows), {"evaluate": 1206.0},
        tuple(DOS_GRID.points.tolist()), curve(0.0), "Pd", (True, *(False,) * 49), {"candidate": "c-0", "seed": 7},
        HullRecord(("Ni", "Pt"), points), proposals=proposals, known_hits=(KnownHit("m-1", "AgPt"),),
    )  # fmt: skip


def test_the_page_is_whole_and_fetches_nothing(tmp_path: Path) -> None:
    page = write_report(summarise(record()), tmp_path / "new" / "report")
    text = page.read_text(encoding="utf-8")
    assert page.name == "index.html"
    assert text.count("data:image/png;base64,") == len(FIGURES) - 1  # nothing is traded off
    assert not re.search(r"(src|href)=\"(?!data:)", text)
    assert "ran out of its time" in text
    assert "Of 3 evaluated, 0.6 hits were expected and 1 were found." in text
    assert "&lt;b&gt;x" in text
    assert "<b>x" not in text


def test_the_json_beside_the_page_is_the_summary(tmp_path: Path) -> None:
    summary = summarise(record())
    write_report(summary, tmp_path)
    assert json.loads((tmp_path / "summary.json").read_text()) == json.loads(json.dumps(summary))


@pytest.mark.parametrize(
    "made",
    [CampaignRecord(SPEC, "running"), CampaignRecord(SPEC, "running", rounds=(RoundRecord(1),)), record(("NiPt",))],
)
def test_little_is_reported_too(made: CampaignRecord, tmp_path: Path) -> None:
    assert write_report(summarise(made), tmp_path).stat().st_size > 10_000
    assert {path.stem for path in tmp_path.glob("*.png")} == FIGURES.keys() - {"pareto"}


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(UserError, match="taken"):
        write_report(summarise(record()), tmp_path / "taken")


def test_the_summary_has_what_is_promised() -> None:
    summary = summarise(record())
    assert {"name", "state", "evaluations", "failures", "core_seconds", "rounds", "best", "baseline"} <= summary.keys()
    assert (summary["evaluations"], summary["failures"]) == (3, 1)
    assert summary["best"]["candidate"] == "c-0"
    assert summary["baseline"]["random"]["rate"] == pytest.approx(0.02)
    assert summary["baseline"]["substitution"]["n"] == 1
    assert summary["cost_per_hit"] == {"evaluations": 4.0, "core_seconds": 1206.0}


def test_no_hit_costs_nothing_per_hit_and_nan_becomes_none() -> None:
    bad = EvaluationRecord("calc-1", "completed", 5.0, float("nan"))
    made = CampaignRecord(SPEC, "finished", candidates=(CandidateRecord("c", "Ni", "substitution", 1, bad),))
    summary = summarise(made)
    json.dumps(summary, allow_nan=False)
    assert summary["best"] is None
    assert summary["cost_per_hit"] == {"evaluations": None, "core_seconds": None}
    assert summary["discovery_factor"] is None


def traded() -> CampaignRecord:
    """A campaign for a wide gap and a low energy."""
    asked = {"properties": [{"name": "band_gap", "maximise": True}, {"name": "energy_per_atom", "minimise": True}]}
    file = SPEC.as_dict() | {"target": asked, "generators": [{"name": "substitution", "proposals": 5}]}
    spec = CampaignSpec.model_validate(file | {"acquisition": {}})
    known = (((2.0, -3.0), ()), ((1.0, -4.0), ()), ((0.5, -2.0), ()), ((9.0, -9.0), ("above the hull 0.300 > 0.1",)))
    rows = [
        CandidateRecord(f"c-{i}", "Ni", "substitution", 1, EvaluationRecord(f"k-{i}", "completed", 5.0, 0.5, missed=why,
                                                                           objectives=values))
        for i, (values, why) in enumerate(known)
    ]  # fmt: skip
    hit = HitRecord("nothing is a hit", remark="hits need not be stable")
    return CampaignRecord(spec, "finished", candidates=tuple(rows), hit=hit)


def test_two_objectives_have_a_front_in_table_and_picture(tmp_path: Path) -> None:
    summary = summarise(traded())
    assert [one["candidate"] for one in summary["pareto"]["points"] if one["on_front"]] == ["c-0", "c-1"]
    text = write_report(summary, tmp_path).read_text(encoding="utf-8")
    assert "Pareto front" in text
    assert "A hit: nothing is a hit. Note: hits need not be stable." in text
    assert "no hit: above the hull 0.300 &gt; 0.1" in text
    assert (tmp_path / "pareto.png").exists()
    assert summary["pareto"]["hypervolume"] > 0
    assert summarise(record())["pareto"] is None
