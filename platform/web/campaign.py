"""One campaign, live: what is drawn changes when the campaign does, and nothing is drawn again otherwise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from dash import Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from fermiloop.platform.app import calculations, campaigns, materials
from fermiloop.platform.campaign import cost
from fermiloop.platform.campaign.reported import Summary
from fermiloop.platform.report.insight import Table, tables
from fermiloop.platform.store.glance import Outcome
from fermiloop.platform.web import figures, home
from fermiloop.platform.web.guard import ask, text
from fermiloop.platform.web.parts import (
    ago,
    badge,
    bar,
    facts,
    graph,
    heading,
    hit,
    notice,
    number,
    section,
    share,
    table,
    to_candidate,
    to_material,
)  # fmt: skip
from fermiloop.platform.web.site import Page, Site
from fermiloop.platform.web.symmetry import group_of_material, with_group
from fermiloop.schemas.scores import SCORES
from fermiloop.schemas.vocabulary import LIVE_CAMPAIGNS, CampaignState, Role

if TYPE_CHECKING:
    from fermiloop.flows.queue.running import Running

EVERY: Final = 5_000  # ms between looks
MOST_BEST: Final = 25
BEST: Final = {
    "formula": "Candidate", "score": "Computed score", "predicted": "Predicted score",
    "probability": SCORES["predicted_probability"].title, "hit": "Hit", "missed": "Why it is none",
    "hull": SCORES["computed_energy_above_hull"].title,
    "potential": SCORES["potential_energy_above_hull"].title,
    "generator": "Generator", "round": "Round", "material": "Material",
}  # fmt: skip
EARNED: Final = {
    "name": "Generator",
    "spent": "Evaluations, failed ones too",
    "share": "Share of budget",
    "hits": "Hits (95 % interval)",
}
RUNNING: Final = {"formula": "Candidate", "progress": "How far", "since": "Began", "worker": "Worker"}
USABLE: Final = {
    "pause": {CampaignState.RUNNING},
    "resume": {CampaignState.PAUSED},
    "cancel": LIVE_CAMPAIGNS,
}
BUTTONS: Final = {"pause": "Pause", "resume": "Resume", "cancel": "Cancel the campaign"}


def layout(site: Site, rest: str) -> Component:
    """The page of the campaign of a name.

    Raises
    ------
    NotFoundError
        If there is no such campaign.
    """
    found = campaigns.get(rest)
    stamp, summary = site.summary(rest)
    return html.Div(
        [
            heading(rest),
            controls(found.state, is_broken=campaigns.broken_round(rest) is not None),
            html.Div(id="campaign-note"),
            html.Div(running(rest), id="campaign-running"),
            html.Div(live(rest, summary), id="live"),
            dcc.Store(id="campaign-stamp", data={"name": rest, "stamp": stamp}),
            dcc.Interval(id="campaign-clock", interval=EVERY),
        ]
    )


def controls(state: CampaignState, *, is_broken: bool = False) -> Component:
    """Buttons, those alone that can do something; the one that cannot be undone asks first."""
    hidden = unusable(state, is_broken=is_broken)
    pause, resume, cancel = (
        html.Button(word, id=f"campaign-{what}", n_clicks=0, className="plain", hidden=hidden[what])
        for what, word in BUTTONS.items()
    )
    message = "Cancel this campaign? Results are kept; it cannot be resumed."
    asked = dcc.ConfirmDialogProvider(cancel, id="campaign-cancel-sure", message=message)
    wait = dcc.Checklist(
        id="campaign-wait", options=[{"label": " let running evaluations finish when cancelling", "value": "wait"}],
        value=[],
    )  # fmt: skip
    manner = html.Div(wait, id="campaign-manner", hidden=hidden["cancel"])  # of a cancelling that there is no more
    return html.Div([pause, resume, asked, manner], className="row")


def running(name: str) -> Component:
    """Evaluations that run, and how far each has come."""
    rows = [
        {
            "formula": to_candidate(one.candidate, one.formula),
            "progress": one.progress.sentence or "runs",
            "since": ago(one.since),
            "worker": f"{one.worker}{', told to stop' * one.told}",
        }
        for one in campaigns.running(name)
    ]
    if not rows:
        return html.Div()
    return section("Running", table(f"{len(rows)} evaluations run", RUNNING, rows))


def unusable(state: CampaignState, *, is_broken: bool = False) -> dict[str, bool]:
    """Of each button, whether there is nothing for it to do in a state; what broke off in a round may be resumed."""
    hidden = {what: state not in states for what, states in USABLE.items()}
    return hidden | {"resume": False} if is_broken else hidden


def live(name: str, summary: Summary) -> list[Component]:
    """All that changes while the campaign runs."""
    outcomes, jobs = campaigns.outcomes(name), calculations.attention(name)
    target = summary["target"]
    shown: list[Component] = [_state(summary)]
    shown += [home.attention(jobs)] if jobs else []
    missed = {row["candidate"]: "; ".join(row["missed"]) for row in summary["evaluated"]}
    shown += [section("Best candidates", best(outcomes, missed))]
    if target["values"]:
        computed = {f"{row['formula']} ({number(row['score'])})": row["values"] for row in summary["curves"]}
        drawn = figures.curves(target["values"], computed, target["grid"], target["kind"], target.get("alignment"))
        shown.append(section("Target and computed", graph(drawn, f"Target {target['name']} and the best results.")))
    shown.append(_pictures(summary, outcomes))
    shown.append(section("Evaluations by generator", earned(summary)))
    shown += [insight(one) for one in tables(summary)]
    return shown


def insight(found: Table) -> Component:
    """One table of the report's insight with its remark."""
    parts = [table(found.title, found.columns, found.rows)] if found.rows else []
    return section(found.title, *parts, *([html.P(found.remark)] if found.remark else []))


