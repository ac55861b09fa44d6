"""Pieces that all pages share: links, tables, figures of merit, notices. Plain HTML, escaped by Dash."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

import dash
from dash import dcc, html
from dash.development.base_component import Component
from plotly.graph_objects import Figure

from fermiloop.schemas.base import now

Cell = object  # text, a number, a component, or None, which shows as a dash
HIT: Final = "#0b5d3b"  # the colour of a hit, in tables (``.hit`` of the style sheet) and in figures alike
GRAPH_CONFIG = {"displaylogo": False, "responsive": True, "displayModeBar": False}


def href(*segments: str) -> str:
    """Address of a page within the site."""
    return str(dash.get_relative_path("/" + "/".join(quote(one, safe="") for one in segments if one)))


def link(text: str, *segments: str, kind: str = "") -> Component:
    """Link to a page; of the kind ``button`` it looks like one."""
    return dcc.Link(text, href=href(*segments), className=kind or None)


def to_candidate(candidate: str | None, text: str | None = None) -> Cell:
    """Link to a candidate, a dash where there is none."""
    return link(text or candidate, "candidate", candidate) if candidate else "–"


def to_material(material: str | None, text: str | None = None) -> Cell:
    """Link to a material, a dash where there is none."""
    return link(text or material, "material", material) if material else "–"


def heading(title: str, *below: Cell) -> Component:
    """Head of a page."""
    return html.Header([html.H1(title), *(html.P(one, className="lead") for one in below if one)])


def section(title: str, *children: object, name: str | None = None) -> Component:
    """A part of a page with a heading of its own."""
    given = {"id": name} if name else {}
    return html.Section([html.H2(title), *children], className="card", **given)


def notice(text: str, kind: str = "info") -> Component:
    """A sentence that is read out when it appears; of the kind info, good or bad."""
    return html.P(text, className=f"notice {kind}", role="alert" if kind == "bad" else "status")


def table(caption: str, columns: Mapping[str, str], rows: Sequence[Mapping[str, Cell]]) -> Component:
    """A table that scrolls within the page; a sentence where it is empty.

    Parameters
    ----------
    columns
        Key of a row to the head of its column.
    """
    if not rows:
        return html.P(f"{caption}: none.", className="quiet")
    # roles are written out: on a phone each row becomes a card, and a table that is laid out so loses its own
    titles = [html.Th(title, scope="col", role="columnheader") for title in columns.values()]
    head = html.Thead(html.Tr(titles, role="row"), role="rowgroup")
    lines = [html.Tr([_td(title, row.get(key)) for key, title in columns.items()], role="row") for row in rows]
    body = html.Tbody(lines, role="rowgroup")
    # focusable, or the keyboard could not scroll it
    return html.Div(
        html.Table([html.Caption(caption), head, body], role="table"),
        className="scroll", tabIndex="0", role="region", **{"aria-label": caption},
    )  # fmt: skip


def hit(is_hit: object) -> Component:
    """Whether a result is a hit, in the one colour of hits."""
    return html.Strong("hit", className="hit") if is_hit else html.Span("no", className="quiet")


def facts(rows: Mapping[str, Cell]) -> Component:
    """Names and values."""
    pairs = [(html.Dt(name), html.Dd(_cell(value))) for name, value in rows.items()]
    return html.Dl([item for pair in pairs for item in pair])


def graph(figure: Figure, label: str, name: str | None = None, **config: object) -> Component:
    """A figure with its description."""
    given = {"id": name} if name else {}
    drawn = dcc.Graph(figure=figure, config=GRAPH_CONFIG | config, responsive=True, className="graph", **given)
    return html.Figure([drawn, html.Figcaption(label)])


def field(label: str, control: Component) -> Component:
    """An input with its label."""
    return html.Div([html.Label(label, htmlFor=control.id), control], className="field")


def choice(name: str, values: Mapping[str, str], chosen: str) -> Component:
    """A native list to choose one value of: the keyboard, screen readers and forms know it."""
    options = [html.Option(label, value=value, selected=value == chosen) for value, label in values.items()]
    return html.Select(options, id=f"find-{name}", name=name)


def bar(used: float, most: float, label: str) -> Component:
    """How much of a budget is used."""
    return html.Div(
        [html.Progress(value=str(min(used, most)), max=str(most or 1), **{"aria-label": label}), html.Span(label)],
        className="bar",
    )


def badge(state: str) -> Component:
    """A state as a coloured word."""
    return html.Span(state, className=f"badge {state}")


def number(value: object, digits: int = 3) -> str:
    """A number for reading, a dash where there is none."""
    if value is None or isinstance(value, bool) or not isinstance(value, int | float):
        return "–"
    return str(value) if isinstance(value, int) else f"{value:.{digits}f}"


def share(rate: float | None, low: float | None, high: float | None) -> str:
    """A share with its interval, in per cent."""
    if rate is None or low is None or high is None:
        return "–"
    return f"{100 * rate:.0f} % ({100 * low:.0f} to {100 * high:.0f})"


def ago(moment: datetime | None) -> str:
    """How long ago something was; a moment without a zone is in UTC."""
    if moment is None:
        return "–"
    seconds = max(0.0, (now() - in_utc(moment)).total_seconds())
    for size, word in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {word} ago"
    return f"{seconds:.0f} s ago"


def in_utc(moment: datetime) -> datetime:
    """The same moment in UTC, whatever the zone of this machine: what has none is in UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _td(title: str, value: Cell) -> Component:
    return html.Td(_cell(value), role="cell", **{"data-label": title})


def _cell(value: Cell) -> Cell:
    return "–" if value is None or value == "" else value
