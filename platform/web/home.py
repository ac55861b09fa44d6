"""The first page: every campaign at a glance, and what wants attention."""

from __future__ import annotations

import base64
import binascii

from dash import ALL, Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from fermiloop.platform.app import calculations, campaigns, queue
from fermiloop.platform.app.campaigns import Launched
from fermiloop.platform.campaign import cost
from fermiloop.platform.campaign.counting import Share
from fermiloop.platform.store import glance
from fermiloop.platform.web.guard import ask, text
from fermiloop.platform.web.parts import (
    ago,
    badge,
    bar,
    heading,
    link,
    notice,
    section,
    share,
    table,
    to_candidate,
)  # fmt: skip
from fermiloop.platform.web.site import Page, Site
from fermiloop.schemas.vocabulary import Role

EVERY = 10_000  # ms between looks
MOST_ROWS = 50  # campaigns
MOST_TEXT = 1_000_000  # characters of a campaign file
COLUMNS = {
    "name": "Campaign", "state": "State", "hits": "Hits (95 % interval)", "budget": "Budget",
    "cost": f"Core-hours of {cost.HOLDS}", "jobs": "Jobs",
    "last": "Last activity",
}  # fmt: skip
JOB_COLUMNS = {
    "id": "Calculation",
    "formula": "Candidate",
    "campaign": "Campaign",
    "what": "What",
    "error": "Why",
    "act": "Action",
}


def layout(site: Site, rest: str) -> Component:  # noqa: ARG001  (the signature of all pages)
    """The whole page."""
    return html.Div(
        [
            heading("Campaigns"),
            html.Div(glances(), id="glances"),
            html.P(link("New campaign", "new", kind="button")),
            html.Div(id="job-note"),
            dcc.Interval(id="glance-clock", interval=EVERY),
        ]
    )


def glances() -> list[Component]:
    """Campaigns and what wants attention."""
    rows, jobs = campaigns.glances(MOST_ROWS), calculations.attention()
    shown = table(f"{len(rows)} campaigns, newest first", COLUMNS, [_row(one) for one in rows])
    first = [] if rows else [html.P("No campaign yet: start a new one.")]
    return [section("At a glance", *first, shown), attention(jobs)]


def attention(jobs: list[glance.Job]) -> Component:
    """Failed and stuck calculations, with what can be done about them."""
    if not jobs:
        return section("Wants attention", notice("Nothing: no failed and no stuck calculation.", "good"))
    return section("Wants attention", table(f"{len(jobs)} calculations", JOB_COLUMNS, [_job(one) for one in jobs]))


def launch(site: Site, given: object, token: object) -> Component:
    """Launch the campaign of a text; a link to it, or what is wrong in one sentence."""
    refused = site.authorise(text(token) or None, Role.LAUNCH)
    if refused:
        return notice(refused, "bad")
    if not isinstance(given, str) or not text(given):
        return notice("The box is empty; paste a campaign file into it, or take one from a file.", "bad")
    if len(given) > MOST_TEXT:
        return notice(f"The campaign file has {len(given)} characters; {MOST_TEXT} are the most.", "bad")
    made = ask(lambda: _enqueue(given), lambda why: notice(why, "bad"))
    if isinstance(made, Component):
        return made
    launched, heard = made
    told = [link(launched.name, "campaign", launched.name), ". ", launched.sentence(heard)]
    kind = "good" if heard else "info"
    return html.P(["Launched: " if launched.fresh else "", *told], className=f"notice {kind}", role="status")


def _enqueue(given: str) -> tuple[Launched, int]:
    return campaigns.enqueue(campaigns.parse(given)), len(queue.listeners())


def act_on(site: Site, what: str, calculation: str, token: object) -> Component:
    """Rerun or ignore a calculation; what became of it."""
    refused = site.authorise(text(token) or None, Role.LAUNCH)
    if refused:
        return notice(refused, "bad")
    call = calculations.rerun if what == "rerun" else calculations.ignore
    done = ask(lambda: call([calculation]), lambda why: notice(why, "bad"))
    if isinstance(done, Component):
        return done
    word = "queued again" if what == "rerun" else "set aside"
    return notice(f"{done} calculation {word}: {calculation}.", "good")


def uploaded(contents: object) -> str | None:
    """Text of an uploaded file; None where it is none."""
    try:
        return base64.b64decode(text(contents).partition(",")[2], validate=True).decode("utf-8-sig")
    except (binascii.Error, ValueError):
        return None


def register(app: Dash, site: Site) -> None:
    """Callbacks."""

    @app.callback(
        Output("glances", "children"), Input("glance-clock", "n_intervals"),
        running=[(Output("glance-clock", "disabled"), True, False)], prevent_initial_call=True,
    )  # fmt: skip
    def _look(_: object) -> object:
        return ask(glances, lambda why: [notice(why, "bad")])

    @app.callback(
        Output("job-note", "children"), Output("glances", "children", allow_duplicate=True),
        Input({"type": "job", "what": ALL, "id": ALL}, "n_clicks"), State("token", "data"), prevent_initial_call=True,
    )  # fmt: skip
    def _act(clicks: list[object], token: object) -> object:
        asked = ctx.triggered_id
        if not asked or not any(clicks) or asked.get("what") not in ("rerun", "ignore"):
            return no_update, no_update
        note = act_on(site, asked["what"], text(asked.get("id")), token)
        return note, ask(glances, lambda why: [notice(why, "bad")])


def _row(one: glance.CampaignGlance) -> dict[str, object]:
    used = one.evaluated + one.failed
    budget = f" of {one.core_hours:g}" if one.core_hours else ""
    hours = f"{one.core_seconds / 3600:.3f}{budget}"
    spent = f"{used} of {one.evaluations} evaluations, round {one.closed_rounds} of {one.rounds}"
    hits = Share(one.hits, one.evaluated).as_dict()
    failed = html.Strong(f"{one.failed} failed", className="danger") if one.failed else "0 failed"
    return {
        "name": link(one.name, "campaign", one.name),
        "state": html.Span([badge(one.state), html.Small(f" {one.reason}" if one.reason else "")]),
        "budget": bar(used, one.evaluations, spent),
        "cost": html.Span([hours, html.Br(), html.Small(cost.parts(one.spent))]),
        "hits": html.Span(
            f"{one.hits} of {one.evaluated}: {share(hits['rate'], hits['low'], hits['high'])}",
            className="hit" if one.hits else "",
        )
        if one.evaluated
        else "none evaluated",
        "jobs": html.Span([f"{one.waiting} open, ", failed]),
        "last": ago(one.last),
    }


def _job(one: glance.Job) -> dict[str, object]:
    buttons = [
        html.Button(
            word, id={"type": "job", "what": what, "id": one.id}, n_clicks=0, className="small",
            **{"aria-label": f"{word} {one.id}"},
        )
        for what, word in (("rerun", "Rerun"), ("ignore", "Ignore"))
    ]  # fmt: skip
    stuck = one.state == "running"
    return {
        "formula": to_candidate(one.candidate) if one.candidate else None,
        "id": link(one.id, "calculation", one.id),
        "campaign": link(one.campaign, "campaign", one.campaign) if one.campaign else None,
        "what": html.Strong(f"{'stuck' if stuck else one.state}, {ago(one.since)}", className="danger"),
        "error": html.Span(one.error[:300], className="danger"),
        "act": html.Small("fermiloop reconcile takes it up again") if stuck else html.Div(buttons, className="row"),
    }


PAGE = Page("Campaigns", layout, register)
