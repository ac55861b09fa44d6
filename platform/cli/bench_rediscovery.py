"""``fermiloop bench rediscovery``: held-out compounds found again by iMatGen and by simpler methods."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from fermiloop.platform.cli.bench_common import AsMarkdown, Seed, crystals, one_form, tell
from fermiloop.platform.cli.output import AsJson
from fermiloop.platform.cli.progress import long_work

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
    one_form(as_json=as_json, as_markdown=as_markdown)
    from fermiloop.platform.bench.imatgen_rediscovery import RediscoveryOptions, run, run_bench
    from fermiloop.platform.bench.registry import BENCHES

    file = crystals(data, quick=quick)
    options = RediscoveryOptions(file, per_group, seed=seed, resume=resume, funnel=funnel)
    if potential:
        options = replace(options, potential=potential)
    with long_work("Rediscovery") as report:
        result = run_bench(file, True, seed, report) if quick else run(options, report)
    tell(BENCHES["rediscovery"].title, result, as_json=as_json, as_markdown=as_markdown)
