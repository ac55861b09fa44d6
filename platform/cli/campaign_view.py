"""The report of a campaign as tables for people; its data is the summary of `platform.campaign`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from rich.panel import Panel

from fermiloop.platform.cli.output import Listing, cell

if TYPE_CHECKING:
    from rich.console import RenderableType

ROUND_COLUMNS: Final = {
    "number": "round", "proposed": "proposed", "unique": "unique", "novel": "novel", "passed": "passed",
    "selected": "selected", "evaluated": "evaluated", "failed": "failed", "ingested": "ingested",
    "best_score": "best score", "hits": "hits", "rate": "hit rate (95 %)",
}  # fmt: skip
TALLY_COLUMNS: Final = {"round": "round", "stage": "stage", "n_in": "in", "n_out": "out", "reasons": "why not",
                        "core_seconds": "core s"}  # fmt: skip


def headline(summary: Mapping[str, Any]) -> Panel:
    """Name, state, cost and the best candidate."""
    best = summary.get("best") or {}
    spent = f"{cell(summary['failures'])} failed, {cell(summary['core_seconds'])} core-seconds"
    lines = [f"state {cell(summary['state'])}", f"{cell(summary['evaluations'])} evaluations, {spent}"]
    if best:
        lines.append(
            f"best {cell(best.get('formula'))} ({cell(best.get('candidate'))}), score {cell(best.get('score'))}"
        )
    return Panel("\n".join(lines), title=f"campaign {cell(summary['name'])}", title_align="left", expand=False)


def line(summary: Mapping[str, Any]) -> str:
    """The state of a campaign in one line."""
    best = summary.get("best") or {}
    found = f"; best {best.get('formula')} with score {best.get('score', 0.0):.3f}" if best else ""
    done = f"{summary['evaluations']} evaluated, {summary['failures']} failed"
    return f"{summary['name']}: {summary['state']}, round {len(summary['rounds'])}, {done}{found}"


def rounds(summary: Mapping[str, Any]) -> RenderableType:
    """One row a round."""
    rows = [{**row, "rate": _rate(row)} for row in summary["rounds"]]
    return Listing("Rounds", ROUND_COLUMNS, rows).table()


def funnel(summary: Mapping[str, Any]) -> RenderableType:
    """One row a stage of every round."""
    rows = [{**tally, "round": row["number"]} for row in summary["rounds"] for tally in (row.get("funnel") or ())]
    return Listing("Funnel", TALLY_COLUMNS, rows).table()


def baseline(summary: Mapping[str, Any]) -> RenderableType:
    """What the cheap baseline did with the same budget."""
    rows = [{"name": name, "value": value} for name, value in (summary.get("baseline") or {}).items()]
    return Listing("Baseline", {"name": "", "value": ""}, rows).table()


def report(summary: Mapping[str, Any]) -> Sequence[RenderableType]:
    """All of it."""
    return [headline(summary), rounds(summary), funnel(summary), baseline(summary)]


def _rate(row: Mapping[str, Any]) -> str:
    if row.get("hit_rate") is None:
        return "-"
    return f"{cell(row['hit_rate'])} ({cell(row.get('hit_low'))} to {cell(row.get('hit_high'))})"
