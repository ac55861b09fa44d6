"""``fermiloop db``: the server, what is in it, and moving it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fermiloop.platform.cli import loading
from fermiloop.platform.cli.output import AsJson, print_fields, print_json, print_line
from fermiloop.platform.cli.progress import long_work

app = typer.Typer(help="The database: start, fill, move.")
app.command("load")(loading.load)
app.command("quarantine")(loading.quarantine)

DryRun = Annotated[bool, typer.Option("--dry-run", help="Print what would be done, and do nothing.")]


@app.command("start")
def start() -> None:
    """Start the embedded server, or look for the one that FERMILOOP_MONGODB_URI names."""
    from fermiloop.platform.settings import settings
    from fermiloop.platform.store import connection, embedded

    embedded.allow(settings().data_dir)
    connection.connect()
    print_line(f"The database answers at {where()}.")


@app.command("stop")
def stop() -> None:
    """Stop the embedded server until db start; a server named by FERMILOOP_MONGODB_URI is left alone."""
    from fermiloop.platform.settings import settings
    from fermiloop.platform.store import embedded, server_process

    if settings().mongodb_uri:
        print_line("FERMILOOP_MONGODB_URI names a server of your own, which is left running.")
        return
    port = embedded.status(settings().data_dir)["port"]
    open_ones = server_process.clients(port) if port else []
    if not embedded.stop(settings().data_dir, stay=True):
        print_line("No embedded server was running; none starts until fermiloop db start.")
        return
    print_line("The embedded server has stopped, and stays so until fermiloop db start.")
    if open_ones:
        names = ", ".join(f"{name} (process {pid})" for pid, name in open_ones)
        print_line(f"Open still, and waiting for it: {names}.")


@app.command("status")
def status(as_json: AsJson = False) -> None:
    """Say whether the server runs and what it holds; starts nothing."""
    found = _status()
    if as_json:
        print_json(found)
    else:
        print_fields("Database", found)


@app.command("init")
def init() -> None:
    """Make indexes and bring the schema up to date; may be repeated."""
    from fermiloop.platform.app import database
    from fermiloop.platform.store import connection

    connection.connect()
    with long_work("Database", quiet_for=5.0) as report:
        done = database.init(report)
    for action in done:
        print_line(action)
    print_line(f"The database at {where()} is ready, schema version {connection.SCHEMA_VERSION}.")


@app.command("migrate")
def migrate(dry_run: DryRun = False) -> None:
    """Bring a populated database up to the schema of this version."""
    from fermiloop.platform.app import database
    from fermiloop.platform.store import connection

    connection.connect()
    actions = database.migrate(dry_run=dry_run)
    for action in actions:
        print_line(f"would do: {action}" if dry_run else action)
    if not actions:
        print_line("The schema is up to date.")


@app.command("dump")
def dump(folder: Annotated[Path, typer.Argument(help="A folder that does not exist yet or is empty.")]) -> None:
    """Write everything, weights included, into a folder that any server and version can restore."""
    from fermiloop.platform.app import database
    from fermiloop.platform.store import connection

    connection.connect()
    with long_work("Dump", quiet_for=5.0) as report:
        counts = database.dump(folder, report)
    print_line(f"Wrote {sum(counts.values())} documents of {len(counts)} collections to {folder}.")


@app.command("restore")
def restore(folder: Annotated[Path, typer.Argument(help="A folder that fermiloop db dump wrote.")]) -> None:
    """Read a dump into an empty database."""
    from fermiloop.platform.app import database
    from fermiloop.platform.store import connection

    connection.connect(half_restored=True)
    with long_work("Restore", quiet_for=5.0) as report:
        counts = database.restore(folder, report)
    print_line(f"Restored {sum(counts.values())} documents of {len(counts)} collections from {folder}.")


def where() -> str:
    """Address of the database without its password."""
    from fermiloop.platform.settings import settings
    from fermiloop.platform.store import address, connection

    return f"{address.redact(connection.uri())} ({settings().database})"


def _status() -> dict[str, object]:
    from fermiloop.platform.settings import settings
    from fermiloop.platform.store import address, connection, embedded

    given = settings().mongodb_uri
    if given:
        server = {"kind": "mongodb", "uri": address.redact(given), "running": True}
    else:
        server = {"kind": "embedded", **embedded.status(settings().data_dir)}
    if not server["running"]:
        return server
    connection.connect()
    database = connection.database()
    counts = {name: database[name].estimated_document_count() for name in sorted(database.list_collection_names())}
    return {**server, "database": settings().database, "documents": counts}
