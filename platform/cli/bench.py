"""``fermiloop bench``: the paper's figures, ours beside them."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Annotated, Final

import typer

from fermiloop.platform.cli.output import AsJson, Listing, print_json
from fermiloop.platform.cli.progress import long_work

SEED_LIBRARY: Final = Path(str(files("fermiloop.db_init"))) / "seed" / "gpaw_pbe.jsonl.gz"

app = typer.Typer(help="Benchmarks: the paper's figures, ours beside them.")


@app.callback()
def nouns() -> None:
    """Benchmarks: the paper's figures, ours beside them."""


@app.command("dos")
def dos(
    as_json: AsJson = False,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer epochs and splits: a check, not a figure.")] = False,
    library: Annotated[Path | None, typer.Option("--library", help="Train and test on this library.")] = None,
    test: Annotated[Path | None, typer.Option("--test", help="Test what the seed library taught on this one.")] = None,
) -> None:
    """Composition from a DOS: top-1 and top-5 with intervals, beside random and nearest-neighbour retrieval."""
    from fermiloop.platform.bench.dos import run_bench

    with long_work("Benchmark") as report:
        result = run_bench(SEED_LIBRARY, library=library, test=test, quick=quick, progress=report)
    if as_json:
        print_json(result)
        return
    columns = {key: key.replace("_", " ") for key in result["rows"][0]} if result["rows"] else {}
    Listing("Composition from a density of states", columns, result["rows"]).show()
