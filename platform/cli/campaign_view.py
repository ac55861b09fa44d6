"""The report of a campaign as tables for people; its data is the summary of `platform.campaign.summary`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from rich.panel import Panel

from fermiloop.platform.campaign.cost import HOLDS
from fermiloop.platform.cli.output import Listing, cell
from fermiloop.platform.report.insight import tables

if TYPE_CHECKING:
    from rich.console import RenderableType

    from fermiloop.platform.campaign.reported import RunningRow, Status, Summary

ROUND_COLUMNS: Final = {
    "number": "round", "state": "state", "proposed": "proposed", "unique": "unique", "novel": "novel",
    "passed": "passed", "selected": "selected", "evaluated": "evaluated", "failed": "failed", "ingested": "ingested",
    "best_score": "best score", "rate": "hit rate (95 %)",
}  # fmt: skip
TALLY_COLUMNS: Final = {
    "round": "round", "stage": "stage", "n_in": "in", "n_out": "out", "reasons": "why not", "core_seconds": "core s",
}  # fmt: skip
EVALUATED_COLUMNS: Final = {
    "formula": "formula", "candidate": "candidate", "generator": "generator", "round": "round", "state": "state",
    "score": "computed score", "hit": "hit", "missed": "why it is none",
    "energy_above_hull": "computed energy above hull (eV/atom)", "core_seconds": "core s",
    "failed_reason": "why it failed",
}  # fmt: skip
EARNED_COLUMNS: Final = {
    "generator": "generator", "evaluations": "evaluations", "share": "share of all", "hits": "hits",
    "rate": "hit rate (95 %)",
}  # fmt: skip
RATE_COLUMNS: Final = {"name": "", "hits": "hits", "n": "of", "rate": "hit rate (95 %)"}


RUNNING_COLUMNS: Final = {
    "formula": "formula", "progress": "how far", "seconds": "for (s)", "worker": "worker", "calculation": "calculation",
}  # fmt: skip


def line(summary: Summary) -> str:
    """The state of a campaign in one line."""
    best = summary["best"]
    found = f"; best {best['formula']} with score {best['score']:.3f}" if best else ""
    reason = f" ({summary['reason']})" if summary["reason"] else ""
    done = f"{summary['evaluations']} evaluated, {summary['failures']} failed"
    return f"{summary['name']}: {summary['state']}{reason}, round {len(summary['rounds'])}, {done}{found}"


def headline(summary: Summary) -> Panel:
    """Name, state, cost and the best candidate."""
    reason = f": {cell(summary['reason'])}" if summary["reason"] else ""
    parts = ", ".join(f"{step} {seconds:.0f}" for step, seconds in summary["spent"].items())
    spent = f"{cell(summary['failures'])} failed, {summary['core_seconds']:.0f} core-seconds of {HOLDS} ({parts})"
    lines = [f"{cell(summary['state'])}{reason}", f"{cell(summary['evaluations'])} evaluations, {spent}"]
    cost = summary["cost_per_hit"]
    if cost["core_seconds"] is not None:
        lines.append(f"a hit cost {cost['evaluations']:.3g} evaluations and {cost['core_seconds']:.0f} core-seconds")
    if summary["target"]["hit"]:
        lines.append(f"hit: {cell(summary['target']['hit'])}")
    if summary["target"]["hit_remark"]:
        lines.append(cell(summary["target"]["hit_remark"]))
    best = summary["best"]
    if best:
        lines.append(f"best {cell(best['formula'])} ({cell(best['candidate'])}), score {cell(best['score'])}")
    return Panel("\n".join(lines), title=f"campaign {cell(summary['name'])}", title_align="left", expand=False)


def rounds(summary: Summary) -> RenderableType:
    """One row a round."""
    rows = [{**row, "rate": _rate(row["hit_rate"], row["hit_low"], row["hit_high"])} for row in summary["rounds"]]
    return Listing("Rounds", ROUND_COLUMNS, rows).table()


def running(summary: Status) -> Sequence[RenderableType]:
    """One row an evaluation that runs; nothing where none does."""
    rows = summary["running"]
    return [Listing("Running", RUNNING_COLUMNS, rows).table()] if rows else []


def run(row: RunningRow) -> str:
    """One evaluation that runs, in a line."""
    age = "" if row["seconds"] is None else f"{row['seconds']:.0f} s on "
    return f"{row['formula']}: {row['progress'] or 'runs'}, {age}{row['worker']}"


def funnel(summary: Summary) -> RenderableType:
    """One row a stage of every round."""
    rows = [{**tally, "round": row["number"]} for row in summary["rounds"] for tally in row["funnel"]]
    return Listing("Funnel", TALLY_COLUMNS, rows).table()


def evaluated(summary: Summary) -> RenderableType:
    """One row a candidate that was computed."""
    rows = [{**row, "missed": "; ".join(row["missed"])} for row in summary["evaluated"]]
    return Listing("Evaluated", EVALUATED_COLUMNS, rows).table()


def rates(summary: Summary) -> RenderableType:
    """Hits of the campaign beside those of the cheap baselines."""
    found, random, substitution = summary["hits"], summary["baseline"]["random"], summary["baseline"]["substitution"]
    named = {"this campaign": found, "random": random, "substitution": substitution}
    rows = [{**one, "name": name, "rate": _rate(one["rate"], one["low"], one["high"])}
            for name, one in named.items()]  # fmt: skip
    return Listing("Hits beside the baselines", RATE_COLUMNS, rows).table()


def earned(summary: Summary) -> RenderableType:
    """Who was given the budget, and what came of it."""
    rows = [{**row, "rate": _rate(row["rate"], row["low"], row["high"])} for row in summary["earned"]]
    return Listing("Evaluations by generator", EARNED_COLUMNS, rows).table()


def report(summary: Summary) -> Sequence[RenderableType]:
    """All of it."""
    known = [headline(summary), rounds(summary), funnel(summary), evaluated(summary), rates(summary), earned(summary)]
    return [*known, *insight(summary)]


def insight(summary: Summary) -> Sequence[RenderableType]:
    """Predictions, baselines and losses."""
    shown: list[RenderableType] = []
    for one in tables(summary):
        shown += [Listing(one.title, one.columns, one.rows).table()] if one.rows else []
        shown += [one.remark] if one.remark else []
    return shown


def _rate(rate: float | None, low: float | None, high: float | None) -> str:
    return "-" if rate is None else f"{cell(rate)} ({cell(low)} to {cell(high)})"
