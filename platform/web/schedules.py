"""Schedules of retraining: what is due when, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from dash import html
from dash.development.base_component import Component

from fermiloop.platform.web.actions import Page, Site
from fermiloop.platform.web.parts import ago, badge, heading, in_utc, link, notice, section, table

COLUMNS: Final = {
    "name": "Name", "generator": "Generator", "trigger": "When", "active": "State", "next_look_at": "Due next",
}  # fmt: skip
RUNS: Final = {
    "schedule": "Schedule", "reason": "Why", "state": "State", "told": "What came of it",
    "checkpoint": "Challenger", "started_at": "Begun",
}  # fmt: skip


def layout(site: Site, rest: str) -> Component:
    """All schedules and their newest firings; those of one where it is named."""
    head = heading(rest or "Schedules", "Retraining by calendar, by new data, or after each round.")
    if site.actions.schedules is None or site.actions.history is None:
        return html.Div([head, notice("This server was started without schedules, so it shows none.")])
    known = [row for row in site.actions.schedules() if rest in ("", row.get("name"))]
    runs = site.actions.history(rest)
    return html.Div(
        [
            head,
            section("Schedules", table(f"{len(known)} schedules", COLUMNS, [_schedule(row) for row in known])),
            section("History", table(f"{len(runs)} firings, newest first", RUNS, [_run(row) for row in runs])),
        ]
    )


def _schedule(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": link(str(row["name"]), "schedules", str(row["name"])),
        "generator": link(str(row["generator"]), "generators", str(row["generator"])),
        "trigger": f"{row.get('trigger')}: {row.get('value')}",
        "active": badge("running" if row.get("active") else "paused"),
        "next_look_at": _moment(row.get("next_look_at")),
    }


def _run(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "schedule": str(row.get("schedule") or ""),
        "reason": str(row.get("reason") or ""),
        "state": badge(str(row.get("state") or "")),
        "told": str(row.get("told") or ""),
        "checkpoint": str(row.get("checkpoint") or ""),
        "started_at": ago(row["started_at"]) if isinstance(row.get("started_at"), datetime) else "–",
    }


def _moment(value: Any) -> str:
    return in_utc(value).strftime("%Y-%m-%d %H:%M UTC") if isinstance(value, datetime) else "–"


PAGE = Page("Schedules", layout)
