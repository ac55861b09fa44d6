"""``fermiloop bench potentials``: stability and volumes by potentials, and what both cost."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fermiloop.platform.cli.output import AsJson, markdown_table, print_json, print_line
from fermiloop.platform.cli.progress import long_work
from fermiloop.platform.errors import InputError

Data = Annotated[
    Path | None,
    typer.Option(
        "--data",
        help="Crystals with formation energies, one JSON object a line, plain or gzip; "
        "../shared/data/mp_structures.jsonl.gz beside a checkout, where it is, and the seed library otherwise.",
    ),
]
Potentials = Annotated[
    list[str] | None, typer.Option("--potential", help="A potential; repeatable. [CHGNet and the installed SevenNets]")
]
Judged = Annotated[int, typer.Option("--judged", min=20, max=100_000, help="Crystals whose stability is judged.")]
Relaxed = Annotated[int, typer.Option("--relaxed", min=0, max=100_000, help="Of these, how many are relaxed.")]
Seed = Annotated[int, typer.Option("--seed", min=0, max=2**32 - 1, help="Of everything random.")]
Resume = Annotated[
    Path | None,
    typer.Option("--resume", help="File where answers are kept: the same command goes on where it was stopped."),
]
Quick = Annotated[bool, typer.Option("--quick", help="The toy potential on few crystals: a check, not a figure.")]
AsMarkdown = Annotated[bool, typer.Option("--markdown", help="Print a table for a document.")]


def potentials(
    data: Data = None,
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
    if as_json and as_markdown:
        raise InputError("The options --json and --markdown exclude each other; ask for one of them.")
    from fermiloop.platform.bench.potentials import PotentialOptions, run, run_bench
    from fermiloop.platform.bench.registry import BENCHES
    from fermiloop.platform.cli.bench import SEED_LIBRARY, show

    beside = SEED_LIBRARY.parents[2] / ".." / "shared" / "data" / "mp_structures.jsonl.gz"
    file = data or (beside if beside.exists() and not quick else SEED_LIBRARY)
    with long_work("Potentials") as report:
        if quick:
            result = run_bench(file, True, seed, report)
        else:
            result = run(PotentialOptions(file, tuple(potential or ()), judged, relaxed, seed, resume), report)
    if as_json:
        print_json(result)
    elif as_markdown:
        print_line(markdown_table(result["rows"]))
    else:
        show(BENCHES["potentials"].title, result)
