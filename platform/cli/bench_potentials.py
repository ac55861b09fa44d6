"""``fermiloop bench potentials``: stability and volumes by potentials, and what both cost."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fermiloop.platform.cli.bench_common import AsMarkdown, Crystals, Seed, crystals, one_form, tell
from fermiloop.platform.cli.output import AsJson
from fermiloop.platform.cli.progress import long_work

Potentials = Annotated[
    list[str] | None, typer.Option("--potential", help="A potential; repeatable. [CHGNet and the installed SevenNets]")
]
Judged = Annotated[int, typer.Option("--judged", min=20, max=100_000, help="Crystals whose stability is judged.")]
Relaxed = Annotated[int, typer.Option("--relaxed", min=0, max=100_000, help="Of these, how many are relaxed.")]
Resume = Annotated[
    Path | None,
    typer.Option("--resume", help="File where answers are kept: the same command goes on where it was stopped."),
]
Quick = Annotated[bool, typer.Option("--quick", help="The toy potential on few crystals: a check, not a figure.")]


def potentials(
    data: Crystals = None,
    potential: Potentials = None,
    judged: Judged = 1000,
    relaxed: Relaxed = 120,
    seed: Seed = 0,
    resume: Resume = None,
    quick: Quick = False,
    as_json: AsJson = False,
    as_markdown: AsMarkdown = False,
) -> None:
    """Potentials against DFT: stability within 0.1 eV/atom, relaxed volumes, core-seconds."""
    one_form(as_json=as_json, as_markdown=as_markdown)
    from fermiloop.platform.bench.potentials import PotentialOptions, run, run_bench
    from fermiloop.platform.bench.registry import BENCHES

    file = crystals(data, quick=quick)
    with long_work("Potentials") as report:
        if quick:
            result = run_bench(file, True, seed, report)
        else:
            result = run(PotentialOptions(file, tuple(potential or ()), judged, relaxed, seed, resume), report)
    tell(BENCHES["potentials"].title, result, as_json=as_json, as_markdown=as_markdown)
