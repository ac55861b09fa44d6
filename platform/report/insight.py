"""The insight of a summary as three tables of plain text; the terminal, the page and the pages all show these."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from fermiloop.platform.campaign.losses import CHOICE, ENGINE
from fermiloop.schemas.scores import SCORES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fermiloop.platform.campaign.reported import ExpectedHits, Insight, Rate, Summary

NONE: Final = "–"
BASELINES: Final = {
    "random": "random pick from the library",
    "random_pick": "random_pick, evaluated here",
    "substitution": "substitution, evaluated here",
}
STAGES: Final = {CHOICE: "passed and not chosen", ENGINE: "refused by the engine or failed"}


@dataclass(frozen=True)
class Table:
    """Rows of text under headings by key, and what is to be said of them all; the first column names the row."""

    title: str
    columns: Mapping[str, str]
    rows: Sequence[Mapping[str, str]] = field(default_factory=list)
    remark: str = ""


def tables(summary: Summary) -> list[Table]:
    """Predicted against computed, the baselines, and where would-be hits were lost."""
    found = summary["insight"]
    return [_parity(found), _acceleration(found), _losses(found)]


def _parity(found: Insight) -> Table:
    rows = [
        {
            "part": SCORES[f"{row['source']}_{row['part']}"].heading,
            "n": str(row["n"]),
            "mean_error": f"{row['mean_error']:+.3f}",
            "mean_absolute_error": f"{row['mean_absolute_error']:.3f}",
            "covered": _share(row["covered"]),
        }
        for row in found["parity"]
    ]
    columns = {
        "part": "predicted", "n": "evaluated", "mean_error": "mean error", "mean_absolute_error": "mean absolute error",
        "covered": "within the 90 % interval",
    }  # fmt: skip
    return Table("Predicted against computed", columns, rows, _expected(found["expected_hits"]))


def _expected(hits: ExpectedHits | None) -> str:
    if hits is None:
        return "No probability of a hit was predicted."
    return f"Of {hits['n']} evaluated, {hits['expected']:.1f} hits were expected and {hits['found']} were found."


def _acceleration(found: Insight) -> Table:
    rows = [
        {
            "baseline": BASELINES[row["baseline"]],
            "rate": f"{row['baseline_hits']} of {row['baseline_n']}",
            "own": f"{row['hits']} of {row['evaluations']}",
            "needed": NONE if row["needed"] is None else f"{row['needed']:.0f}",
            "factor": NONE if row["factor"] is None else f"{row['factor']:.1f}",
            "interval": f"{row['low']:.2g} to {'any' if row['high'] is None else format(row['high'], '.2g')}",
        }
        for row in found["acceleration"]
    ]
    columns = {
        "baseline": "baseline", "rate": "its hits", "own": "hits here", "needed": "it would need",
        "factor": "times as many", "interval": "95 %",
    }  # fmt: skip
    remark = "" if rows else "Neither this campaign nor a baseline has a hit to compare."
    return Table("Evaluations that a baseline needs for as many hits", columns, rows, remark)


def _losses(found: Insight) -> Table:
    rows = [
        {
            "stage": STAGES.get(row["stage"], row["stage"]),
            "rejected": str(row["rejected"]),
            "expected": NONE if row["expected_hits"] is None else f"{row['expected_hits']:.2f}",
            "predicted": str(row["predicted"]),
        }
        for row in found["losses"]
    ]
    columns = {
        "stage": "stage", "rejected": "lost there", "expected": "would-be hits, as predicted",
        "predicted": "of so many",
    }  # fmt: skip
    return Table("Would-be hits, by where they were lost", columns, rows, f"{_worst(found)} {_known(found)}".strip())


def _worst(found: Insight) -> str:
    stage = found["worst_stage"]
    return f"Most were lost at: {STAGES.get(stage, stage)}." if stage else ""


def _known(found: Insight) -> str:
    known = found["known_hits"]
    if known is None:
        return ""
    rejected = "".join(f", {n} rejected by {stage} before that" for stage, n in known["rejected"].items())
    return (
        f"Of the hits that the library knows in this space, {known['n']} in all, {known['found_again']} were proposed "
        f"again and recognised{rejected}, {known['not_proposed']} never proposed."
    )


def _share(one: Rate | None) -> str:
    if one is None or one["rate"] is None:
        return NONE
    return f"{one['hits']} of {one['n']}: {one['rate']:.2f} ({one['low']:.2f} to {one['high']:.2f})"
