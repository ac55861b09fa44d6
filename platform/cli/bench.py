"""``fermiloop bench``: the papers' figures, ours beside them."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from fermiloop.platform.bench.registry import BENCHES
from fermiloop.platform.cli import bench_ccdcgan, bench_full, bench_loop, bench_potentials, bench_rediscovery
from fermiloop.platform.cli.output import AsJson, Listing, markdown_table, print_json, print_line
from fermiloop.platform.cli.progress import long_work
from fermiloop.platform.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

SEED_LIBRARY: Final = Path(str(files("fermiloop.db_init"))) / "seed" / "gpaw_pbe.jsonl.gz"

Quick = Annotated[bool, typer.Option("--quick", help="Smaller and shorter: a check, not a figure.")]
DataFile = Annotated[
    Path | None,
    typer.Option("--data", help="Crystals, one JSON object a line, plain or gzip; the seed library otherwise."),
]
AsMarkdown = Annotated[bool, typer.Option("--markdown", help="Print a table for a document.")]
Seed = Annotated[int, typer.Option("--seed", min=0, max=2**32 - 1, help="Of everything random.")]

app = typer.Typer(help="Benchmarks: the papers' figures, ours beside them.")


@app.callback()
def nouns() -> None:
    """Benchmarks: the papers' figures, ours beside them."""


def dos(
    as_json: AsJson = False,
    quick: Quick = False,
    library: Annotated[Path | None, typer.Option("--library", help="Train and test on this library.")] = None,
    test: Annotated[Path | None, typer.Option("--test", help="Test what the seed library taught on this one.")] = None,
    gaps: Annotated[
        Path | None,
        typer.Option("--gaps", help="Crystals with band gaps, whose class is predicted from the composition vectors."),
    ] = None,
    element_map: Annotated[
        Path | None, typer.Option("--map", help="Write a map of the element vectors, as .svg or .png, and no more.")
    ] = None,
    full: bench_full.Full = False,
    device: bench_full.Device = None,
    hours: bench_full.Hours = None,
    folder: bench_full.Folder = None,
    estimate: bench_full.Estimate = False,
) -> None:
    """Composition from a DOS: top-1 and top-5 with intervals, beside random and nearest-neighbour retrieval."""
    from fermiloop.platform.bench.dos import run_libraries, write_map

    scale = bench_full.Scale(full, device, hours, folder, estimate)
    if scale.asked_for():
        bench_full.train("dos", library or SEED_LIBRARY, 0, scale, as_json=as_json)
        return
    if element_map is not None:
        write_map(library or SEED_LIBRARY, element_map)
        print_line(f"The map of the element vectors is in {element_map}.")
        return
    with long_work("Benchmark") as report:
        result = run_libraries(SEED_LIBRARY, library=library, test=test, quick=quick, gaps=gaps, progress=report)
    if as_json:
        print_json(result)
        return
    show("Composition from a density of states", result)


@app.command("all")
def everything(data: DataFile = None, quick: Quick = False, seed: Seed = 0, as_json: AsJson = False) -> None:
    """Every benchmark, one after the other; one that the data do not suit says so and the rest goes on."""
    found: dict[str, Any] = {}
    for name, bench in BENCHES.items():
        with long_work(name) as report:
            try:
                file = SEED_LIBRARY if data is None or bench.of_library else data
                found[name] = bench.run(file, quick=quick, seed=seed, progress=report)
            except InputError as error:
                found[name] = {"title": bench.title, "rows": [], "left_out": str(error)}
        if not as_json:
            show(bench.title, found[name])
    if as_json:
        print_json(found)


def show(title: str, result: dict[str, Any]) -> None:
    """Print a benchmark for people: its table, what it was measured on, and how long it took."""
    if "left_out" in result:
        print_line(f"{title}: left out. {result['left_out']}")
        return
    rows = result["rows"]
    keys = dict.fromkeys(key for row in rows for key in row)
    told = [key for key in keys if any(row.get(key) is not None for row in rows)]
    Listing(title, {key: key.replace("_", " ") for key in told}, rows).show()
    if "source" in result:
        print_line(
            f"Published figures: {result['source']}. Data: {_told(result.get('data'))}. {result['seconds']:.0f} s."
        )


def _told(data: Any) -> str:
    if isinstance(data, dict):
        return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in data.items() if value not in ([], None))
    return str(data)


def _command(name: str) -> Callable[..., None]:
    bench = BENCHES[name]

    def command(
        data: DataFile = None,
        quick: Quick = False,
        seed: Seed = 0,
        as_json: AsJson = False,
        as_markdown: AsMarkdown = False,
    ) -> None:
        if as_json and as_markdown:
            raise InputError("The options --json and --markdown exclude each other; ask for one of them.")
        with long_work(name) as report:
            result = bench.run(data or SEED_LIBRARY, quick=quick, seed=seed, progress=report)
        if as_json:
            print_json(result)
        elif as_markdown:
            print_line(markdown_table(result["rows"]))
        else:
            show(bench.title, result)

    command.__doc__ = f"{bench.title} ({bench.source})."
    return command


def _scaled(name: str) -> Callable[..., None]:
    """The command of a bench whose network can be trained at scale."""
    plain = _command(name)

    def command(
        data: DataFile = None,
        quick: Quick = False,
        seed: Seed = 0,
        as_json: AsJson = False,
        as_markdown: AsMarkdown = False,
        full: bench_full.Full = False,
        device: bench_full.Device = None,
        hours: bench_full.Hours = None,
        folder: bench_full.Folder = None,
        estimate: bench_full.Estimate = False,
    ) -> None:
        scale = bench_full.Scale(full, device, hours, folder, estimate)
        if scale.asked_for():
            bench_full.train(name, data or SEED_LIBRARY, seed, scale, as_json=as_json)
        else:
            plain(data, quick, seed, as_json, as_markdown)

    command.__doc__ = plain.__doc__
    return command


OWN_OPTIONS: Final[dict[str, Callable[..., None]]] = {
    "dos": dos,
    "ccdcgan-systems": bench_ccdcgan.systems,
    "loop": bench_loop.loop,
    "potentials": bench_potentials.potentials,
    "rediscovery": bench_rediscovery.rediscovery,
}
for _name in BENCHES:
    _made = _scaled if _name in bench_full.SCALED else _command
    app.command(_name)(OWN_OPTIONS.get(_name) or _made(_name))
