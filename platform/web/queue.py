"""Workers and queue: who listens, what runs since when, what waits, by campaign."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dash import Dash, Input, Output, dcc, html
from dash.development.base_component import Component

from fermiloop.platform.app import queue
from fermiloop.platform.web.calculation import step_row
from fermiloop.platform.web.guard import ask
from fermiloop.platform.web.parts import Cell, ago, heading, link, notice, section, table
from fermiloop.platform.web.site import Page, Site

if TYPE_CHECKING:
    from fermiloop.flows.queue.watching import QueueStep

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
            html.Div(live(), id="queue-live"),
            dcc.Interval(id="queue-clock", interval=EVERY),
        ]
    )


def live() -> list[Component]:
    """All that changes."""
    rows = queue.steps()
    running = [one for one in rows if one.state in ("RUNNING", "RESERVED")]
    caption = f"{len(running)} steps run" + (f", the first {MOST_ROWS}" if len(running) > MOST_ROWS else "")
    waiting = [one for one in rows if one.state in ("READY", "WAITING")]
    by_campaign = waiting_by_campaign(waiting)
    return [
        section("Workers", listeners()),
        section("Runs", table(caption, RUNS, [_row(one) for one in running[:MOST_ROWS]])),
        section("Waits", table(f"{len(waiting)} steps wait, by campaign", WAITS, by_campaign)),
    ]


def listeners() -> Component:
    """Who listens; what to type where nobody does."""
    rows = [
        {
            "worker": f"{one.host}, process {one.pid}",
            "doing": one.doing,
            "since": ago(one.since),
            "last": ago(one.last),
        }
        for one in queue.listeners()
    ]
    return table(queue.sentence(len(rows)).rstrip("."), LISTEN, rows) if rows else notice(NOBODY)


def waiting_by_campaign(rows: list[QueueStep]) -> list[dict[str, Cell]]:
    """Steps that wait, counted by campaign: those that a worker may take, and those that wait for others."""
    found: dict[str, list[QueueStep]] = {}
    for one in rows:
        found.setdefault(one.campaign or "", []).append(one)
    return [
        {
            "campaign": link(name, "campaign", name) if name else "none",
            "ready": sum(one.state == "READY" for one in own),
            "held": sum(one.state == "WAITING" for one in own),
            "since": ago(min((one.since for one in own if one.since), default=None)),
        }
        for name, own in sorted(found.items())
    ]


def register(app: Dash, site: Site) -> None:  # noqa: ARG001  (the signature of all)
    """Callbacks."""

    @app.callback(
        Output("queue-live", "children"), Input("queue-clock", "n_intervals"),
        running=[(Output("queue-clock", "disabled"), True, False)], prevent_initial_call=True,
    )  # fmt: skip
    def _look(_: object) -> object:
        return ask(live, lambda why: [notice(why, "bad")])


def _row(one: QueueStep) -> dict[str, Cell]:
    campaign, run = one.campaign or "", one.calculation or ""
    return {
        **step_row(one),
        "campaign": link(campaign, "campaign", campaign) if campaign else None,
        "calculation": link("open", "calculation", run) if run else None,
    }


PAGE = Page("Queue", layout, register)
