"""The database: materials and candidates by filters, page by page, and densities of states by their curve."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import urlencode

from dash import Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component
from pymatgen.core import Element

from fermiloop.platform.app import candidates, filters, materials
from fermiloop.platform.errors import InputError
from fermiloop.platform.plugins.properties import PROPERTIES
from fermiloop.platform.store.candidate_columns import COLUMNS
from fermiloop.platform.web import curve_search, figures, wording
from fermiloop.platform.web.guard import ask, finite, text
from fermiloop.platform.web.parts import (
    Cell,
    badge,
    choice,
    field,
    heading,
    href,
    notice,
    number,
    section,
    table,
    to_candidate,
    to_material,
)  # fmt: skip
from fermiloop.platform.web.site import Page, Site
from fermiloop.platform.web.symmetry import group, group_of, with_group
from fermiloop.schemas.scores import SCORES
from fermiloop.schemas.vocabulary import CrystalSystem, Stage

SIZE: Final = 25  # rows a page
MOST_PAGES: Final = 40
RANGES: Final[dict[str, Mapping[str, object]]] = {"materials": PROPERTIES, "candidates": SCORES}
SHOWN: Final = ("score", "energy_above_hull", "potential_energy_above_hull")
MATERIAL: Final = {"formula": "Formula", "group": "Space group", "prototype": "Prototype", "sites": "Sites",
                   "volume": "Volume (Å³/atom)", "origin": "Origin"}  # fmt: skip
FIRST: Final = ("formula", "stage")  # what comes before the scores
PLAIN: Final = tuple(one.name for one in COLUMNS if one.on_page and one.name not in (*FIRST, "generator"))
CANDIDATE: Final = {name: SCORES[name].title if name in SCORES else name.replace("_", " ").capitalize()
                    for name in (*FIRST, *SHOWN, *PLAIN, "generator")}  # fmt: skip
ANY: Final = "any"
START: Final = "Set filters, if you like, and press Find."
FORM: Final = ("kind", "elements", "formula", "sites-low", "sites-high", "system", "stage", "range", "low", "high")
NUMBERS: Final = ("sites-low", "sites-high", "low", "high")
KINDS: Final = ("materials", "candidates")

Form = dict[str, str | float]


def layout(site: Site, rest: str) -> Component:  # noqa: ARG001  (the signature of all pages)
    """The page without filters; nothing is asked until one is set or Find is pressed."""
    return asked(site, {})


def asked(site: Site, query: Mapping[str, str]) -> Component:  # noqa: ARG001  (the signature of all pages)
    """The page as an address asks for it: what its query names is set in the form, and was searched for."""
    kind = "candidates" if query.get("kind") == "candidates" else "materials"
    shown = {name: query[name] for name in FORM if query.get(name)} | {"kind": kind}
    if kind == "candidates":
        shown.setdefault("stage", str(Stage.EVALUATED))  # most others are of no interest; any shows all
    found = ask(lambda: _found(query, shown), lambda why: notice(why, "bad")) if query else None
    return html.Div(
        [
            heading("Database", "All that is known, and all that was proposed."),
            section("Find", _tabs(kind), _picker(shown), _form(shown)),
            html.Section([html.H2("Found"), found or html.P(START, className="quiet")], id="found", className="card"),
            curve_search.layout(),
        ]
    )


def form_of(query: Mapping[str, str]) -> Form:
    """Filters of an address, numbers as numbers.

    Raises
    ------
    InputError
        If one that should be a number is none.
    """
    given = {name: query[name] for name in FORM if query.get(name)}
    return {name: _number(name, value) if name in NUMBERS else value for name, value in given.items()}


def page_of(query: Mapping[str, str]) -> int:
    """Page that an address asks for, from 0.

    Raises
    ------
    InputError
        If it is no whole number from 1 on.
    """
    given = query.get("page", "1")
    if not given.isdecimal() or not int(given[:9]) >= 1 or len(given) > 9:
        raise InputError(f"The page {given[:20]!r} is no number from 1 on.")
    return int(given) - 1


def _number(name: str, given: str) -> float:
    try:
        value = finite(float(given))
    except ValueError:
        value = None
    if value is None:
        raise InputError(f"{name} is {given[:40]!r}, which is no number; write one such as 0.1.")
    return value


def results(form: Form, page: int) -> Component:
    """One page of rows, with links to the pages beside it that there are.

    Raises
    ------
    InputError
        If a filter is invalid.
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


