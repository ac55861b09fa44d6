"""One calculation: state, steps, attempts, cost, why it failed, the end of its log, and a button to run it again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dash import Dash, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component
from pymatgen.core import Structure

from fermiloop.platform.app import calculations, queue
from fermiloop.platform.errors import FermiloopError
from fermiloop.platform.web import home, method, wording
from fermiloop.platform.web.guard import ask, text
from fermiloop.platform.web.parts import (
    Cell,
    ago,
    badge,
    facts,
    heading,
    link,
    notice,
    number,
    section,
    table,
    to_candidate,
    to_material,
)  # fmt: skip
from fermiloop.platform.web.site import Page, Site
from fermiloop.platform.web.symmetry import group_of
from fermiloop.schemas.calculation import Calculation
from fermiloop.schemas.vocabulary import CalculationState

if TYPE_CHECKING:
    from fermiloop.flows.queue.watching import QueueStep

STEPS: Final = {"name": "Step", "state": "State", "worker": "Worker", "since": "Since"}
SETTINGS: Final = {"name": "Setting", "value": "Value"}


def layout(site: Site, rest: str) -> Component:  # noqa: ARG001  (the signature of all pages)
    """The page of the calculation of an id.

    Raises
    ------
    NotFoundError
        If it is not in the store.
    """
    found = calculations.get(rest)
    crystal = Structure.from_dict(found.structure)
    group = group_of(crystal) or "unknown"
    return html.Div(
        [
            heading(f"Calculation of {crystal.composition.reduced_formula}", f"{found.id}, space group {group}"),
            html.Div(id="calculation-note"),
            section("State", _facts(found), *_again(found)),
            section("Steps", _steps(found)),
            section("Log", *_logs(found)),
            section("Result", _result(found)),
            dcc.Store(id="calculation-shown", data=found.id),
        ]
    )  # fmt: skip


def register(app: Dash, site: Site) -> None:
    """Callbacks."""

    @app.callback(
        Output("calculation-note", "children"), Input("calculation-rerun", "n_clicks"),
        State("calculation-shown", "data"), State("token", "data"), prevent_initial_call=True,
    )  # fmt: skip
    def _rerun(clicks: object, shown: object, token: object) -> object:
        return home.act_on(site, "rerun", text(shown), token) if clicks else no_update


def _facts(found: Calculation) -> Component:
    known = method.links_of([found.method])
    return facts(
        {
            "State": html.Span([badge(str(found.state)), *([" set aside"] if found.ignored else [])]),
            "Reason": html.Span(found.error, className="danger") if found.error else None,
            "Missing": wording.lacking(calculations.missing(found)) or None,
            "Method": known.get(found.method, found.method),
            "Campaign": link(found.campaign, "campaign", found.campaign) if found.campaign else None,
            "Handed over": found.handed_over,
            "Geometry": None if found.relaxed else "as it was handed over",
            "Candidate": to_candidate(found.candidate),
            "Material": to_material(found.result.get("material")),
            "Attempts": found.attempts,
            "Cost (core-seconds)": number(float(found.core_seconds or 0), 1),
            "Time limit (s)": number(found.time_limit, 0) if found.time_limit else None,
            "Planned": ago(found.created_at),
            "Begun": ago(found.started_at),
            "Ended": ago(found.finished_at),
        }
    )


def _again(found: Calculation) -> list[Component]:
    """The button, where there is something to run again."""
    if found.state is not CalculationState.FAILED and not calculations.missing(found):
        return []
    return [html.Button("Run it again", id="calculation-rerun", n_clicks=0)]


def _steps(found: Calculation) -> Component:
    rows = ask(lambda: [step_row(one) for one in queue.steps_of(str(found.id))], lambda why: notice(why, "bad"))
    return rows if isinstance(rows, Component) else table("Steps in the queue, first to last", STEPS, rows)


def step_row(one: QueueStep) -> dict[str, Cell]:
    """A step of the queue as a row."""
    return {"name": one.name, "state": badge(one.state.lower()), "worker": one.worker, "since": ago(one.since)}


def _logs(found: Calculation) -> list[Component]:
    try:
        logs = calculations.logs(str(found.id))
    except FermiloopError as error:
        return [notice(str(error), "bad")]
    if not logs:
        return [html.P("None on this machine: nothing was written here, or it was tidied up.", className="quiet")]
    # focusable, or the keyboard could not scroll it
    return [
        html.Div([html.H3(step), html.Pre(said, tabIndex="0", role="region", **{"aria-label": f"End of {step}"})])
        for step, said in logs.items()
    ]


def _result(found: Calculation) -> Component:
    numbers = {
        wording.named(key): number(float(value), 4)
        for key, value in sorted(found.result.items())
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    return facts(numbers) if numbers else html.P("None is stored.", className="quiet")


PAGE = Page("Calculation", layout, register)
