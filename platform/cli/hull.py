"""``fermiloop hull``: the known phases of a chemical system by one engine."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Final

import typer

from fermiloop.platform.cli.engine_options import Engine, Queued, Settings, TimeLimit, Workers, how, parsed, split
from fermiloop.platform.cli.output import AsJson, Listing
from fermiloop.platform.cli.progress import long_work
from fermiloop.platform.cli.references import show_built

app = typer.Typer(help="Convex hulls of chemical systems, by any engine.")

COLUMNS: Final = {
    "formula": "formula", "prototype": "prototype", "formation_energy_per_atom": "formation (eV/atom)",
    "energy_above_hull": "above hull (eV/atom)", "material": "material",
}  # fmt: skip
System = Annotated[list[str], typer.Option("--elements", help="The chemical system, such as V,O.")]
Limit = Annotated[int, typer.Option("--limit", min=1, help="Most stored materials to compute, the most stable first.")]


@app.command("build")
def build(
    elements: System,
    engine: Engine,
    settings: Settings = None,
    limit: Limit = 50,
    workers: Workers = 1,
    queue: Queued = False,
    time_limit: TimeLimit = 3600.0,
    as_json: AsJson = False,
) -> None:
    """Compute the stored materials of a chemical system, the most stable by any Method first, and its elements."""
    from fermiloop.platform.app import references
    from fermiloop.platform.store import connection

    asked = how(engine, settings, workers, queue, time_limit)
    connection.connect()
    with long_work("Hull") as report:
        found = references.build_hull(asked, split(elements) or [], limit, report)
    show_built("Known phases", found, queued=queue, as_json=as_json)


@app.command("show")
def show(elements: System, engine: Engine, settings: Settings = None, as_json: AsJson = False) -> None:
    """The stored materials of a chemical system with formation energy and energy above the hull, stable ones first."""
    from fermiloop.platform.app import references
    from fermiloop.platform.store import connection

    connection.connect()
    rows = [asdict(one) for one in references.hull(engine, parsed(settings), split(elements) or [])]
    Listing(f"Hull by {engine}", COLUMNS, rows).show(as_json=as_json)