def pager(query: Mapping[str, str], page: int, *, more: bool) -> Component:
    """Links to the page before and the next one, each where there is one."""
    steps = [("Page before", page - 1)] * (page > 0) + [("Next page", page + 1)] * (more and page + 1 < MOST_PAGES)
    links = [dcc.Link(word, href=address({**query, "page": str(to + 1)}), className="button plain")
             for word, to in steps]  # fmt: skip
    return html.Nav(links, className="row", **{"aria-label": "Pages of results"}) if links else html.Div()


def address(query: Mapping[str, str]) -> str:
    """Address of the page with these filters, without those that are empty or on the first page."""
    kept = {name: value for name in (*FORM, "page") if (value := query.get(name)) and (name, value) != ("page", "1")}
    return href("database") + (f"?{urlencode(kept)}" if kept else "")


def _found(query: Mapping[str, str], shown: dict[str, str]) -> Component:
    form, page = form_of({**query, **shown}), page_of(query)
    found = results(form, page)
    more = ", more follow" in str(getattr(found, "aria-label", ""))
    return html.Div([found, pager({**query, **shown}, page, more=more)])


def toggled(given: object, clicked: object) -> str:
    """The text of elements with one more or one less, as it was clicked on the table."""
    points = clicked.get("points") if isinstance(clicked, dict) else None
    symbol = (
        points[0].get("customdata") if isinstance(points, list) and points and isinstance(points[0], dict) else None
    )
    chosen = [word for word in text(given).replace(",", " ").split() if Element.is_valid_symbol(word)]
    if not isinstance(symbol, str) or not Element.is_valid_symbol(symbol):
        return ", ".join(chosen)
    return ", ".join([word for word in chosen if word != symbol] if symbol in chosen else [*chosen, symbol])


def register(app: Dash, site: Site) -> None:  # noqa: ARG001  (the signature of all)
    """Callbacks."""
    curve_search.register(app)

    @app.callback(
        Output("find-elements", "value"), Input("ptable", "clickData"), State("find-elements", "value"),
        prevent_initial_call=True,
    )  # fmt: skip
    def _click(clicked: object, given: object) -> object:
        return toggled(given, clicked)

    @app.callback(Output("ptable", "figure"), Input("find-elements", "value"), prevent_initial_call=True)
    def _fill(given: object) -> object:
        return figures.picker([word for word in text(given).replace(",", " ").split() if Element.is_valid_symbol(word)])


def _ends(form: Form, low: str, high: str) -> tuple[float | None, float | None]:
    return finite(form.get(low)), finite(form.get(high))


def _ranges(form: Form) -> dict[str, tuple[float, float]]:
    name, (low, high) = text(form.get("range")), _ends(form, "low", "high")
    if not name or (low, high) == (None, None):
        return {}
    return {name: (-math.inf if low is None else low, math.inf if high is None else high)}


def _one(form: Form, name: str, known: Iterable[str]) -> str | None:
    """A choice, None where it is none of those that there are."""
    given = text(form.get(name))
    return given if given in set(known) else None


