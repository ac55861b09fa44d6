"""Pictures of a campaign's summary, by matplotlib's object-oriented interface: no global state.

Colours are those of Okabe and Ito (2008), which colour-blind readers tell apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from scipy.spatial import ConvexHull, QhullError

from fermiloop.platform.representations.alignment import AXES
from fermiloop.schemas.curve_kinds import SpectrumKind
from fermiloop.schemas.scores import PLAIN, SCORES
from fermiloop.schemas.vocabulary import Alignment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from matplotlib.axes import Axes

    from fermiloop.platform.campaign.reported import EvaluatedRow, Summary

PALETTE: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
GREY: Final = "#6b6b6b"
DPI: Final = 130


@dataclass(frozen=True)
class Drawing:
    """One picture of the report: how it is drawn, what stands below it, and of which campaigns there is one."""

    draw: Callable[[Summary], Figure]
    caption: str
    wanted: Callable[[Summary], bool]


FIGURES: Final[dict[str, Drawing]] = {}
"""Pictures by name, in the order in which they stand here and in the report."""


def _figure(
    caption: str, wanted: Callable[[Summary], bool] = lambda _: True
) -> Callable[[Callable[[Summary], Figure]], Callable[[Summary], Figure]]:
    """Make a function a picture of the report: this is all that a new one needs."""

    def added(draw: Callable[[Summary], Figure]) -> Callable[[Summary], Figure]:
        FIGURES[draw.__name__] = Drawing(draw, caption, wanted)
        return draw

    return added


def _canvas(title: str, x: str, y: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(7.2, 4.3), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_title(title, loc="left", fontsize=12)
    axes.set_xlabel(x, fontsize=11)
    axes.set_ylabel(y, fontsize=11)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _nothing(axes: Axes, why: str) -> None:
    axes.text(0.5, 0.5, why, transform=axes.transAxes, ha="center", va="center", color=GREY, fontsize=11)
    axes.set_xticks([])
    axes.set_yticks([])


@_figure("Target curve (grey) and the best computed ones.")
def curve(summary: Summary) -> Figure:
    """The target's curve and the best computed ones."""
    target = summary["target"]
    kind = SpectrumKind(target["kind"] or SpectrumKind.DOS).declared
    axis = kind.axis or AXES[Alignment(target.get("alignment") or Alignment.MIDGAP)]
    figure, axes = _canvas(f"Target and computed {kind.title}", axis, kind.values)
    if not target["values"]:
        _nothing(axes, f"This campaign looks for no {kind.title}.")
        return figure
    axes.fill_between(target["grid"], target["values"], color="#d9d9d9", label=f"target {target['name']}".strip())
    for number, (one, colour) in enumerate(zip(summary["curves"], PALETTE, strict=False)):
        label = f"{one['formula']} ({one['score']:.3f})" if one["score"] is not None else one["formula"]
        axes.plot(target["grid"], one["values"], color=colour, lw=1.8 if number == 0 else 1.2, label=label)
    if kind.line is not None:
        axes.axvline(kind.line, color=GREY, lw=0.8, ls=":")
    if target["window"]:
        axes.axvspan(target["window"][0], target["window"][1], color=GREY, alpha=0.08, lw=0, label="compared")
    axes.set_xlim(target["grid"][0], target["grid"][-1])
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False, fontsize=10, title="cosine similarity" if summary["curves"] else None)
    return figure


@_figure("Score of every evaluation by round; filled circles are hits.")
def scores(summary: Summary) -> Figure:
    """Score of every evaluation by its round, hits filled."""
    figure, axes = _canvas("Score of every evaluation", "Round", "Score")
    rows = [one for one in summary["evaluated"] if one["score"] is not None]
    if not rows:
        _nothing(axes, "No evaluation has given a score yet.")
        return figure
    for number in sorted({one["round"] for one in rows}):
        mine = sorted((one for one in rows if one["round"] == number), key=_score)
        spread = np.linspace(-0.25, 0.25, len(mine)) if len(mine) > 1 else np.zeros(1)
        for shift, one in zip(spread, mine, strict=True):
            face = PALETTE[0] if one["hit"] else "white"
            axes.scatter(number + shift, _score(one), s=55, facecolor=face, edgecolor=PALETTE[0], zorder=3)
            if len(rows) <= 16:
                place = (number + shift, one["score"])
                label = axes.annotate(
                    one["formula"], place, (0, 7), textcoords="offset points", ha="center", fontsize=9
                )
                label.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 0.5, "alpha": 0.85})
    threshold = summary["target"]["hit_score"]
    if threshold is not None:
        axes.axhline(threshold, color=PALETTE[1], lw=1.2, ls="--", label=f"hit from {threshold:g}")
    axes.scatter([], [], s=55, facecolor=PALETTE[0], edgecolor=PALETTE[0], label="hit")
    axes.scatter([], [], s=55, facecolor="white", edgecolor=PALETTE[0], label="no hit")
    numbers = [one["round"] for one in rows]
    axes.set_xlim(min(numbers) - 0.6, max(numbers) + 0.6)
    axes.margins(y=0.15)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=10)
    return figure


