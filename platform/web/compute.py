"""Compute: crystals handed over as files or by their ids, an engine, and what came of them."""

from __future__ import annotations

from typing import Any, Final

from dash import Dash, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component

from fermiloop.platform.app import computing, queue
from fermiloop.platform.errors import InputError
from fermiloop.platform.plugins.engines import chosen_engines
from fermiloop.platform.web import home, new_campaign, wording
from fermiloop.platform.web.guard import ask, text
from fermiloop.platform.web.parts import badge, field, heading, link, notice, number, section, table, to_material
from fermiloop.platform.web.site import Page, Site
from fermiloop.schemas.vocabulary import Role

MOST_FILES: Final = 100
MOST_SECONDS: Final = 30 * 86_400.0
COLUMNS: Final = {
    "formula": "Formula", "handed_over": "Handed over", "state": "State", "energy": "Energy (eV/atom)",
    "formation": "Formation energy (eV/atom)", "gap": "Gap (eV)", "curve": "DOS", "cost": "Core-seconds",
    "material": "Material", "calculation": "Calculation",
}  # fmt: skip
RELAX: Final = "relax"


def layout(site: Site, rest: str) -> Component:  # noqa: ARG001  (the signature of all pages)
    """The form."""
    engines = [{"label": one, "value": one} for one in chosen_engines()]
    return html.Div(
        [
            heading("Compute", "Energy, gap and density of states of crystals, into the store; nothing is paid twice."),
            section(
                "Crystals",
                dcc.Upload(
                    html.Button("Take structure files (CIF, POSCAR, XYZ, JSON)", className="plain", type="button"),
                    id="compute-files", multiple=True, max_size=home.MOST_TEXT, className="upload",
                ),
                dcc.Store(id="compute-taken", data=[]),
                html.Div(id="compute-names", **{"aria-live": "polite"}),
                field("Or ids of materials or candidates, or formulas, with spaces between",
                      dcc.Input(id="compute-ids", type="text", value="", maxLength=2000)),
            ),
            section(
                "Method",
                field("Engine", dcc.Dropdown(engines, "gpaw", id="compute-engine", clearable=False)),
                field("Settings, with spaces between, such as cutoff=600",
                      dcc.Input(id="compute-settings", type="text", value="", maxLength=2000)),
                dcc.Checklist([{"label": "Relax cell and positions first", "value": RELAX}], [RELAX],
                              id="compute-relax"),
                field("Time limit of each step (s)",
                      dcc.Input(id="compute-limit", type="number", value=computing.TIME_LIMIT, min=1)),
                html.Div([html.Button("Compute", id="compute", n_clicks=0)], className="row"),
                html.Div(id="compute-note"),
                new_campaign.listening(),
            ),
        ]
    )  # fmt: skip


def compute(site: Site, asked: dict[str, Any], token: object) -> Component:
    """Queue what the form asks for; what came of each crystal so far, or what is wrong in one sentence."""
    refused = site.authorise(text(token) or None, Role.LAUNCH)
    if refused:
        return notice(refused, "bad")
    return ask(lambda: _launched(asked), lambda why: notice(why, "bad"))


def taken(contents: object, names: object) -> list[dict[str, str]]:
    """Name and text of each file that was chosen.

    Raises
    ------
    InputError
        If one is no text.
    """
    several = list(zip(contents, names, strict=False)) if isinstance(contents, list) and isinstance(names, list) else []
    if len(several) > MOST_FILES:
        raise InputError(f"{len(several)} files were chosen; {MOST_FILES} are the most.")
    return [{"name": text(name), "text": _text(content, text(name))} for content, name in several]


def register(app: Dash, site: Site) -> None:
    """Callbacks."""

    @app.callback(
        Output("compute-taken", "data"), Output("compute-names", "children"),
        Input("compute-files", "contents"), State("compute-files", "filename"), prevent_initial_call=True,
    )  # fmt: skip
    def _take(contents: object, names: object) -> object:
        try:
            found = taken(contents, names)
        except InputError as error:
            return [], notice(str(error), "bad")
        return found, html.P(", ".join(one["name"] for one in found) or "No file is chosen.", className="quiet")

    @app.callback(
        Output("compute-note", "children"), Input("compute", "n_clicks"),
        State("compute-taken", "data"), State("compute-ids", "value"), State("compute-engine", "value"),
        State("compute-settings", "value"), State("compute-relax", "value"), State("compute-limit", "value"),
        State("token", "data"), prevent_initial_call=True,
    )  # fmt: skip
    def _compute(clicks: object, files: object, ids: object, engine: object, settings: object, relax: object,
                 limit: object, token: object) -> object:  # fmt: skip
        asked = {"files": files, "ids": ids, "engine": engine, "settings": settings, "relax": relax, "limit": limit}
        return compute(site, asked, token) if clicks else no_update


def _launched(asked: dict[str, Any]) -> Component:
    engine, settings = text(asked["engine"]), computing.settings_of_line(text(asked["settings"]))
    computing.refuse_programs(engine, settings)
    limit = asked["limit"]
    if isinstance(limit, bool) or not isinstance(limit, int | float) or not 1 <= limit <= MOST_SECONDS:
        raise InputError(f"The time limit is {limit!r}; give 1 to {MOST_SECONDS:.0f} seconds.")
    files = asked["files"] if isinstance(asked["files"], list) else []
    given = [one for file in files for one in computing.of_text(text(file.get("name")), file.get("text") or "")]
    given += computing.of_store(text(asked["ids"]).split())
    relax = isinstance(asked["relax"], list) and RELAX in asked["relax"]
    ids = computing.launch(given, engine, settings, relax=relax, time_limit=float(limit))
    found, heard = computing.outcomes(ids), len(queue.listeners())
    told = computing.sentence(found, heard)
    return html.Div(
        [
            html.P(told, className=f"notice {'good' if heard else 'info'}", role="status"),
            table(f"{len(found)} crystals", COLUMNS, [_row(one) for one in found]),
        ]
    )


def _row(one: Any) -> dict[str, Any]:
    why = one.reason or wording.lacking(one.missing)
    return {
        "formula": one.formula,
        "handed_over": one.handed_over,
        "state": html.Span([badge(one.state), html.Small(f" {why}" if why else "")]),
        "energy": None if one.energy_per_atom is None else number(one.energy_per_atom, 4),
        "formation": None if one.formation_energy_per_atom is None else number(one.formation_energy_per_atom, 3),
        "gap": None if one.gap is None else number(one.gap, 2),
        "curve": "yes" if one.has_curve else "no",
        "cost": number(one.core_seconds, 1),
        "material": to_material(one.material),
        "calculation": link(one.calculation, "calculation", one.calculation),
    }


def _text(content: object, name: str) -> str:
    found = home.uploaded(content)
    if found is None:
        raise InputError(f"The file {name[:80]} is no text in UTF-8; give a CIF, POSCAR, XYZ or JSON file.")
    return found


PAGE = Page("Compute", layout, register)
