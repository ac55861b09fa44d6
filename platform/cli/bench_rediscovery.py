"""``fermiloop bench rediscovery``: held-out compounds found again by iMatGen and by simpler methods."""

from __future__ import annotations

from dataclasses import replace
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
        help="Crystals of two elements, V-O among them, one JSON object a line, plain or gzip; "
        "../shared/data/mp_structures.jsonl.gz beside a checkout, where it is.",
    ),
]
PerGroup = Annotated[
    int, typer.Option("--per-group", min=1, max=1000, help="Compounds looked for of V-O, other oxides, other binaries.")
]
Relaxer = Annotated[str | None, typer.Option("--potential", help="What relaxes. [CHGNet]")]
Seed = Annotated[int, typer.Option("--seed", min=0, max=2**31, help="Of everything random.")]
Resume = Annotated[
    Path | None,
    typer.Option("--resume", help="File where results are kept: the same command goes on where it was stopped."),
]
Funnel = Annotated[
    int,
    typer.Option(
        "--funnel",
        min=0,
        max=10_000,
        help="Latent points sampled of each kind for new compositions; the paper: 10,000.",
    ),
]
Quick = Annotated[bool, typer.Option("--quick", help="A toy network and a toy potential: a check, not a figure.")]
AsMarkdown = Annotated[bool, typer.Option("--markdown", help="Print a table for a document.")]


def rediscovery(
    data: Data = None,
    per_group: PerGroup = 12,
    potential: Relaxer = None,
    seed: Seed = 0,
    resume: Resume = None,
    funnel: Funnel = 0,
    quick: Quick = False,
    as_json: AsJson = False,
    as_markdown: AsMarkdown = False,
) -> None:
    """Held-out compounds found again by iMatGen, beside random crystals and substitution (Noh et al., 2019)."""
    if as_json and as_markdown:
        raise InputError("The options --json and --markdown exclude each other; ask for one of them.")
    from fermiloop.platform.bench.imatgen_rediscovery import RediscoveryOptions, run, run_bench
    from fermiloop.platform.bench.registry import BENCHES
    from fermiloop.platform.cli.bench import SEED_LIBRARY, show

    beside = SEED_LIBRARY.parents[2] / ".." / "shared" / "data" / "mp_structures.jsonl.gz"
    file = data or (beside if beside.exists() else SEED_LIBRARY)
    options = RediscoveryOptions(file, per_group, seed=seed, resume=resume, funnel=funnel)
    if potential:
        options = replace(options, potential=potential)
    with long_work("Rediscovery") as report:
        result = run_bench(file, True, seed, report) if quick else run(options, report)
    if as_json:
        print_json(result)
    elif as_markdown:
        print_line(markdown_table(result["rows"]))
    else:
        show(BENCHES["rediscovery"].title, result)
