"""The insight as tables of text."""

from __future__ import annotations

from fermiloop.platform.report.insight import tables

PAIR = {"candidate": "c-0", "formula": "NiPt", "round": 1, "predicted": 0.9, "std": 0.1, "computed": 0.8, "hit": False}
FULL = {
    "parity": [
        {
            "part": "similarity", "source": "predicted", "n": 1, "mean_error": 0.1, "mean_absolute_error": 0.1,
            "covered": {"hits": 1, "n": 1, "rate": 1.0, "low": 0.21, "high": 1.0}, "pairs": [PAIR],
        }
    ],
    "expected_hits": {"expected": 0.54, "found": 0, "n": 1},
    "acceleration": [
        {
            "baseline": "random", "hits": 3, "evaluations": 24, "baseline_hits": 0, "baseline_n": 40, "needed": None,
            "factor": None, "low": 1.26, "high": None,
        }
    ],
    "losses": [
        {"stage": "hull", "rejected": 4, "predicted": 3, "expected_hits": 1.25},
        {"stage": "choice", "rejected": 0, "predicted": 0, "expected_hits": None},
    ],
    "worst_stage": "hull",
    "known_hits": {"n": 5, "found_again": 2, "rejected": {"geometry": 1}, "not_proposed": 2},
}  # fmt: skip
EMPTY = {
    "parity": [], "expected_hits": None, "acceleration": [], "losses": [], "worst_stage": None, "known_hits": None,
}  # fmt: skip


def test_all_is_said() -> None:
    predicted, baselines, lost = tables({"insight": FULL})
    assert list(predicted.rows[0].values()) == [
        "predicted similarity",
        "1",
        "+0.100",
        "0.100",
        "1 of 1: 1.00 (0.21 to 1.00)",
    ]
    assert predicted.remark == "Of 1 evaluated, 0.5 hits were expected and 0 were found."
    assert baselines.rows[0]["interval"] == "1.3 to any"
    assert [row["expected"] for row in lost.rows] == ["1.25", "–"]
    assert lost.remark == (
        "Most were lost at: hull. Of the hits that the library knows in this space, 5 in all, 2 were proposed again "
        "and recognised, 1 rejected by geometry before that, 2 never proposed."
    )


def test_every_row_has_every_column() -> None:
    for table in tables({"insight": FULL}):
        assert all(set(row) == set(table.columns) for row in table.rows)


def test_a_campaign_that_has_nothing_says_so() -> None:
    assert [(table.rows, table.remark) for table in tables({"insight": EMPTY})] == [
        ([], "No probability of a hit was predicted."),
        ([], "Neither this campaign nor a baseline has a hit to compare."),
        ([], ""),
    ]
