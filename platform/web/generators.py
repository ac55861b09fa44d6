"""Generators: what is in use, what challenges it, how they learned, and why the gate said what it said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dash import html
from dash.development.base_component import Component

from fermiloop.platform.app import generators, schedules
from fermiloop.platform.errors import NotFoundError
from fermiloop.platform.web import figures
from fermiloop.platform.web.parts import Cell, ago, badge, graph, heading, link, number, section, table
from fermiloop.platform.web.site import Page, Site
from fermiloop.schemas.checkpoint import Checkpoint
from fermiloop.schemas.vocabulary import CheckpointState

MOST_LINES: Final = 6
MOST_ROWS: Final = 25
ALL: Final = {
    "name": "Name", "presets": "Presets", "champion": "Champion", "challenger": "Newest challenger", "n": "Checkpoints",
    "package": "Package",
}  # fmt: skip
ONE: Final = {
    "id": "Checkpoint", "state": "State", "preset": "Preset", "metrics": "Metrics", "gate": "What the gate said",
    "made": "Made",
}  # fmt: skip


def layout(site: Site, rest: str) -> Component:  # noqa: ARG001  (the signature of all pages)
    """All generators, or the one of a name.

    Raises
    ------
    NotFoundError
        If no generator bears the name.
    """
    if not rest:
        rows = [_row(one) for one in generators.standings()]
        said = "Each retraining makes a challenger; the gate makes it champion or says why not."
        return html.Div([heading("Generators", said), section("All", table("Generators and surrogates", ALL, rows))])
    if rest not in generators.kept():
        raise NotFoundError(f"There is no generator {rest}; known are {', '.join(generators.kept())}.")
    standing = generators.standing(rest, MOST_ROWS)
    found, reasons = list(standing.checkpoints), _reasons()
    rows = [_checkpoint(one, reasons) for one in found]
    return html.Div(
        [
            heading(rest, ", ".join(standing.presets)),
            section("Training curves", _curves(found)),
            section("Checkpoints", table(f"{len(rows)} checkpoints, newest first", ONE, rows)),
            html.P(link("All generators", "generators")),
        ]
    )


def _row(one: generators.Standing) -> dict[str, Cell]:
    champion, challenger = one.of(CheckpointState.CHAMPION)[:1], one.of(CheckpointState.CHALLENGER)[:1]
    return {
        "name": link(one.name, "generators", one.name),
        "presets": ", ".join(one.presets),
        "champion": champion[0].id if champion else None,
        "challenger": f"{challenger[0].id}, {ago(challenger[0].created_at)}" if challenger else None,
        "n": len(one.checkpoints),
        "package": one.package,
    }


def _checkpoint(one: Checkpoint, reasons: Mapping[str, str]) -> dict[str, Cell]:
    metrics = ", ".join(f"{name} {number(value, 4)}" for name, value in one.metrics.items())
    return {
        "id": one.id,
        "state": badge(str(one.state)),
        "preset": one.preset,
        "metrics": metrics,
        "gate": reasons.get(one.id),
        "made": ago(one.created_at),
    }


def _curves(found: list[Checkpoint]) -> Component:
    """Loss of the newest checkpoints that keep one; the champion is among them."""
    kept = [one for one in found if one.history]
    shown = [one for one in kept if one.state is CheckpointState.CHAMPION] + [
        one for one in kept if one.state is not CheckpointState.CHAMPION
    ]
    if not shown:
        return html.P("None: nothing was trained, or it learns without epochs.", className="quiet")
    lines = {f"{one.state} {one.id[-6:]}": list(one.history) for one in shown[:MOST_LINES]}
    return graph(figures.training(lines), f"Loss by epoch of {len(lines)} of {len(kept)} checkpoints.")


def _reasons() -> dict[str, str]:
    """What the gate said of each challenger that a schedule made."""
    return {one.checkpoint: one.told or "" for one in schedules.history() if one.checkpoint}


PAGE = Page("Generators", layout)
