"""Search of densities of states by a curve that is drawn or pasted; part of the page of the database."""

from __future__ import annotations

from typing import Any, Final

from dash import Dash, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.spectrum import DOS_GRID
from fermiloop.platform.store import materials, spectra
from fermiloop.platform.web import drawing, figures
from fermiloop.platform.web.actions import Site
from fermiloop.platform.web.guard import ask, finite, text
from fermiloop.platform.web.parts import field, graph, notice, number, section, table, to_material
from fermiloop.platform.web.symmetry import group_of_material, with_group

METRICS: Final = {
    "cosine": "cosine (1 is the same shape)",
    "wasserstein": "Wasserstein distance in eV (0 is the same)",
    "fingerprint": "fingerprint, Tanimoto coefficient (1 is the same)",
}
MOST_TEXT: Final = 1_000_000
COLUMNS: Final = {"formula": "Material", "value": "Value of the metric"}


def layout(site: Site) -> Component:
    """The canvas, the box to paste into, metric and window."""
    if site.actions.dos_search is None:
        return section("Find by density of states", notice("This server was started without a search of curves."))
    canvas = graph(
        figures.canvas(), "Draw a curve with the pointer from left to right; the newest one counts.", "dos-canvas",
        displayModeBar=True, modeBarButtonsToAdd=["drawopenpath", "eraseshape"],
        modeBarButtonsToRemove=["zoom2d", "pan2d", "select2d", "lasso2d", "zoomIn2d", "zoomOut2d", "autoScale2d",
                                "resetScale2d", "toImage"],
    )  # fmt: skip
    metrics = [{"label": label, "value": name} for name, label in METRICS.items()]
    return section(
        "Find by density of states",
        canvas,
        field("Or paste a file: two columns of energy (eV) and density of states, or what a program wrote",
              dcc.Textarea(id="dos-text", value="", rows=5, spellCheck=False)),
        html.Fieldset([html.Legend("Metric"), dcc.RadioItems(metrics, "cosine", id="dos-metric")]),
        html.Div(
            [
                field("Window from (eV)", dcc.Input(id="dos-low", type="number", step="any")),
                field("to (eV)", dcc.Input(id="dos-high", type="number", step="any")),
            ],
            className="form",
        ),
        html.P("Without a window the curve counts as far as it was given.", className="quiet"),
        html.Button("Search", id="dos-search", n_clicks=0),
        html.Div(id="dos-found", **{"aria-live": "polite"}),
    )  # fmt: skip


def search(site: Site, pasted: Any, drawn: Any, metric: Any, low: Any, high: Any) -> Component:
    """The nearest materials; what was pasted goes before what was drawn.

    Raises
    ------
    InputError
        If there is no curve, or it or the window is invalid.
    """
    assert site.actions.dos_search is not None
    given = text(pasted)
    if len(given) > MOST_TEXT:
        raise InputError(f"The pasted curve has {len(given)} characters; {MOST_TEXT} are the most.")
    curve, remarks = drawing.of_paste(given, spectra.alignment()) if given else (drawing.of_shapes(drawn), ())
    if curve is None:
        raise InputError("There is no curve yet; draw one, or paste two columns.")
    name = text(metric)
    if name not in METRICS:
        raise InputError(f"The metric {name!r} is unknown; known are {', '.join(METRICS)}.")
    whole, ends = drawing.extent(curve), (finite(low), finite(high))
    window = (whole[0] if ends[0] is None else ends[0], whole[1] if ends[1] is None else ends[1])
    values = drawing.on_grid(curve, window, drawn=not given)
    found = site.actions.dos_search(values, name, window)
    kept = materials.get_many(one.material for one in found)
    rows = [
        {
            "formula": with_group(to_material(one.material, one.formula), group_of_material(kept.get(one.material))),
            "value": number(one.value, 4),
        }
        for one in found
    ]
    caption = f"Nearest by {METRICS[name]}, {window[0]:g} to {window[1]:g} eV"
    inside = (DOS_GRID.points >= window[0] - 1e-6) & (DOS_GRID.points <= window[1] + 1e-6)
    shown = figures.canvas(DOS_GRID.points[inside].tolist(), values[inside].tolist())
    shown.update_layout(dragmode=False, height=220)
    said = [html.P(remark, className="quiet") for remark in remarks]
    return html.Div([graph(shown, "What was searched for."), *said, table(caption, COLUMNS, rows)])


def register(app: Dash, site: Site) -> None:
    """Callbacks."""
    if site.actions.dos_search is None:
        return

    @app.callback(
        Output("dos-found", "children"), Input("dos-search", "n_clicks"), State("dos-text", "value"),
        State("dos-canvas", "relayoutData"), State("dos-metric", "value"), State("dos-low", "value"),
        State("dos-high", "value"), prevent_initial_call=True,
    )  # fmt: skip
    def _search(clicks: Any, *given: Any) -> Any:
        if not clicks:
            return no_update
        return ask(lambda: search(site, *given), lambda why: notice(why, "bad"))
