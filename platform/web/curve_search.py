"""Search of densities of states by a curve that is drawn or pasted; part of the page of the database."""

from __future__ import annotations

from typing import Final

from dash import Dash, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component

from fermiloop.platform.app import curves, materials
from fermiloop.platform.app.curves import Curve
from fermiloop.platform.errors import InputError
from fermiloop.platform.web import drawing, figures
from fermiloop.platform.web.guard import ask, finite, text
from fermiloop.platform.web.parts import field, graph, notice, number, section, table, to_material
from fermiloop.platform.web.symmetry import group_of_material, with_group

METRICS: Final = {
    "cosine": "cosine (1 is the same shape)",
    "wasserstein": "Wasserstein distance in eV (0 is the same)",
    "fingerprint": "fingerprint, Tanimoto coefficient (1 is the same)",
}
MOST_TEXT: Final = 1_000_000
MOST_NEAR: Final = 20  # materials that are shown
COLUMNS: Final = {"formula": "Material", "value": "Value of the metric"}


def layout() -> Component:
    """The canvas, the box to paste into, metric and window."""
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


def search(pasted: object, drawn: object, metric: object, low: object, high: object) -> Component:
    """The nearest materials; what was pasted goes before what was drawn.

    Raises
    ------
    InputError
        If there is no curve, or it or the window is invalid.
    """
    given = text(pasted)
    if len(given) > MOST_TEXT:
        raise InputError(f"The pasted curve has {len(given)} characters; {MOST_TEXT} are the most.")
    name = text(metric)
    if name not in METRICS:
        raise InputError(f"The metric {name!r} is unknown; known are {', '.join(METRICS)}.")
    curve = _curve(given, drawn, (finite(low), finite(high)))
    found = curves.similar(curve, metric=name, limit=MOST_NEAR)
    kept = materials.get_many(one.material for one in found)
    rows = [
        {
            "formula": with_group(to_material(one.material, one.formula), group_of_material(kept.get(one.material))),
            "value": number(one.value, 4),
        }
        for one in found
    ]
    (first, last), points = curve.window, curves.GRID.points
    caption = f"Nearest by {METRICS[name]}, {first:g} to {last:g} eV"
    inside = (points >= first - 1e-6) & (points <= last + 1e-6)
    shown = figures.canvas(points[inside].tolist(), curve.values[inside].tolist())
    shown.update_layout(dragmode=False, height=220)
    said = [html.P(remark, className="quiet") for remark in curve.remarks]
    return html.Div([graph(shown, "What was searched for."), *said, table(caption, COLUMNS, rows)])


def _curve(given: str, drawn: object, ends: tuple[float | None, float | None]) -> Curve:
    """What was pasted, or else what was drawn."""
    if given:
        return curves.of_pasted(given, ends)
    shape = drawing.of_shapes(drawn)
    if shape is None:
        raise InputError("There is no curve yet; draw one, or paste two columns.")
    return curves.of_drawing(*shape, ends)


def register(app: Dash) -> None:
    """Callbacks."""

    @app.callback(
        Output("dos-found", "children"), Input("dos-search", "n_clicks"), State("dos-text", "value"),
        State("dos-canvas", "relayoutData"), State("dos-metric", "value"), State("dos-low", "value"),
        State("dos-high", "value"), prevent_initial_call=True,
    )  # fmt: skip
    def _search(clicks: object, *given: object) -> object:
        if not clicks:
            return no_update
        return ask(lambda: search(*given), lambda why: notice(why, "bad"))
