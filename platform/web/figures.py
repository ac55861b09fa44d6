"""Figures of the pages, by plotly and pymatviz, from summaries and plain rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

import plotly.graph_objects as go
import pymatviz
from pymatgen.core import Composition
from pymatviz.utils import df_ptable

from fermiloop.platform.campaign.reported import HullData, RoundRow
from fermiloop.platform.representations.alignment import AXES
from fermiloop.platform.representations.spectrum import DOS_GRID
from fermiloop.platform.store import spectra
from fermiloop.platform.store.glance import Outcome
from fermiloop.platform.web.parts import HIT
from fermiloop.schemas.curve_kinds import SpectrumKind
from fermiloop.schemas.vocabulary import Alignment

INK: Final = "#1b2733"
GREY: Final = "#5c6b7a"
# Okabe and Ito's colours that stand out on white, told apart by people who see few colours
COLOURS: Final = ("#0072b2", "#d55e00", "#007a5a", "#9c4f86", "#8a6d00", "#333333")
MOST_ROUNDS: Final = 8
DRAWN: Final = {"color": COLOURS[1], "width": 3}


def blank(x: str, y: str, height: int = 340) -> go.Figure:
    """Axes in the style of the pages."""
    figure = go.Figure()
    figure.update_layout(
        template="plotly_white", height=height, margin={"l": 56, "r": 12, "t": 12, "b": 48},
        font={"color": INK, "size": 13}, legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
        xaxis_title=x, yaxis_title=y, uirevision="kept", colorway=COLOURS,
    )  # fmt: skip
    return figure


def curves(
    target: Sequence[float] | None,
    rows: Mapping[str, Sequence[float]],
    grid: Sequence[float],
    kind: str | None = None,
    about: str | None = None,
) -> go.Figure:
    """Target and computed curves, unit area, over the grid; densities of states where no other kind is named.

    The store's zero lies at zero of densities of states, or another.
    """
    axis = SpectrumKind(kind or SpectrumKind.DOS).declared.axis or AXES[Alignment(about or spectra.alignment())]
    figure = blank(axis, "Unit area")
    if target:
        figure.add_scatter(
            x=list(grid), y=list(target), name="target", fill="tozeroy", line={"color": "#b8c2cc", "width": 1}
        )
    for number, (name, values) in enumerate(rows.items()):
        figure.add_scatter(x=list(grid), y=list(values), name=name, line={"color": COLOURS[number % 6], "width": 2})
    return figure


def funnel(rounds: Sequence[RoundRow]) -> go.Figure:
    """Candidates left after each stage, a colour for each of the last rounds."""
    figure = blank("", "")
    for number, one in enumerate(rounds[-MOST_ROUNDS:]):
        tallies = one["funnel"]
        counts = {"proposed": one["proposed"]} | {row["stage"]: row["n_out"] for row in tallies}
        counts |= {"selected": one["selected"], "evaluated": one["evaluated"], "hits": one["hits"]}
        figure.add_funnel(
            y=list(counts), x=list(counts.values()), name=f"round {one['number']}",
            textinfo="value", marker={"color": COLOURS[number % 6]},
        )  # fmt: skip
    figure.update_layout(margin={"l": 92})
    return figure


def predicted(outcomes: Sequence[Outcome]) -> go.Figure:
    """Score that was predicted, with its standard deviation, against the computed one."""
    figure = blank("Predicted score (0 to 1)", "Computed score (0 to 1)")
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", line={"color": GREY, "dash": "dot"}, name="as predicted", hoverinfo="skip"
    )
    for hit, name in ((True, "hit"), (False, "no hit")):
        rows = [o for o in outcomes if bool(o.scores.get("hit")) is hit and o.scores.get("predicted_score") is not None]
        figure.add_scatter(
            x=[o.scores["predicted_score"] for o in rows], y=[o.scores.get("computed_score") for o in rows],
            error_x={"type": "data", "array": [o.scores.get("predicted_score_std", 0.0) for o in rows], "thickness": 1},
            text=[f"{o.formula}, round {o.round}, {o.generator}" for o in rows], name=name, mode="markers",
            marker={"size": 9, "symbol": "circle" if hit else "circle-open", "color": HIT if hit else GREY},
        )  # fmt: skip
    return figure


def hull(system: HullData) -> go.Figure:
    """Formation energies of the best candidate's binary system, those of this campaign by their round of arrival."""
    a, b = system["elements"]
    figure = blank(f"Fraction of {b} in {a}–{b}", "Formation energy (eV/atom)")
    points = [(p["fraction"], p["formation_energy"], p["formula"], p["candidate"]) for p in system["points"]]
    line = _lower_hull([(0.0, 0.0), (1.0, 0.0), *((x, y) for x, y, *_ in points if y <= 0)])
    figure.add_scatter(x=[p[0] for p in line], y=[p[1] for p in line], mode="lines", name="hull", line={"color": GREY})
    for own, name in ((False, "library"), (True, "campaigns")):
        rows = [p for p in points if bool(p[3]) is own]
        figure.add_scatter(
            x=[p[0] for p in rows], y=[p[1] for p in rows], text=[p[2] for p in rows], name=name,
            mode="markers+text" if own and len(rows) <= 12 else "markers", textposition="bottom center",
            marker={"size": 11 if own else 7, "color": COLOURS[1] if own else COLOURS[0]},
        )  # fmt: skip
    return figure


