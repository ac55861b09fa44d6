"""``fermiloop generators``: what proposes, what it learned, and which checkpoint is in use."""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer

from fermiloop.platform.cli.filters import one_of
from fermiloop.platform.cli.output import AsJson, Listing, fields_of, print_fields, print_json, print_line
from fermiloop.platform.cli.progress import long_work
from fermiloop.platform.plugins.generators import GENERATORS
from fermiloop.platform.plugins.provenance import told

app = typer.Typer(help="Generators: what proposes, what it learned, which checkpoint is in use.")

COLUMNS: Final = {
    "name": "name",
    "presets": "presets",
    "champion": "champion",
    "checkpoints": "checkpoints",
    "package": "package",
}
FIELDS: Final = ("id", "generator", "preset", "state", "seed", "snapshot", "metrics", "config")


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """Every generator with its presets and the checkpoint in use."""
    from fermiloop.platform.store import checkpoints, connection

    connection.connect()
    rows = [_row(name) for name in checkpoints.kept_names(GENERATORS)]
    Listing("Generators", COLUMNS, rows).show(as_json=as_json)


@app.command("show")
def show(
    name: Annotated[str, typer.Argument(metavar="NAME|ID", help="A generator, or one of its checkpoints.")],
    as_json: AsJson = False,
) -> None:
    """Show the checkpoints of a generator, or one checkpoint with its metrics."""
    from fermiloop.platform.store import checkpoints, connection

    if name.startswith("ckpt-"):
        connection.connect()
        known = fields_of(checkpoints.get(name), FIELDS)
        print_json(known) if as_json else print_fields(name, known)
        return
    connection.connect()
    one_of("generator", name, checkpoints.kept_names(GENERATORS))
    rows = [fields_of(found, FIELDS) for found in checkpoints.find(generator=name)]
    columns = {"id": "id", "preset": "preset", "state": "state", "seed": "seed", "metrics": "metrics"}
    Listing(f"{name}: {len(rows)} checkpoints", columns, rows).show(as_json=as_json)


@app.command("train")
def train(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    preset: Annotated[str | None, typer.Option("--preset", help="One of the generator's presets.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the training and of its splits.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Train a generator on all that it may learn from and keep the checkpoint as a challenger."""
    one_of("generator", name, GENERATORS)
    if preset is not None:
        one_of(f"preset of {name}", preset, GENERATORS[name].presets)
    from fermiloop.flows.schedules import learning
    from fermiloop.platform.store import checkpoints, connection

    connection.connect()
    with long_work(f"Training {name}", quiet_for=1.0) as report:
        checkpoint, _ = learning.train(name, preset, {}, learning.largest_library(name), seed, report)
    known = fields_of(checkpoints.get(checkpoint), FIELDS)
    print_json(known) if as_json else print_fields(checkpoint, known)


@app.command("promote")
def promote(identifier: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Put a checkpoint into use; the one before is kept and can be rolled back to."""
    from fermiloop.platform.store import checkpoints, connection

    connection.connect()
    checkpoints.promote(identifier)
    print_line(f"{identifier} is in use.")


@app.command("rollback")
def rollback(name: Annotated[str, typer.Argument(metavar="NAME")]) -> None:
    """Go back to the checkpoint that was in use before."""
    from fermiloop.platform.store import checkpoints, connection

    connection.connect()
    one_of("generator", name, checkpoints.kept_names(GENERATORS))
    print_line(f"{checkpoints.rollback(name).id} is in use again.")


def _row(name: str) -> dict[str, Any]:
    from fermiloop.platform.store import checkpoints

    found = list(checkpoints.find(generator=name))
    champions = [item.id for item in found if item.state == "champion"]
    declared = GENERATORS.get(name)
    return {
        "name": name,
        "presets": list(declared.presets) if declared else [],
        "champion": champions,
        "checkpoints": len(found),
        "package": told(GENERATORS, name, found[0].config if found else {}),
    }
