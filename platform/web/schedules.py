"""Schedules of retraining: what is due when, and what came of it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from dash import html
from dash.development.base_component import Component

from fermiloop.platform.app import schedules
from fermiloop.platform.web.parts import Cell, ago, badge, heading, in_utc, link, section, table
from fermiloop.platform.web.site import Page, Site
from fermiloop.schemas.schedule import Schedule, ScheduleRun

COLUMNS: Final = {
    "name": "Name", "generator": "Generator", "trigger": "When", "active": "State", "next_look_at": "Due next",
}  # fmt: skip
RUNS: Final = {
    "schedule": "Schedule", "reason": "Why", "state": "State", "told": "What came of it",
    "checkpoint": "Challenger", "started_at": "Begun",
}  # fmt: skip


def layout(site: Site, rest: str) -> Component:  # noqa: ARG001  (the signature of all pages)
    """All schedules and their newest firings; those of one where it is named."""
    head = heading(rest or "Schedules", "Retraining by calendar, by new data, or after each round.")
    known = [one for one in schedules.find() if rest in ("", one.id)]
    runs = schedules.history(rest or None)
    return html.Div(
        [
            head,
            section("Schedules", table(f"{len(known)} schedules", COLUMNS, [_schedule(row) for row in known])),
            section("History", table(f"{len(runs)} firings, newest first", RUNS, [_run(row) for row in runs])),
        ]
    )


def _schedule(one: Schedule) -> dict[str, Cell]:
    return {
        "name": link(one.id, "schedules", one.id),
        "generator": link(one.generator, "generators", one.generator),
        "trigger": f"{one.trigger}: {one.value}",
        "active": badge("running" if one.active else "paused"),
        "next_look_at": _moment(one.next_look_at),
    }


def _run(one: ScheduleRun) -> dict[str, Cell]:
    return {
        "schedule": one.schedule,
        "reason": one.reason or "",
        "state": badge(str(one.state)),
        "told": one.told or "",
        "checkpoint": one.checkpoint or "",
        "started_at": ago(one.started_at),
    }


def _moment(value: datetime | None) -> str:
    return "–" if value is None else in_utc(value).strftime("%Y-%m-%d %H:%M UTC")


PAGE = Page("Schedules", layout)