def _materials(form: Form, limit: int) -> list[dict[str, Cell]]:
    wanted = filters.of_materials(
        elements=text(form.get("elements")) or None, formula=text(form.get("formula")) or None,
        sites=_ends(form, "sites-low", "sites-high"), ranges=_ranges(form),
        crystal_system=_one(form, "system", CrystalSystem), limit=limit,
    )  # fmt: skip
    return [
        {
            "formula": to_material(one.id, one.formula),
            "group": f"{group(one.space_group)}, {one.crystal_system}",
            "prototype": one.prototype,
            "sites": one.n_sites,
            "volume": number(one.volume_per_atom),
            "origin": f"{one.origin}: {one.source.get('name', '')}",
        }
        for one in materials.documents(wanted)
    ]


def _candidates(form: Form, limit: int) -> list[dict[str, Cell]]:
    wanted = filters.of_candidates(
        elements=text(form.get("elements")) or None, formula=text(form.get("formula")) or None,
        sites=_ends(form, "sites-low", "sites-high"), ranges=_ranges(form),
        stage=_one(form, "stage", Stage), limit=limit,
    )  # fmt: skip
    return [
        {
            "formula": with_group(to_candidate(one.id, one.formula), group_of(one.to_structure())),
            "stage": badge(str(one.stage)),
            **{name: number(one.scores.get(name)) for name in SHOWN},
            **{name: getattr(one, name) for name in PLAIN},
            "generator": one.proposer,
        }
        for one in candidates.documents(wanted)
    ]


def _picker(shown: Mapping[str, str]) -> Component:
    chosen = [word for word in text(shown.get("elements")).replace(",", " ").split() if Element.is_valid_symbol(word)]
    drawn = dcc.Graph(
        id="ptable", figure=figures.picker(chosen), responsive=False, className="graph",
        config={"displayModeBar": False, "responsive": False},
    )  # fmt: skip
    words = html.Figcaption("Click elements, or write them below; Enter searches.")
    return html.Div(
        html.Figure([drawn, words]), className="scroll picker", tabIndex="0", role="region",
        **{"aria-label": "Periodic table"},
    )  # fmt: skip


def _tabs(kind: str) -> Component:
    """Materials or candidates."""
    links = [
        html.A(one.capitalize(), href=address({"kind": one}), **({"aria-current": "page"} if one == kind else {}))
        for one in KINDS
    ]
    return html.Nav(links, className="tabs", **{"aria-label": "What to look for"})


def _form(shown: Mapping[str, str]) -> Component:
    """A form of the browser's own: Enter sends it, and what is set stands in the address."""
    kind = shown["kind"]
    of_kind = (
        field("Stage", choice("stage", {ANY: ANY} | _values(Stage), shown["stage"]))
        if kind == "candidates"
        else field("Crystal system", choice("system", {"": ANY} | _values(CrystalSystem), shown.get("system", "")))
    )
    ranges = {"": ANY} | {key: wording.named(key) for key in RANGES[kind]}
    return html.Form(
        [
            dcc.Input(type="hidden", id="find-kind", name="kind", value=kind),
            html.Div(
                [
                    field("Elements, all of them in it", _box("elements", shown, placeholder="Pd, Ni")),
                    field("Formula", _box("formula", shown, placeholder="NiAl")),
                    field("Fewest sites", _box("sites-low", shown, type="number", min=1)),
                    field("Most sites", _box("sites-high", shown, type="number", min=1)),
                    of_kind,
                    field("Range of", choice("range", ranges, shown.get("range", ""))),
                    field("From", _box("low", shown, type="number", step="any")),
                    field("To", _box("high", shown, type="number", step="any")),
                ],
                className="form",
            ),
            html.Button("Find", id="find", type="submit"),
        ],
        action=href("database"), method="get", role="search", **{"aria-label": "Filters"},
    )  # fmt: skip


def _box(name: str, shown: Mapping[str, str], **more: object) -> Component:
    return dcc.Input(id=f"find-{name}", name=name, value=shown.get(name, ""), autoComplete="off", **more)


def _values(kind: Iterable[str]) -> dict[str, str]:
    return {str(one): str(one) for one in kind}


PAGE = Page("Database", layout, register, asked)
