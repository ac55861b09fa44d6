"""What came of the study: its records without curves, a table of arms and rounds, and that table as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from fermiloop.platform.campaign.acceleration import acceleration
from fermiloop.platform.campaign.counting import Share

STABLE_WITHIN: Final = 0.1  # eV/atom above the hull, by the engine
BASELINE: Final = "random_pick"
LEFT_OUT: Final = ("curves", "hull", "best", "target", "running")  # curves and crystals, of the report
KEPT: Final = (
    "id", "formula", "round", "generator", "preset", "stage", "reason", "potential_energy_above_hull",
    "predicted_similarity", "predicted_similarity_std", "predicted_score", "predicted_score_std",
    "predicted_probability", "computed_similarity", "computed_energy_above_hull", "computed_formation_energy_per_atom",
)  # fmt: skip
NONE: Final = "–"


def small(report: Mapping[str, Any], candidates: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The records of an arm without curves and crystals."""
    seconds = {one["candidate"]: one["core_seconds"] for one in report["evaluated"]}
    rows = []
    for one in candidates:
        row = {name: one[name] for name in KEPT if one.get(name) is not None}
        rows.append(row | ({"core_seconds": round(seconds[one["id"]], 1)} if one["id"] in seconds else {}))
    return {"report": {name: part for name, part in report.items() if name not in LEFT_OUT}, "candidates": rows}


def table(arms: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The figures of all arms.

    Parameters
    ----------
    arms
        Name to records, as `small` gives them. An evaluated crystal is a hit where its curve is as similar as the
        campaign file asks and it lies at most `STABLE_WITHIN` above the hull, both as computed.
    """
    rows = {name: _arm(records) for name, records in arms.items()}
    compared = {}
    for name, row in rows.items():
        if name != BASELINE and BASELINE in rows:
            paid, theirs = _paid(row), _paid(rows[BASELINE])
            compared[name] = acceleration(paid, theirs)
    return {"stable_within": STABLE_WITHIN, "arms": rows, f"against_{BASELINE}": compared}


def _arm(records: Mapping[str, Any]) -> dict[str, Any]:
    report = records["report"]
    level = report["spec"]["target"]["hit_similarity"]
    ended = sorted(
        (one for one in records["candidates"] if one["stage"] in ("evaluated", "failed") and "core_seconds" in one),
        key=lambda one: (one["round"], one["id"]),
    )
    done = [one for one in ended if one["stage"] == "evaluated"]
    hits = [is_hit(one, level) for one in done]
    numbers = sorted({one["round"] for one in ended})
    return {
        "state": report["state"],
        "evaluations": len(ended),
        "failed": len(ended) - len(done),
        "similar": Share(sum(similarity(one) >= level for one in done), len(done)).as_dict(),
        "hits": Share(sum(hits), len(done)).as_dict(),
        "best_similarity": max(map(similarity, done), default=None),
        "best_stable_similarity": max((similarity(one) for one in done if is_stable(one)), default=None),
        "core_seconds": {"evaluations": sum(one["core_seconds"] for one in ended), "all": report["core_seconds"]},
        "rounds": [_round(number, ended, level) for number in numbers],
        "parity": _without_pairs(report.get("insight")),
    }


def _round(number: int, ended: Sequence[Mapping[str, Any]], level: float) -> dict[str, Any]:
    done = [one for one in ended if one["round"] == number and one["stage"] == "evaluated"]
    so_far = [one for one in ended if one["round"] <= number and one["stage"] == "evaluated"]
    return {
        "number": number,
        "evaluations": sum(one["round"] == number for one in ended),
        "hits": Share(sum(is_hit(one, level) for one in done), len(done)).as_dict(),
        "best_so_far": max(map(similarity, so_far), default=None),
        "best_stable_so_far": max((similarity(one) for one in so_far if is_stable(one)), default=None),
    }


def similarity(one: Mapping[str, Any]) -> float:
    """Of the computed curve to the target's."""
    return float(one.get("computed_similarity", 0.0))


def is_stable(one: Mapping[str, Any]) -> bool:
    """Whether the computed energy lies near enough to the hull; an unknown one does not."""
    above = one.get("computed_energy_above_hull")
    return above is not None and above <= STABLE_WITHIN


def is_hit(one: Mapping[str, Any], level: float) -> bool:
    """Whether an evaluated candidate is what the study looks for."""
    return similarity(one) >= level and is_stable(one)


def _paid(row: Mapping[str, Any]) -> tuple[int, int]:
    return row["hits"]["hits"], row["evaluations"]


def _without_pairs(insight: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    return [{key: value for key, value in row.items() if key != "pairs"} for row in (insight or {}).get("parity", [])]


def markdown(found: Mapping[str, Any]) -> str:
    """The table for reading."""
    head = (
        "arm", "evaluations (failed)", "cosine ≥ level", "hits: and stable", "hit rate (95 %)", "best cosine",
        "best stable", "core-seconds", f"times {BASELINE} (95 %)",
    )  # fmt: skip
    compared = found[f"against_{BASELINE}"]
    arms = [
        (
            f"`{name}`", f"{row['evaluations']} ({row['failed']})", str(row["similar"]["hits"]),
            str(row["hits"]["hits"]), _share(row["hits"]), _number(row["best_similarity"]),
            _number(row["best_stable_similarity"]), f"{row['core_seconds']['evaluations']:.0f}",
            _factor(compared.get(name)),
        )
        for name, row in found["arms"].items()
    ]  # fmt: skip
    rounds = [
        (
            f"`{name}`", str(one["number"]), str(one["evaluations"]), str(one["hits"]["hits"]), _share(one["hits"]),
            _number(one["best_so_far"]), _number(one["best_stable_so_far"]),
        )
        for name, row in found["arms"].items() for one in row["rounds"]
    ]  # fmt: skip
    by_round = ("arm", "round", "evaluations", "hits", "hit rate (95 %)", "best cosine so far", "best stable so far")
    predicted = [
        (
            f"`{name}`", part["part"], part["source"], str(part["n"]), f"{part['mean_error']:+.3f}",
            f"{part['mean_absolute_error']:.3f}", _share(part["covered"]),
        )
        for name, row in found["arms"].items() for part in row["parity"]
    ]  # fmt: skip
    parts = ("arm", "value", "by", "n", "mean error", "mean absolute error", "within the 90 % interval (95 %)")
    return "\n\n".join(_lines(*one) for one in ((head, arms), (by_round, rounds), (parts, predicted)) if one[1]) + "\n"


def _lines(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))


def _number(value: float | None) -> str:
    return NONE if value is None else f"{value:.3f}"


def _share(one: Mapping[str, Any] | None) -> str:
    if one is None or one["rate"] is None:
        return NONE
    return f"{one['hits']}/{one['n']} = {one['rate']:.2f} ({one['low']:.2f} to {one['high']:.2f})"


def _factor(row: Mapping[str, Any] | None) -> str:
    if row is None:
        return NONE
    ends = f"{row['low']:.2g} to {'any' if row['high'] is None else format(row['high'], '.2g')}"
    return f"{NONE if row['factor'] is None else format(row['factor'], '.1f')} ({ends})"
