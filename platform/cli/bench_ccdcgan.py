"""``fermiloop bench ccdcgan-systems``: CCDCGAN's chain on binary systems."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fermiloop.platform.cli.bench_common import AsMarkdown, Crystals, Seed, crystals, one_form, tell
from fermiloop.platform.cli.output import AsJson
from fermiloop.platform.cli.progress import long_work

Systems = Annotated[
    list[str] | None,
    typer.Option("--system", help="A binary system such as Co-Hf; repeatable. [four of the papers, four at random]"),
]
Candidates = Annotated[
    int, typer.Option("--candidates", min=1, max=10_000, help="Crystals relaxed of each system and way, at most.")
]
Graphs = Annotated[int, typer.Option("--graphs", min=1, max=1_000_000, help="Graphs made of any elements.")]
Potential = Annotated[str, typer.Option("--potential", help="What relaxes.")]
Resume = Annotated[
    Path | None,
    typer.Option("--resume", help="Folder of networks and relaxations: the same command goes on where it was stopped."),
]
Quick = Annotated[bool, typer.Option("--quick", help="A toy network and the toy potential: a check, not a figure.")]


def systems(
    data: Crystals = None,
    system: Systems = None,
    candidates: Candidates = 10,
    graphs: Graphs = 500,
    potential: Potential = "chgnet",
    seed: Seed = 0,
    resume: Resume = None,
    quick: Quick = False,
    as_json: AsJson = False,
    as_markdown: AsMarkdown = False,
) -> None:
    """CCDCGAN's chain on binary systems: candidates relaxed, formation energies, hull, beside simple baselines."""
    one_form(as_json=as_json, as_markdown=as_markdown)
    from fermiloop.platform.bench.ccdcgan_systems import SystemsOptions, run, run_bench
    from fermiloop.platform.bench.registry import BENCHES

    file = crystals(data, quick=quick)
    with long_work("CCDCGAN on binary systems") as report:
        if quick:
            result = run_bench(file, True, seed, report)
        else:
            asked = SystemsOptions(file, tuple(system or ()), candidates, graphs, potential, seed, resume)
            result = run(asked, report)
    tell(BENCHES["ccdcgan-systems"].title, result, as_json=as_json, as_markdown=as_markdown)
