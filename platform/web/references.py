"""References and hulls: energies of the elements and known phases of a system by an engine, and computing what lacks.

What is shown stands in the address, so that it can be shared; computing asks for a token.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from dash import Dash, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component
from pymatgen.core import Composition

from fermiloop.platform.app import computing, queue, references, texts
from fermiloop.platform.campaign.reported import HullPointRow
from fermiloop.platform.errors import InputError
from fermiloop.platform.plugins.engines import chosen_engines
from fermiloop.platform.web import figures, new_campaign
from fermiloop.platform.web.guard import ask, text
from fermiloop.platform.web.parts import (
    badge,
    choice,
    field,
    graph,
    heading,
    href,
    link,
    notice,
    number,
    section,
    table,
    to_material,
)  # fmt: skip
from fermiloop.platform.web.site import Page, Site
from fermiloop.schemas.vocabulary import Role

if TYPE_CHECKING:
    from fermiloop.flows.campaigns.elements import Reference
    from fermiloop.flows.campaigns.hulls import Phase
    from fermiloop.flows.driving.referencing import Built

FORM: Final = ("engine", "settings", "elements")
USUAL: Final = "gpaw"
MOST_PHASES: Final = 50
REFERENCES: Final = {
    "element": "Element", "energy": "Energy (eV/atom)", "phase": "Phase", "ground_state": "Ground state computed",
    "stands_for": "Stands for", "material": "Material",
}  # fmt: skip
PHASES: Final = {
    "formula": "Formula", "prototype": "Prototype", "formation": "Formation energy (eV/atom)",
    "above": "Energy above hull (eV/atom)",
}  # fmt: skip
BUILT: Final = {
    "formula": "Formula", "handed_over": "Crystal", "state": "State", "energy": "Energy (eV/atom)",
    "formation": "Formation energy (eV/atom)", "cost": "Core-seconds", "calculation": "Calculation",
}  # fmt: skip


def layout(site: Site, rest: str) -> Component:  # noqa: ARG001  (the signature of all pages)
    """The page before anything is asked for."""
    return asked(site, {})


def asked(site: Site, query: Mapping[str, str]) -> Component:  # noqa: ARG001  (the signature of all pages)
    """The page as an address asks for it: references and hull of its engine and elements, and what computes them."""
    shown = {name: query.get(name, "") for name in FORM} | {"engine": query.get("engine") or USUAL}
    found = ask(lambda: _found(shown), lambda why: notice(why, "bad")) if query else html.Div()
    return html.Div(
        [
            heading("References and hulls", "What formation energies and energies above the hull stand on, by engine."),
            section("Engine and elements", _form(shown)),
            found,
            dcc.Store(id="references-asked", data=shown),
        ]
    )


def build(site: Site, shown: object, token: object, *, hull: bool) -> Component:
    """Queue the elements of the page, or the known phases too; what came of each so far, or why not in one sentence."""
    refused = site.authorise(text(token) or None, Role.LAUNCH)
    if refused:
        return notice(refused, "bad")
    given = {name: text(shown.get(name)) for name in FORM} if isinstance(shown, dict) else dict.fromkeys(FORM, "")
    return ask(lambda: _queued(given, hull), lambda why: notice(why, "bad"))


def points(rows: Sequence[Phase], elements: Sequence[str]) -> list[HullPointRow]:
    """Phases of a binary system as points of the figure of its hull."""
    second = sorted(elements)[1]
    return [
        {
            "formula": one.formula,
            "fraction": float(Composition(one.formula).get_atomic_fraction(second)),
            "formation_energy": one.formation_energy_per_atom,
            "candidate": None,
        }
        for one in rows
    ]  # fmt: skip


def register(app: Dash, site: Site) -> None:
    """Callbacks."""

    def computes(button: str, *, hull: bool) -> Callable[[object, object, object], object]:
        @app.callback(
            Output(f"{button}-note", "children"), Input(button, "n_clicks"), State("references-asked", "data"),
            State("token", "data"), prevent_initial_call=True,
        )  # fmt: skip
        def _compute(clicks: object, shown: object, token: object) -> object:
            return build(site, shown, token, hull=hull) if clicks else no_update

        return _compute

    computes("references-build", hull=False)
    computes("hull-build", hull=True)


def _found(shown: Mapping[str, str]) -> Component:
    settings = references.settings_from_network(shown["engine"], shown["settings"])
    elements = texts.elements(shown["elements"]) if shown["elements"] else None
    rows = references.known(shown["engine"], settings, elements)
    lacking = [one.element for one in rows if one.energy_per_atom is None]
    parts = [section("References", *_references(rows, lacking))]
    if elements and len(elements) > 1:
        told = ask(lambda: _hull(references.hull(shown["engine"], settings, elements), elements), notice)
        parts.append(section("Hull", told, _button("hull-build", "Compute known phases")))
    return html.Div([*parts, new_campaign.listening()])


def _references(rows: Sequence[Reference], lacking: Sequence[str]) -> list[Component]:
    there = [
        {
            "element": one.element, "energy": number(one.energy_per_atom, 4), "phase": one.phase,
            "ground_state": {True: "yes", False: "no", None: None}[one.ground_state], "stands_for": one.stands_for,
            "material": to_material(one.material),
        }
        for one in rows if one.energy_per_atom is not None
    ]  # fmt: skip
    shown = table(f"{len(there)} of {len(rows)} elements have a reference", REFERENCES, there)
    if not lacking:
        return [shown]
    return [shown, html.P(f"None has {', '.join(lacking)}."), _button("references-build", "Compute these references")]


def _hull(rows: Sequence[Phase], elements: Sequence[str]) -> Component:
    shown = [
        {
            "formula": to_material(one.material, one.formula), "prototype": one.prototype,
            "formation": number(one.formation_energy_per_atom), "above": number(one.energy_above_hull),
        }
        for one in rows
    ]  # fmt: skip
    system = "-".join(sorted(elements))
    parts = [table(f"{len(rows)} stored phases of {system}", PHASES, shown)]
    if len(elements) == 2:
        figure = figures.hull({"elements": sorted(elements), "points": points(rows, elements)})
        parts.insert(0, graph(figure, f"Formation energies of {system} by this engine."))
    return html.Div(parts)


def _queued(given: Mapping[str, str], hull: bool) -> Component:
    how = references.from_network(given["engine"], computing.settings_of_line(given["settings"]))
    if hull and not given["elements"]:
        raise InputError("A hull is of a chemical system; name its elements, such as V, O.")
    elements = texts.elements(given["elements"]) if given["elements"] else None
    return _built(
        references.build_hull(how, elements, MOST_PHASES) if hull and elements else references.build(how, elements)
    )


def _built(built: Built) -> Component:
    heard = len(queue.listeners())
    rows = [
        {
            "formula": one.formula, "handed_over": one.handed_over,
            "state": html.Span([badge(one.state), html.Small(f" {one.reason}" if one.reason else "")]),
            "energy": number(one.energy_per_atom, 4), "formation": number(one.formation_energy_per_atom),
            "cost": number(one.core_seconds, 1), "calculation": link(one.calculation, "calculation", one.calculation),
        }
        for one in built.outcomes
    ]  # fmt: skip
    left_out = [html.P(f"{symbol} was left out: {reason}") for symbol, reason in built.refused.items()]
    told = computing.sentence(built.outcomes, heard)
    return html.Div([notice(told, "good" if heard else "info"), table(f"{len(rows)} crystals", BUILT, rows), *left_out])


def _button(name: str, word: str) -> Component:
    return html.Div([html.Button(word, id=name, n_clicks=0, type="button"), html.Div(id=f"{name}-note")])


def _form(shown: Mapping[str, Any]) -> Component:
    """A form of the browser's own: Enter sends it, and what is set stands in the address."""
    engines = {one: one for one in chosen_engines()}
    return html.Form(
        [
            html.Div(
                [
                    field("Engine", choice("engine", engines, shown["engine"])),
                    field("Elements; a hull needs two", _box("elements", shown, "V, O")),
                    field("Settings, with spaces between", _box("settings", shown, "cutoff=600")),
                ],
                className="form",
            ),
            html.Button("Show", id="references-show", type="submit"),
        ],
        action=href("references"), method="get", role="search", **{"aria-label": "Engine and elements"},
    )  # fmt: skip


def _box(name: str, shown: Mapping[str, Any], example: str) -> Component:
    given = {"value": shown[name], "placeholder": example, "maxLength": 1000, "autoComplete": "off"}
    return dcc.Input(id=f"find-{name}", name=name, type="text", **given)


PAGE = Page("References and hulls", layout, register, asked)
