"""``fermiloop worker``: processes that pull work from the queue of FireWorks."""

from __future__ import annotations

from typing import Annotated

import typer

from fermiloop.platform.cli.output import print_line
from fermiloop.platform.errors import InputError

app = typer.Typer(help="Processes that pull work from the queue.")

MOST_WORKERS = 256


@app.command("run")
def run(
    n: Annotated[int, typer.Option("-n", "--processes", help="How many processes.")] = 1,
    until_idle: Annotated[bool, typer.Option("--until-idle", help="End when nothing is left to do.")] = False,
) -> None:
    """Run workers until they are stopped from the keyboard, or until nothing is left to do."""
    check_count(n)
    from fermiloop.flows import workers
    from fermiloop.platform.store import connection

    connection.connect()
    workers.run(n, until_idle=until_idle)
    print_line("The workers have ended.")


def check_count(n: int) -> None:
    """Refuse a number of processes that no machine can bear."""
    if not 1 <= n <= MOST_WORKERS:
        raise InputError(f"{n} workers cannot be run; ask for 1 to {MOST_WORKERS}.")
