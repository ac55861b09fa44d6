"""``fermiloop bench``: the papers' figures, ours beside them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from fermiloop.platform.bench.registry import BENCHES
from fermiloop.platform.cli import bench_ccdcgan, bench_full, bench_loop, bench_potentials, bench_rediscovery
from fermiloop.platform.cli.bench_common import SEED_CURVES, SEED_LIBRARY, AsMarkdown, Seed, one_form, show, tell
from fermiloop.platform.cli.output import AsJson, print_json, print_line
from fermiloop.platform.cli.progress import long_work
from fermiloop.platform.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

Quick = Annotated[bool, typer.Option("--quick", help="Smaller and shorter: a check, not a figure.")]
DataFile = Annotated[
    Path | None,
    typer.Option("--data", help="Crystals, one JSON object a line, plain or gzip; the seed library otherwise."),
]

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
    learning_curve: Annotated[
        Path | None,
        typer.Option("--learning-curve", help="Accuracy against curves learned from, drawn into this .svg or .png."),
    ] = None,
    full: bench_full.Full = False,
    device: bench_full.Device = None,
    hours: bench_full.Hours = None,
    folder: bench_full.Folder = None,
    estimate: bench_full.Estimate = False,
) -> None:
    """Composition from a DOS: top-1 and top-5 with intervals, beside random and nearest-neighbour retrieval."""
    from fermiloop.platform.bench import dos as dos_bench

    scale = bench_full.Scale(full, device, hours, folder, estimate)
    if scale.asked_for():
        bench_full.train("dos", library or SEED_LIBRARY, 0, scale, as_json=as_json)
        return
    if element_map is not None:
        dos_bench.write_map([library] if library else SEED_CURVES, element_map)
        print_line(f"The map of the element vectors is in {element_map}.")
        return
    if learning_curve is not None:
        with long_work("Learning curve") as report:
            files = [library] if library else SEED_CURVES
            result = dos_bench.learning_curve(files, learning_curve, quick, report)
        tell("Composition from a density of states, by size", result, as_json=as_json, as_markdown=False)
        return
    with long_work("Benchmark") as report:
        result = dos_bench.run_libraries(
            SEED_CURVES, library=library, test=test, quick=quick, gaps=gaps, progress=report
        )
    tell("Composition from a density of states", result, as_json=as_json, as_markdown=False)


@app.command("all")
def everything(data: DataFile = None, quick: Quick = False, seed: Seed = 0, as_json: AsJson = False) -> None:
    """Every benchmark, one after the other; one that the data do not suit says so and the rest goes on."""
    found: dict[str, Any] = {}
    for name, bench in BENCHES.items():
        with long_work(name) as report:
            try:
                crystals = SEED_LIBRARY if data is None or bench.of_library else data
                given = SEED_CURVES if bench.of_curves else crystals
                found[name] = bench.run(given, quick=quick, seed=seed, progress=report)
            except InputError as error:
                found[name] = {"title": bench.title, "rows": [], "left_out": str(error)}
        if not as_json:
            show(bench.title, found[name])
    if as_json:
        print_json(found)


def _command(name: str) -> Callable[..., None]:
    bench = BENCHES[name]

    def command(
        data: DataFile = None,
        quick: Quick = False,
        seed: Seed = 0,
        as_json: AsJson = False,
        as_markdown: AsMarkdown = False,
    ) -> None:
        one_form(as_json=as_json, as_markdown=as_markdown)
        with long_work(name) as report:
            result = bench.run(data or SEED_LIBRARY, quick=quick, seed=seed, progress=report)
        tell(bench.title, result, as_json=as_json, as_markdown=as_markdown)

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
