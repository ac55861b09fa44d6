"""``fermiloop generators``: what proposes, what it learned, and which checkpoint is in use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from fermiloop.platform.app.texts import one_of
from fermiloop.platform.cli.output import AsJson, Listing, fields_of, print_fields, print_json, print_line
from fermiloop.platform.cli.progress import long_work
from fermiloop.schemas.vocabulary import CheckpointState

if TYPE_CHECKING:
    from fermiloop.schemas.checkpoint import Checkpoint

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
    from fermiloop.platform.app import generators
    from fermiloop.platform.store import connection

    connection.connect()
    rows = [
        {
            "name": one.name,
            "presets": list(one.presets),
            "champion": [champion.id for champion in one.of(CheckpointState.CHAMPION)],
            "checkpoints": len(one.checkpoints),
            "package": one.package,
        }
        for one in generators.standings()
    ]
    Listing("Generators", COLUMNS, rows).show(as_json=as_json)


@app.command("show")
def show(
    name: Annotated[str, typer.Argument(metavar="NAME|ID", help="A generator, or one of its checkpoints.")],
    as_json: AsJson = False,
) -> None:
    """Show the checkpoints of a generator, or one checkpoint with its metrics."""
    from fermiloop.platform.app import generators
    from fermiloop.platform.store import connection

    if name.startswith("ckpt-"):
        connection.connect()
        _show(generators.checkpoint(name), as_json=as_json)
        return
    connection.connect()
    one_of("generator", name, generators.kept())
    rows = [fields_of(found, FIELDS) for found in generators.standing(name).checkpoints]
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
    from fermiloop.platform.app import generators
    from fermiloop.platform.store import connection

    generators.checked(name, preset)
    connection.connect()
    with long_work(f"Training {name}", quiet_for=1.0) as report:
        made = generators.train(name, preset, seed=seed, progress=report)
    _show(made, as_json=as_json)


@app.command("promote")
def promote(identifier: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Put a checkpoint into use; the one before is kept and can be rolled back to."""
    from fermiloop.platform.app import generators
    from fermiloop.platform.store import connection

    connection.connect()
    print_line(f"{generators.promote(identifier).id} is in use.")


@app.command("rollback")
def rollback(name: Annotated[str, typer.Argument(metavar="NAME")]) -> None:
    """Go back to the checkpoint that was in use before."""
    from fermiloop.platform.app import generators
    from fermiloop.platform.store import connection

    connection.connect()
    one_of("generator", name, generators.kept())
    print_line(f"{generators.rollback(name).id} is in use again.")


def _show(found: Checkpoint, *, as_json: bool) -> None:
    known = fields_of(found, FIELDS)
    print_json(known) if as_json else print_fields(str(found.id), known)
