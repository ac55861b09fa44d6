"""``fermiloop optimade``: what others query, brought up to date and written to a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fermiloop.platform.cli.failures import optimade_wanted
from fermiloop.platform.cli.output import AsJson, print_json, print_line
from fermiloop.platform.cli.progress import long_work

app = typer.Typer(help="OPTIMADE: the database as others query it.")


@app.command("sync")
def sync(as_json: AsJson = False) -> None:
    """Make what OPTIMADE serves equal to the store; `fermiloop serve` does so itself."""
    from fermiloop.platform.store import connection, optimade_entries

    connection.connect()
    with long_work("OPTIMADE", quiet_for=5.0) as report:
        changed = optimade_entries.sync(report)
    if as_json:
        print_json({"changed": changed})
    else:
        print_line(f"{changed} entries brought up to date.")


@app.command("export")
def export(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A campaign.")],
    file: Annotated[Path, typer.Argument(help="A file to write, such as campaign.jsonl.")],
    as_json: AsJson = False,
) -> None:
    """Write a campaign as OPTIMADE JSON lines, with the origin and score of each candidate."""
    from fermiloop.platform.store import connection, optimade_export

    connection.connect()
    with optimade_wanted(), long_work("OPTIMADE", quiet_for=5.0):
        n = optimade_export.write(name, file)
    if as_json:
        print_json({"campaign": name, "file": file, "structures": n})
    else:
        print_line(f"Wrote {n} structures of {name} to {file}.")