def best(outcomes: list[Outcome], missed: Mapping[str, str]) -> Component:
    """The best results with links; `missed` says of each why it is no hit."""
    kept = materials.get_many(one.material for one in outcomes[:MOST_BEST] if one.material)
    rows = [
        {
            "formula": with_group(to_candidate(one.id, one.formula), group_of_material(kept.get(one.material or ""))),
            "score": number(one.scores.get("computed_score")),
            "hit": hit(one.scores.get("hit")),
            "hull": number(one.scores.get("computed_energy_above_hull")),
            "potential": number(one.scores.get("potential_energy_above_hull")),
            "missed": missed.get(one.id, ""),
            "predicted": number(one.scores.get("predicted_score")),
            "probability": number(one.scores.get("predicted_probability")),
            "generator": one.generator,
            "round": one.round,
            "material": to_material(one.material, "open"),
        }
        for one in outcomes[:MOST_BEST]
    ]
    return table(f"Best {len(rows)} of {len(outcomes)} results", BEST, rows)


def earned(summary: Summary) -> Component:
    """Evaluations and hits of each generator, as the report counts them."""
    rows = [
        {
            "name": row["generator"],
            "spent": row["evaluations"],
            "share": f"{100 * row['share']:.0f} %",
            "hits": f"{row['hits']} of {row['evaluations']}: {share(row['rate'], row['low'], row['high'])}",
        }
        for row in summary["earned"]
    ]
    return table("Evaluations by generator, most first", EARNED, rows)


def refreshed(site: Site, shown: object) -> tuple[object, object]:
    """New content and stamp, or no update where nothing has changed."""
    known = shown if isinstance(shown, dict) else {}
    name = text(known.get("name"))
    if not name or campaigns.stamp(name) == known.get("stamp"):
        return no_update, no_update
    stamp, summary = site.summary(name)
    return live(name, summary), {"name": name, "stamp": stamp}


def act(site: Site, what: str, shown: object, token: object, wait: object = None) -> Component:
    """Pause, resume or cancel; what became of it."""
    refused = site.authorise(text(token) or None, Role.LAUNCH)
    if refused:
        return notice(refused, "bad")
    name = text(shown.get("name")) if isinstance(shown, dict) else ""
    lets_finish = isinstance(wait, list) and "wait" in wait
    calls: dict[str, tuple[Callable[[str], list[Running] | None], str]] = {
        "pause": (campaigns.pause, "is paused: evaluations that have begun go on to their end"),
        "resume": (campaigns.resume, "goes on"),
        "cancel": (lambda one: campaigns.cancel(one, wait=lets_finish), "is cancelled; its results are kept"),
    }
    call, word = calls[what]
    failed = ask(lambda: call(name), lambda why: notice(why, "bad"))
    if isinstance(failed, Component):
        return failed
    still = ", ".join(f"{one.formula} on {one.worker}" for one in failed or ())
    told = f" Still running, {'and let finish' if lets_finish else 'told to stop'}: {still}." if still else ""
    return notice(f"{name} {word}.{told}", "good")


