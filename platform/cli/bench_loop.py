"""``fermiloop bench loop``: the closed loop on recorded curves and labels."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from fermiloop.platform.cli.bench_common import BESIDE, SEED_LIBRARY, AsMarkdown, one_form
from fermiloop.platform.cli.output import AsJson, Listing, markdown_table, print_json, print_line
from fermiloop.platform.cli.progress import long_work

COLUMNS: Final = {
    "protocol": "protocol", "strategy": "strategy", "calls": "calls", "hits": "hits", "precision": "per call",
    "times_random": "times random (95 %)", "acceleration": "acceleration (95 %)", "enhancement": "enhancement (95 %)",
    "ratio_extra_trees": "times trees (95 %)", "ratio_nearest_composition": "times nearest (95 %)",
    "baseline": "baseline",
}  # fmt: skip
WITH_INTERVAL: Final = (
    "times_random", "acceleration", "enhancement", "ratio_extra_trees", "ratio_nearest_composition",
)  # fmt: skip

Library = Annotated[
    Path | None,
    typer.Option("--library", help="Densities of states in the seed library's format; the seed library otherwise."),
]
Data = Annotated[
    Path | None,
    typer.Option(
        "--data",
        help="Crystals with formation energies, one JSON object a line, plain or gzip, for the protocols window, "
        "lowest and front; ../shared/data/mp_structures.jsonl.gz beside a checkout otherwise, where it is.",
    ),
]
Protocol = Annotated[
    list[str] | None,
    typer.Option("--protocol", help="pool, hidden, window, lowest, stable or front; repeatable. [all]"),
]
StrategyName = Annotated[
    list[str] | None,
    typer.Option("--strategy", help="default, an acquisition, a surrogate or a baseline; repeatable. [see docs]"),
]
Targets = Annotated[int | None, typer.Option("--targets", min=1, max=10_000, help="Curves looked for. [40]")]
Seeds = Annotated[int | None, typer.Option("--seeds", min=1, max=1000, help="Runs of each. [2; 10 of windows]")]
Seed = Annotated[int, typer.Option("--seed", min=0, max=2**31, help="Of the targets, and the first of the runs.")]
Resume = Annotated[
    Path | None,
    typer.Option("--resume", help="File where runs are kept: the same command goes on where it was stopped."),
]
Quick = Annotated[bool, typer.Option("--quick", help="Smaller and shorter: a check, not a figure.")]


def loop(
    library: Library = None,
    data: Data = None,
    protocol: Protocol = None,
    strategy: StrategyName = None,
    targets: Targets = None,
    seeds: Seeds = None,
    seed: Seed = 0,
    resume: Resume = None,
    quick: Quick = False,
    as_json: AsJson = False,
    as_markdown: AsMarkdown = False,
) -> None:
    """The closed loop on recorded curves and labels: its hits beside those of random choice and of plain rules."""
    one_form(as_json=as_json, as_markdown=as_markdown)
    from fermiloop.platform.bench.loop import LoopOptions, run_loop

    options = LoopOptions(
        library or SEED_LIBRARY,
        data or (BESIDE if BESIDE.exists() else None),
        tuple(protocol or ()),
        tuple(strategy or ()),
        targets,
        seeds,
        seed,
        quick,
        resume,
    )
    with long_work("Loop") as report:
        result = run_loop(options, report)
    if as_json:
        print_json(result)
    elif as_markdown:
        print_line(markdown_table([told(row) for row in result["rows"]]))
    else:
        show(result)


def told(row: dict[str, Any]) -> dict[str, Any]:
    """A row for people: each factor with its interval in one cell."""
    cells = {name: row.get(name) for name in COLUMNS}
    for name in WITH_INTERVAL:
        value, low, high = (row.get(key) for key in (name, f"{name}_low", f"{name}_high"))
        if value is not None:
            cells[name] = f"{value:.2f}" if low is None else f"{value:.2f} ({low:.2f} – {high:.2f})"
    return {COLUMNS[name]: cell for name, cell in cells.items()}


def show(result: dict[str, Any]) -> None:
    """Print the table, what was left out and why."""
    rows = [told(row) for row in result["rows"]]
    Listing("The closed loop on recorded answers", {name: name for name in COLUMNS.values()}, rows).show()
    for name, reason in result["skipped"].items():
        print_line(f"{name}: left out. {reason}")
    for reason in result["refused"][:10]:
        print_line(f"Refused: {reason}")
    print_line(f"{result['seconds']:.0f} s.")
