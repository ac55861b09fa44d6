"""Workers and queue: who listens, what runs since when, what waits, by campaign."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from dash import Dash, Input, Output, dcc, html
from dash.development.base_component import Component

from fermiloop.platform.web.actions import Page, Site
from fermiloop.platform.web.calculation import step_row
from fermiloop.platform.web.guard import ask
from fermiloop.platform.web.parts import Cell, ago, heading, link, notice, section, table

EVERY: Final = 10_000  # ms between looks
MOST_ROWS: Final = 100
RUNS: Final = {
    "name": "Step",
    "campaign": "Campaign",
    "worker": "Worker",
    "since": "Since",
    "calculation": "Calculation",
}
WAITS: Final = {"campaign": "Campaign", "ready": "Ready", "held": "After others", "since": "Oldest"}
LISTEN: Final = {"worker": "Worker", "doing": "Does", "since": "Since", "last": "Last activity"}
NOBODY: Final = "No worker listens: type fermiloop worker run where the engines are installed."


def layout(site: Site, rest: str) -> Component:  # noqa: ARG001  (the signature of all pages)
    """The whole page."""
    return html.Div(
        [
            heading("Workers and queue", "Who computes, and what waits for it."),
            html.Div(live(site), id="queue-live"),
            dcc.Interval(id="queue-clock", interval=EVERY),
        ]
    )


def live(site: Site) -> list[Component]:
    """All that changes."""
    shown = [section("Workers", listeners(site))]
    if site.actions.queue is None:
        return [*shown, section("Queue", notice("This server was started without a look into the queue."))]
    rows = list(site.actions.queue())
    running = [one for one in rows if str(one.get("state")) in ("RUNNING", "RESERVED")]
    caption = f"{len(running)} steps run" + (f", the first {MOST_ROWS}" if len(running) > MOST_ROWS else "")
    waiting = [one for one in rows if str(one.get("state")) in ("READY", "WAITING")]
    by_campaign = waiting_by_campaign(waiting)
    return [
        *shown,
        section("Runs", table(caption, RUNS, [_row(one) for one in running[:MOST_ROWS]])),
        section("Waits", table(f"{len(waiting)} steps wait, by campaign", WAITS, by_campaign)),
    ]


def listeners(site: Site) -> Component:
    """Who listens; what to type where nobody does."""
    rows = [
        {
            "worker": f"{one.get('host')}, process {one.get('pid')}",
            "doing": one.get("doing"),
            "since": ago(one.get("since")),
            "last": ago(one.get("last")),
        }
        for one in site.actions.workers()
    ]
    return table(f"{len(rows)} workers listen", LISTEN, rows) if rows else notice(NOBODY)


def waiting_by_campaign(rows: list[Mapping[str, Any]]) -> list[dict[str, Cell]]:
    """Steps that wait, counted by campaign: those that a worker may take, and those that wait for others."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for one in rows:
        found.setdefault(str(one.get("campaign") or ""), []).append(one)
    return [
        {
            "campaign": link(name, "campaign", name) if name else "none",
            "ready": sum(one["state"] == "READY" for one in own),
            "held": sum(one["state"] == "WAITING" for one in own),
            "since": ago(min((one["since"] for one in own if one.get("since")), default=None)),
        }
        for name, own in sorted(found.items())
    ]


def register(app: Dash, site: Site) -> None:
    """Callbacks."""

    @app.callback(
        Output("queue-live", "children"), Input("queue-clock", "n_intervals"),
        running=[(Output("queue-clock", "disabled"), True, False)], prevent_initial_call=True,
    )  # fmt: skip
    def _look(_: Any) -> Any:
        return ask(lambda: live(site), lambda why: [notice(why, "bad")])


def _row(one: Mapping[str, Any]) -> dict[str, Any]:
    campaign, run = str(one.get("campaign") or ""), str(one.get("calculation") or "")
    return {
        **step_row(one),
        "campaign": link(campaign, "campaign", campaign) if campaign else None,
        "calculation": link("open", "calculation", run) if run else None,
    }


PAGE = Page("Queue", layout, register)
