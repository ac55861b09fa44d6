"""``fermiloop reconcile``: compare the store, the queue and the disk, and repair what does not agree."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from fermiloop.platform.cli.output import AsJson, Listing

COLUMNS: Final = {"kind": "what", "subject": "of", "remedy": "what is done"}


def reconcile(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell only, change nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Find lost runs, unrecorded results and rounds without workflow, and repair them; workers do so every minute."""
    from fermiloop.platform.app import queue
    from fermiloop.platform.store import connection

    connection.connect()
    found = queue.reconcile(dry_run=dry_run)
    rows = [{"kind": one.kind, "subject": one.subject, "remedy": one.remedy} for one in found]
    title = f"{len(rows)} things {'to repair' if dry_run else 'repaired'}" if rows else "Store, queue and disk agree"
    Listing(title, COLUMNS, rows).show(as_json=as_json)