def _score(one: EvaluatedRow) -> float:
    return float("nan") if one["score"] is None else one["score"]


@_figure("Share of evaluations that are hits, beside a random pick from the library and plain substitution.")
def hit_rate(summary: Summary) -> Figure:
    """Hit rate of each round with its 95 % interval, beside the baselines."""
    figure, axes = _canvas("Hit rate with its 95 % Wilson interval", "", "Hit rate")
    bars = [
        (f"round {one['number']}", one["hits"], one["evaluated"], one["hit_rate"], one["hit_low"], one["hit_high"])
        for one in summary["rounds"][-8:]
    ]
    named = {"all rounds": summary["hits"], "random pick": summary["baseline"]["random"],
             "substitution": summary["baseline"]["substitution"]}  # fmt: skip
    bars += [(name, one["hits"], one["n"], one["rate"], one["low"], one["high"]) for name, one in named.items()]
    for place, (name, _, _, rate, low, high) in enumerate(bars):
        if rate is None or low is None or high is None:
            axes.text(place, 0.02, "none", ha="center", color=GREY, fontsize=9)
            continue
        colour = PALETTE[0] if name.startswith("round") else PALETTE[2] if name == "all rounds" else PALETTE[4]
        error = [[max(0.0, rate - low)], [max(0.0, high - rate)]]
        axes.errorbar(place, rate, yerr=error, fmt="o", ms=8, capsize=5, lw=1.8, color=colour)
    labels = [f"{name}\n{hits} of {n}" for name, hits, n, *_ in bars]
    crowded = len(bars) > 6
    axes.set_xticks(range(len(bars)), labels, fontsize=9 if crowded else 10, rotation=35 if crowded else 0)
    axes.set_xlim(-0.6, len(bars) - 0.4)
    axes.set_ylim(-0.03, 1.03)
    axes.grid(axis="y", lw=0.4, color="#dddddd")
    return figure


@_figure("What was predicted of each evaluated candidate when it was chosen, and what was computed.")
def parity(summary: Summary) -> Figure:
    """What was predicted when a candidate was chosen, with its standard deviation, against what was computed."""
    rows = {row["part"]: row for row in summary["insight"]["parity"]}
    row = rows.get("similarity") or next(iter(rows.values()), None)
    label = PLAIN[row["part"]].heading if row else "value"
    figure, axes = _canvas(f"Predicted against computed {label}", f"predicted {label}", f"computed {label}")
    if row is None:
        _nothing(axes, "Nothing that was predicted has been computed yet.")
        return figure
    for hit, name in ((True, "hit"), (False, "no hit")):
        pairs = [pair for pair in row["pairs"] if pair["hit"] is hit]
        if pairs:
            axes.errorbar(
                [pair["predicted"] for pair in pairs], [pair["computed"] for pair in pairs],
                xerr=[pair["std"] or 0.0 for pair in pairs], fmt="o", ms=7, lw=1.0, label=name,
                color=PALETTE[0], mfc=PALETTE[0] if hit else "white",
            )  # fmt: skip
    values = [pair[key] for pair in row["pairs"] for key in ("predicted", "computed")]
    margin = 0.05 * (max(values) - min(values)) or 0.1
    ends = [min(values) - margin, max(values) + margin]
    axes.plot(ends, ends, color=GREY, lw=1.0, ls=":", zorder=0)
    axes.set_ylim(*ends)
    axes.plot([], [], color=PALETTE[0], lw=1.0, label="one standard deviation")
    figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=10)
    return figure


