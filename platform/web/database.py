"""The database: materials and candidates by filters, page by page, and densities of states by their curve."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from dash import Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component
from pymatgen.core import Element

from fermiloop.platform.errors import InputError
from fermiloop.platform.store import candidates, materials
from fermiloop.platform.store.candidates import CandidateQuery
from fermiloop.platform.store.materials import MaterialQuery
from fermiloop.platform.web import curve_search, figures
from fermiloop.platform.web.actions import Page, Site
from fermiloop.platform.web.guard import ask, finite, text
from fermiloop.platform.web.parts import (
    badge,
    field,
    graph,
    heading,
    notice,
    number,
    section,
    table,
    to_candidate,
    to_material,
)  # fmt: skip
from fermiloop.schemas.scores import SCORES
from fermiloop.schemas.vocabulary import CrystalSystem, Property, Stage

SIZE: Final = 25  # rows a page
MOST_PAGES: Final = 40
RANGES: Final = {
    "materials": [str(p) for p in Property],
    "candidates": list(SCORES),
}
SHOWN: Final = ("score", "energy_above_hull", "potential_energy_above_hull")
MATERIAL: Final = {"formula": "Formula", "group": "Space group", "prototype": "Prototype", "sites": "Sites",
                   "volume": "Å³/atom", "origin": "Origin"}  # fmt: skip
CANDIDATE: Final = {"formula": "Formula", "stage": "Stage",
                    **{name: SCORES[name].title for name in SHOWN},
                    "campaign": "Campaign", "round": "Round", "generator": "Generator"}  # fmt: skip
ANY: Final = "any"
START: Final = "Set filters, if you like, and press Find."
FORM: Final = ("kind", "elements", "formula", "sites-low", "sites-high", "system", "stage", "range", "low", "high")


def layout(site: Site, rest: str) -> Component:  # noqa: ARG001  (the signature of all pages)
    """The whole page; nothing is asked until a filter is set or Find is pressed."""
    return html.Div(
        [
            heading("Database", "All that is known, and all that was proposed."),
            section("Find", _picker(), _form(), html.Button("Find", id="find", n_clicks=0)),
            html.Section(
                [html.Div(html.P(START, className="quiet"), id="found", **{"aria-live": "polite"}), _pager()],
                className="card",
            ),
            curve_search.layout(site),
            dcc.Store(id="page-number", data=0),
        ]
    )


def results(form: dict[str, Any], page: int) -> Component:
    """One page of rows.

    Raises
    ------
    InputError
        If a filter does not hold.
    """
    if not 0 <= page < MOST_PAGES:
        raise InputError(f"Page {page + 1} is beyond the {MOST_PAGES} that are shown; set more filters.")
    kind = "candidates" if form.get("kind") == "candidates" else "materials"
    limit = (page + 1) * SIZE + 1
    rows = _candidates(form, limit) if kind == "candidates" else _materials(form, limit)
    shown = rows[page * SIZE : (page + 1) * SIZE]
    more = ", more follow" if len(rows) == limit else ""
    first = page * SIZE + 1
    caption = f"{kind}, {first} to {first + len(shown) - 1}{more}" if shown else f"{kind} on page {page + 1}"
    return table(caption, CANDIDATE if kind == "candidates" else MATERIAL, shown)


def symbols(given: Any) -> tuple[str, ...]:
    """Element symbols of a text such as Pd, Ni.

    Raises
    ------
    InputError
        If one is none.
    """
    words = tuple(dict.fromkeys(text(given).replace(",", " ").replace("-", " ").split()))
    wrong = [word for word in words if not Element.is_valid_symbol(word)]
    if wrong:
        raise InputError(f"{wrong[0]!r} is no element; write symbols such as Pd, Ni.")
    return words


def toggled(given: Any, clicked: Any) -> str:
    """The text of elements with one more or one less, as it was clicked on the table."""
    points = clicked.get("points") if isinstance(clicked, dict) else None
    symbol = (
        points[0].get("customdata") if isinstance(points, list) and points and isinstance(points[0], dict) else None
    )
    chosen = [word for word in text(given).replace(",", " ").split() if Element.is_valid_symbol(word)]
    if not isinstance(symbol, str) or not Element.is_valid_symbol(symbol):
        return ", ".join(chosen)
    return ", ".join([word for word in chosen if word != symbol] if symbol in chosen else [*chosen, symbol])


def register(app: Dash, site: Site) -> None:
    """Callbacks."""
    curve_search.register(app, site)

    @app.callback(
        Output("find-elements", "value"), Input("ptable", "clickData"), State("find-elements", "value"),
        prevent_initial_call=True,
    )  # fmt: skip
    def _click(clicked: Any, given: Any) -> Any:
        return toggled(given, clicked)

    @app.callback(Output("ptable", "figure"), Input("find-elements", "value"), prevent_initial_call=True)
    def _fill(given: Any) -> Any:
        return figures.picker([word for word in text(given).replace(",", " ").split() if Element.is_valid_symbol(word)])

    @app.callback(Output("find-range", "options"), Output("find-range", "value"), Input("find-kind", "value"))
    def _ranges(kind: Any) -> Any:
        return [ANY, *RANGES["candidates" if kind == "candidates" else "materials"]], ANY

    @app.callback(
        Output("found", "children"), Output("page-number", "data"),
        Input("find", "n_clicks"), Input("page-back", "n_clicks"), Input("page-on", "n_clicks"),
        State("page-number", "data"), *(State(f"find-{name}", "value") for name in FORM), prevent_initial_call=True,
    )  # fmt: skip
    def _find(_: Any, __: Any, ___: Any, page: Any, *values: Any) -> Any:
        if ctx.triggered_id is None:
            return no_update, no_update
        step = {"page-back": -1, "page-on": 1}.get(str(ctx.triggered_id))
        now = max(0, page + step) if step and isinstance(page, int) else 0
        form = dict(zip(FORM, values, strict=True))
        found = ask(lambda: results(form, now), lambda why: notice(why, "bad"))
        return found, min(now, MOST_PAGES)


def _bounds(form: dict[str, Any], low: str, high: str) -> tuple[float, float] | None:
    ends = finite(form.get(low)), finite(form.get(high))
    if ends == (None, None):
        return None
    first, last = (-1e12 if ends[0] is None else ends[0]), (1e12 if ends[1] is None else ends[1])
    if first > last:
        raise InputError(f"The range from {first:g} to {last:g} does not rise; exchange its ends.")
    return first, last


def _common(form: dict[str, Any], limit: int) -> dict[str, Any]:
    sites = _bounds(form, "sites-low", "sites-high")
    return {
        "elements": symbols(form.get("elements")),
        "formula": text(form.get("formula")) or None,
        "n_sites": (int(max(sites[0], 0)), int(min(sites[1], 1e9))) if sites else None,
        "limit": limit,
    }


def _ranged(form: dict[str, Any], kind: str) -> dict[str, tuple[float, float]]:
    name, ends = text(form.get("range")), _bounds(form, "low", "high")
    return {name: ends} if name in RANGES[kind] and ends else {}


def _materials(form: dict[str, Any], limit: int) -> list[dict[str, Any]]:
    query = MaterialQuery(**_common(form, limit), properties=_ranged(form, "materials"))
    if text(form.get("system")) in set(CrystalSystem):
        query = replace(query, crystal_system=text(form["system"]))
    return [
        {
            "formula": to_material(one.id, one.formula),
            "group": f"{one.space_group}, {one.crystal_system}",
            "prototype": one.prototype,
            "sites": one.n_sites,
            "volume": number(one.volume_per_atom),
            "origin": f"{one.origin}: {one.source.get('name', '')}",
        }
        for one in materials.find(query)
    ]


def _candidates(form: dict[str, Any], limit: int) -> list[dict[str, Any]]:
    query = CandidateQuery(**_common(form, limit), scores=_ranged(form, "candidates"))
    if text(form.get("stage")) in set(Stage):
        query = replace(query, stage=text(form["stage"]))
    return [
        {
            "formula": to_candidate(one.id, one.formula),
            "stage": badge(str(one.stage)),
            **{name: number(one.scores.get(name)) for name in SHOWN},
            "campaign": one.campaign,
            "round": one.round,
            "generator": one.generator,
        }
        for one in candidates.find(query)
    ]


def _picker() -> Component:
    drawn = graph(figures.picker(()), "Click elements, or write them below.", "ptable")
    return html.Div(drawn, className="scroll picker", tabIndex="0", role="region", **{"aria-label": "Periodic table"})


def _form() -> Component:
    kinds = [{"label": one, "value": one} for one in ("materials", "candidates")]
    return html.Div(
        [
            field("Look for", dcc.Dropdown(kinds, "materials", id="find-kind", clearable=False, searchable=False)),
            field("Elements, all of them in it", dcc.Input(id="find-elements", placeholder="Pd, Ni", value="")),
            field("Formula", dcc.Input(id="find-formula", placeholder="NiAl", value="")),
            field("Fewest sites", dcc.Input(id="find-sites-low", type="number", min=1)),
            field("Most sites", dcc.Input(id="find-sites-high", type="number", min=1)),
            field("Crystal system, of materials", _choice("find-system", CrystalSystem, ANY)),
            field("Stage, of candidates", _choice("find-stage", Stage, str(Stage.EVALUATED))),
            field("Range of", _choice("find-range", RANGES["materials"], ANY)),
            field("From", dcc.Input(id="find-low", type="number", step="any")),
            field("To", dcc.Input(id="find-high", type="number", step="any")),
        ],
        className="form",
    )


def _choice(name: str, values: Any, chosen: str) -> Component:
    return dcc.Dropdown([ANY, *(str(one) for one in values)], chosen, id=name, clearable=False, searchable=False)


def _found() -> Component:
    return html.Div(html.P(START, className="quiet"), id="found", **{"aria-live": "polite"})


def _pager() -> Component:
    return html.Div(
        [
            html.Button("Page before", id="page-back", n_clicks=0, className="plain"),
            html.Button("Next page", id="page-on", n_clicks=0, className="plain"),
        ],
        className="row",
    )


PAGE = Page("Database", layout, register)
