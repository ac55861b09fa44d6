"""A new campaign: a file to start from, what is wrong with it while it is written, and the launch."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from dash import ALL, Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from fermiloop.platform.app import campaigns, queue
from fermiloop.platform.campaign import draft
from fermiloop.platform.errors import FermiloopError
from fermiloop.platform.web import home
from fermiloop.platform.web.guard import ask, text
from fermiloop.platform.web.parts import field, heading, notice, section
from fermiloop.platform.web.queue import NOBODY
from fermiloop.platform.web.site import Page, Site

EXAMPLES: Final = (
    Path(__file__).resolve().parents[2] / "examples"
)  # of a clone; an installed package has the draft alone
DRAFT: Final = "draft"
STILL: Final = """function(value) {
    window.clearTimeout(window.fermiloopStill);
    window.fermiloopStill = window.setTimeout(
        () => window.dash_clientside.set_props('launch-still', {data: value || ''}), 700);
    return window.dash_clientside.no_update;
}"""
"""A text is checked when it has not changed for a moment, not at every letter."""


def layout(site: Site, rest: str) -> Component:  # noqa: ARG001  (the signature of all pages)
    """The form, filled with the example that is named in the address."""
    found = examples()
    given = found.get(rest, "")
    return html.Div(
        [
            heading("New campaign", "Start from an example, or paste a campaign file; it is checked while you write."),
            section("Start from", _starts(found)),
            section(
                "Campaign file",
                field("Campaign file (YAML)", dcc.Textarea(id="launch-text", value=given, rows=26, spellCheck=False)),
                dcc.Store(id="launch-still"),
                html.Div(id="launch-typed", hidden=True),
                html.Div(check(given), id="launch-check", **{"aria-live": "polite"}),
                html.Div(
                    [
                        dcc.Upload(
                            html.Button("Take it from a file", className="plain", type="button"),
                            id="launch-file", max_size=home.MOST_TEXT, className="upload",
                        ),
                        html.Button("Launch", id="launch", n_clicks=0),
                    ],
                    className="row",
                ),
                html.Div(id="launch-note"),
                listening(),
            ),
        ]
    )  # fmt: skip


def examples() -> dict[str, str]:
    """Texts to start from, by name: a commented draft, and the examples of the repository where they are."""
    found = {DRAFT: draft.draft("my-campaign")}
    for path in sorted(EXAMPLES.glob("*.yaml")):
        written = path.read_text(encoding="utf-8")
        if "file:" not in written:  # a server reads no file that a page names
            found[path.stem] = written
    return found


def check(given: object) -> Component:
    """Everything that stands in the way of a text, or that it can be launched; nothing is stored."""
    written = text(given)
    if not written:
        return html.P("Nothing is written yet.", className="quiet")
    if len(written) > home.MOST_TEXT:
        return notice(f"The campaign file has {len(written)} characters; {home.MOST_TEXT} are the most.", "bad")
    found = ask(lambda: campaigns.problems_of(written), lambda why: notice(why, "bad"))
    if isinstance(found, Component):
        return found
    if not found:
        return notice("This campaign can be launched.", "good")
    rows = [html.Li([html.Strong(f"{one.key}: ") if one.key else "", one.text]) for one in found]
    return html.Div([html.P("It cannot be launched yet:"), html.Ul(rows)], className="notice bad")


def listening() -> Component:
    """How many workers will take it up."""
    try:
        n = len(queue.listeners())
    except FermiloopError as error:
        return notice(str(error), "bad")
    return html.P(queue.sentence(n), className="quiet") if n else notice(NOBODY)


def register(app: Dash, site: Site) -> None:
    """Callbacks."""
    app.clientside_callback(
        STILL, Output("launch-typed", "children"), Input("launch-text", "value"), prevent_initial_call=True
    )

    @app.callback(Output("launch-check", "children"), Input("launch-still", "data"), prevent_initial_call=True)
    def _check(given: object) -> object:
        return check(given)

    @app.callback(
        Output("launch-note", "children"), Input("launch", "n_clicks"),
        State("launch-text", "value"), State("token", "data"), prevent_initial_call=True,
    )  # fmt: skip
    def _launch(clicks: object, given: object, token: object) -> object:
        return home.launch(site, given, token) if clicks else no_update

    @app.callback(
        Output("launch-text", "value"), Output("launch-note", "children", allow_duplicate=True),
        Input("launch-file", "contents"), prevent_initial_call=True,
    )  # fmt: skip
    def _take(contents: object) -> object:
        found = home.uploaded(contents)
        if found is None:
            return no_update, notice("That file is no text in UTF-8; give a YAML file.", "bad")
        return found, None

    @app.callback(
        Output("launch-text", "value", allow_duplicate=True),
        Input({"type": "example", "name": ALL}, "n_clicks"), prevent_initial_call=True,
    )  # fmt: skip
    def _start(clicks: list[object]) -> object:
        chosen = ctx.triggered_id
        return examples().get(text(chosen.get("name")), no_update) if chosen and any(clicks) else no_update


def _starts(found: dict[str, str]) -> Component:
    buttons = [
        html.Button(_title(name), id={"type": "example", "name": name}, n_clicks=0, className="plain small")
        for name in found
    ]
    return html.Div(buttons, className="row")


def _title(name: str) -> str:
    return "a commented draft" if name == DRAFT else name.replace("-", " ")


PAGE = Page("New campaign", layout, register)