@_figure("Candidates left after each stage of the funnel.")
def funnel(summary: Summary) -> Figure:
    """How many candidates each stage let pass, round by round."""
    figure, axes = _canvas("What the funnel let pass", "", "Candidates")
    rounds = [one for one in summary["rounds"] if one["funnel"]]
    if not rounds:
        _nothing(axes, "No round has been screened yet.")
        return figure
    stages = list(dict.fromkeys(tally["stage"] for one in rounds for tally in one["funnel"]))
    names = ["proposed", *stages]
    shown = rounds[-len(PALETTE) :]
    width = 0.8 / len(shown)
    for index, one in enumerate(shown):
        out = {tally["stage"]: tally["n_out"] for tally in one["funnel"]}
        heights = [one["funnel"][0]["n_in"], *(out.get(stage, 0) for stage in stages)]
        places = np.arange(len(names)) + (index - (len(shown) - 1) / 2) * width
        bars = axes.bar(places, heights, width * 0.92, color=PALETTE[index], label=f"round {one['number']}")
        if len(shown) <= 3:
            axes.bar_label(bars, fontsize=9, padding=1)
    axes.set_xticks(np.arange(len(names)), names, rotation=25, ha="right", fontsize=10)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.margins(y=0.12)
    axes.legend(frameon=False, fontsize=10)
    return figure


@_figure("Formation energies in the best candidate's system, by the engine's own references.")
def hull(summary: Summary) -> Figure:
    """Formation energies and lower hull of the best candidate's binary system."""
    system = summary["hull"]
    if not system or not system["points"]:
        figure, axes = _canvas("Convex hull of the best candidate", "", "")
        _nothing(axes, "The best candidate is in no binary system of known energies.")
        return figure
    a, b = system["elements"]
    figure, axes = _canvas(f"Convex hull of {a}–{b}", f"Fraction of {b}", "Formation energy (eV/atom)")
    line = _lower_hull([(0.0, 0.0), (1.0, 0.0), *((p["fraction"], p["formation_energy"]) for p in system["points"])])
    axes.plot(*zip(*line, strict=True), color=GREY, lw=1.3, zorder=1, label="hull")
    for own, colour, label in ((False, PALETTE[5], "library"), (True, PALETTE[1], "this campaign")):
        points = [p for p in system["points"] if bool(p["candidate"]) is own]
        if points:
            x, y = [p["fraction"] for p in points], [p["formation_energy"] for p in points]
            axes.scatter(x, y, s=60 if own else 30, color=colour, label=label, zorder=3 if own else 2)
        for point in points if own else ():
            place = (point["fraction"], point["formation_energy"])
            axes.annotate(point["formula"], place, (0, -15), textcoords="offset points", ha="center", fontsize=10)
    axes.set_xlim(-0.03, 1.03)
    axes.margins(y=0.2)
    figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=10)
    return figure


def _lower_hull(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Corners of the lower convex hull from fraction 0 to 1, formation energies at most 0."""
    below = sorted({point for point in points if point[1] <= 0})
    try:
        corners = sorted(below[index] for index in ConvexHull(np.asarray(below)).vertices)
    except (QhullError, ValueError):  # all on one line
        return [(0.0, 0.0), (1.0, 0.0)]
    ends = {x: min(y for z, y in corners if z == x) for x in (0.0, 1.0)}
    inner = [(x, y) for x, y in corners if 0 < x < 1 and y < 0]
    return [(0.0, ends[0.0]), *inner, (1.0, ends[1.0])]


@_figure(
    "Evaluated candidates by what is traded off; those that none dominates are filled and joined.",
    lambda summary: summary["pareto"] is not None,
)
def pareto(summary: Summary) -> Figure:
    """Evaluated candidates by the first two objectives, those that none dominates filled and joined."""
    found = summary["pareto"]
    assert found is not None
    (x, up), (y, right) = ((one["name"], one["direction"]) for one in found["objectives"][:2])
    figure, axes = _canvas("Pareto front", f"{_axis(x)}, {up}d", f"{_axis(y)}, {right}d")
    if not found["points"]:
        _nothing(axes, "No evaluation has given every objective yet.")
        return figure
    front = sorted(tuple(one["values"][:2]) for one in found["points"] if one["on_front"])
    if len(found["objectives"]) == 2 and front:
        axes.plot(*zip(*front, strict=True), color=PALETTE[1], lw=1.2, zorder=2)
    for one in found["points"]:
        face = PALETTE[1] if one["on_front"] else "white"
        place = (one["values"][0], one["values"][1])
        axes.scatter(*place, 55, facecolor=face, edgecolor=PALETTE[1], zorder=3)
        if one["on_front"]:
            axes.annotate(one["formula"], place, (0, 7), textcoords="offset points", ha="center", fontsize=9)
    axes.margins(0.12)
    return figure


def _axis(name: str) -> str:
    return SCORES[name].title if name in SCORES else name


def draw(summary: Summary, folder: Path) -> dict[str, Path]:
    """Write every picture that is wanted as PNG into an existing folder; name to path."""
    paths = {}
    for name, one in FIGURES.items():
        if one.wanted(summary):
            paths[name] = folder / f"{name}.png"
            one.draw(summary).savefig(paths[name], dpi=DPI)
    return paths