def above_hull(outcomes: Sequence[Outcome]) -> go.Figure:
    """Energy above the hull of every result by round: for systems of any number of elements."""
    figure = blank("Round", "Computed energy above hull (eV/atom)")
    key = "computed_energy_above_hull"
    for hit, name in ((True, "hit"), (False, "no hit")):
        rows = [o for o in outcomes if bool(o.scores.get("hit")) is hit and o.scores.get(key) is not None]
        figure.add_scatter(
            x=[o.round for o in rows], y=[o.scores[key] for o in rows], text=[o.formula for o in rows],
            mode="markers", name=name,
            marker={"size": 9, "symbol": "circle" if hit else "circle-open", "color": HIT if hit else GREY},
        )  # fmt: skip
    figure.update_yaxes(rangemode="tozero")
    figure.update_xaxes(dtick=1 if len({o.round for o in outcomes}) < 15 else None)
    return figure


def elements_tried(outcomes: Sequence[Outcome]) -> go.Figure:
    """Periodic table of pymatviz: evaluated compositions with each element, and hits among them."""
    tried: Counter[str] = Counter()
    hits: Counter[str] = Counter()
    for one in outcomes:
        symbols = [element.symbol for element in Composition(one.formula).elements]
        tried.update(symbols)
        hits.update(symbols if one.scores.get("hit") else [])
    figure = pymatviz.ptable_heatmap_splits({symbol: [n, hits[symbol]] for symbol, n in tried.items()})
    figure.update_layout(height=360, margin={"l": 4, "r": 4, "t": 8, "b": 8}, font={"color": INK})
    return figure


def picker(chosen: Sequence[str]) -> go.Figure:
    """A periodic table to click on, laid out by pymatviz's table; the chosen elements are filled."""
    figure = blank("", "", height=300)
    symbols = list(df_ptable.index)
    figure.add_scatter(
        x=df_ptable["column"], y=df_ptable["row"], text=symbols, customdata=symbols, mode="markers+text",
        textfont={"color": ["#ffffff" if s in chosen else INK for s in symbols], "size": 12},
        hovertemplate="%{customdata}<extra></extra>",
        marker={
            "symbol": "square", "size": 25, "line": {"color": "#8896a4", "width": 1},
            "color": [COLOURS[0] if s in chosen else "#eef2f5" for s in symbols],
        },
    )  # fmt: skip
    figure.update_layout(
        margin={"l": 4, "r": 4, "t": 4, "b": 4}, dragmode=False, showlegend=False, width=640, autosize=False
    )
    figure.update_xaxes(visible=False, fixedrange=True, range=[0.3, 18.7])
    figure.update_yaxes(visible=False, fixedrange=True, range=[df_ptable["row"].max() + 0.7, 0.3])
    return figure


def canvas(x: Sequence[float] = (), y: Sequence[float] = ()) -> go.Figure:
    """Axes to draw a curve on with the pointer; a curve that is there already is shown."""
    figure = blank(AXES[spectra.alignment()], "Density of states")
    figure.add_scatter(x=list(x), y=list(y), mode="lines", name="searched for", line=DRAWN)
    figure.update_layout(dragmode="drawopenpath", newshape={"line": DRAWN}, showlegend=False)
    figure.update_xaxes(range=[DOS_GRID.lo, DOS_GRID.hi], fixedrange=True)
    figure.update_yaxes(range=[0, max([1.0, *y]) * 1.05], fixedrange=True)
    return figure


def training(rows: Mapping[str, Sequence[float]]) -> go.Figure:
    """Loss by epoch, a line for each checkpoint."""
    figure = blank("Epoch", "Loss")
    for name, losses in rows.items():
        figure.add_scatter(x=list(range(1, len(losses) + 1)), y=list(losses), mode="lines", name=name)
    return figure


def _lower_hull(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Corners of the lower convex hull, by Andrew's monotone chain."""
    corners: list[tuple[float, float]] = []
    for x, y in sorted(set(points)):
        while len(corners) > 1:
            (x1, y1), (x2, y2) = corners[-2:]
            if (x2 - x1) * (y - y1) - (y2 - y1) * (x - x1) > 0:
                break
            corners.pop()
        corners.append((x, y))
    return corners