def register(app: Dash, site: Site) -> None:
    """Callbacks."""

    @app.callback(
        *(Output(f"campaign-{what}", "hidden") for what in (*BUTTONS, "manner")),
        Input("campaign-stamp", "data"), Input("campaign-note", "children"), prevent_initial_call=True,
    )  # fmt: skip
    def _buttons(shown: object, _: object) -> object:
        name = text(shown.get("name")) if isinstance(shown, dict) else ""
        hidden = ask(
            lambda: unusable(campaigns.get(name).state, is_broken=campaigns.broken_round(name) is not None),
            lambda _why: {},
        )
        return tuple(hidden.get(what, no_update) for what in (*BUTTONS, "cancel"))

    @app.callback(
        Output("live", "children"), Output("campaign-stamp", "data"),
        Input("campaign-clock", "n_intervals"), Input("campaign-note", "children"), State("campaign-stamp", "data"),
        # the clock waits for the answer: a later look would drop it, and a slow server would never show anything
        running=[(Output("campaign-clock", "disabled"), True, False)], prevent_initial_call=True,
    )  # fmt: skip
    def _tick(_: object, __: object, shown: object) -> object:
        return ask(lambda: refreshed(site, shown), lambda _why: (no_update, no_update))

    @app.callback(
        Output("campaign-running", "children"), Input("campaign-clock", "n_intervals"),
        State("campaign-stamp", "data"), prevent_initial_call=True,
    )  # fmt: skip
    def _run(_: object, shown: object) -> object:
        name = text(shown.get("name")) if isinstance(shown, dict) else ""
        return ask(lambda: running(name), lambda _why: no_update) if name else no_update

    @app.callback(
        Output("campaign-note", "children"),
        Input("campaign-pause", "n_clicks"), Input("campaign-resume", "n_clicks"),
        Input("campaign-cancel-sure", "submit_n_clicks"),
        State("campaign-stamp", "data"), State("token", "data"), State("campaign-wait", "value"),
        prevent_initial_call=True,
    )  # fmt: skip
    def _act(pause: object, resume: object, cancel: object, shown: object, token: object, wait: object) -> object:
        asked = {"campaign-pause": pause, "campaign-resume": resume, "campaign-cancel-sure": cancel}
        if not asked.get(str(ctx.triggered_id)):
            return no_update
        return act(site, str(ctx.triggered_id).split("-")[1], shown, token, wait)


def _state(summary: Summary) -> Component:
    hits, budget = summary["hits"], summary["spec"]["budget"]
    used = summary["evaluations"] + summary["failures"]
    random = summary["baseline"]["random"]
    return section(
        "State",
        html.P([badge(summary["state"]), f" {summary['reason'] or ''}"]),
        bar(used, budget["evaluations"], f"{used} of {budget['evaluations']} evaluations"),
        bar(len(summary["rounds"]), budget["rounds"], f"{len(summary['rounds'])} of {budget['rounds']} rounds"),
        facts(
            {
                "A hit": summary["target"]["hit"],
                **({"Note": summary["target"]["hit_remark"]} if summary["target"]["hit_remark"] else {}),
                "Hits": f"{hits['hits']} of {hits['n']}: {share(hits['rate'], hits['low'], hits['high'])}",
                "Random pick": f"{random['hits']} of {random['n']}: "
                f"{share(random['rate'], random['low'], random['high'])}",
                f"Core-hours of {cost.HOLDS}": f"{summary['core_seconds'] / 3600:.3f} ({cost.parts(summary['spent'])})",
                "Core-seconds a hit, all of these": number(summary["cost_per_hit"]["core_seconds"], 1),
                "Failed": summary["failures"],
            }
        ),
    )


def _pictures(summary: Summary, outcomes: list[Outcome]) -> Component:
    drawn = []
    if summary["rounds"]:
        shown = graph(figures.funnel(summary["rounds"]), "Candidates left after each stage, by round.")
        drawn.append(section("Funnel", shown))
    if outcomes:
        system = summary["hull"]
        if system and system["points"]:
            caption = f"Hull of {'–'.join(system['elements'])}, the best candidate's system; candidates in orange."
            drawn.append(section("Convex hull", graph(figures.hull(system), caption)))
        strip = graph(figures.above_hull(outcomes), "Energy above the hull of every result, by round.")
        drawn.append(section("Above the hull", strip))
        caption = "Predicted score when it was chosen, against the computed one; bars are one standard deviation."
        drawn.append(section("Acquisition against outcome", graph(figures.predicted(outcomes), caption)))
        caption = "Evaluated compositions that hold each element; the second part of a tile counts the hits."
        drawn.append(section("Elements tried", graph(figures.elements_tried(outcomes), caption)))
    return html.Div(drawn, className="grid")


PAGE = Page("Campaign", layout, register)
