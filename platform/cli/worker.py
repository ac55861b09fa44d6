"""``fermiloop worker``: processes that pull work from the queue of FireWorks."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from fermiloop.platform.cli.output import AsJson, Listing, fields_of, print_json, print_line
from fermiloop.platform.errors import InputError

app = typer.Typer(help="Processes that pull work from the queue.")

MOST_WORKERS = 256
COLUMNS: Final = {
    "host": "host", "pid": "pid", "doing": "runs", "since": "since", "last": "last activity", "id": "worker",
}  # fmt: skip
FIELDS: Final = ("id", "host", "pid", "doing", "since", "last")


@app.command("run")
def run(
    n: Annotated[int, typer.Option("-n", "--processes", help="How many processes.")] = 1,
    until_idle: Annotated[bool, typer.Option("--until-idle", help="End when nothing is left to do.")] = False,
) -> None:
    """Run workers until they are stopped by Ctrl-C or SIGTERM, with --until-idle until nothing is left to do.

    Stopped, they end what they run and give it back to the queue; a second Ctrl-C kills them. To let evaluations
    come to their end first, pause the campaign (fermiloop campaign pause NAME) and stop the workers later.
    """
    check_count(n)
    from fermiloop.platform.app import queue
    from fermiloop.platform.store import connection

    connection.connect()
    if queue.run_workers(n, until_idle=until_idle):
        print_line("The workers were stopped; what they ran was given back, and other workers take it up.")
    else:
        print_line("The workers have ended.")


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """Workers that listen to the queue of this database, on any machine, and what they do."""
    from fermiloop.platform.app import queue
    from fermiloop.platform.store import connection

    connection.connect()
    rows = [fields_of(one, FIELDS) for one in queue.listeners()]
    Listing(queue.number_of(len(rows)), COLUMNS, rows).show(as_json=as_json)
    if not rows and not as_json:
        print_line(queue.sentence(0))


@app.command("submit")
def submit(
    queue: Annotated[str, typer.Option("--queue", help="The scheduler: slurm, pbs or sge.")],
    n: Annotated[int, typer.Option("-n", "--processes", help="How many workers in one job.")] = 1,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="How many jobs.")] = 1,
    most: Annotated[int, typer.Option("--most", min=1, help="Most of your jobs that may be in the queue.")] = 10,
    nodes: Annotated[int | None, typer.Option("--nodes", min=1, help="Nodes of one job.")] = None,
    tasks: Annotated[int | None, typer.Option("--tasks-per-node", min=1, help="Tasks on each node.")] = None,
    walltime: Annotated[str | None, typer.Option("--walltime", help="Time of one job, such as 24:00:00.")] = None,
    account: Annotated[str | None, typer.Option("--account", help="Whom it is charged to.")] = None,
    partition: Annotated[str | None, typer.Option("--partition", help="Partition or queue to wait in.")] = None,
    setup: Annotated[list[str] | None, typer.Option("--setup", help="Shell line to begin with; repeatable.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Write the files, show the script, submit nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Submit jobs that run workers to a cluster's scheduler, by FireWorks' queue adapter."""
    check_count(n)
    from fermiloop.platform.app import queue as queues
    from fermiloop.platform.store import connection

    asked = queues.job(
        queue, n, nodes=nodes, tasks_per_node=tasks, walltime=walltime, account=account, partition=partition,
        setup=setup or (),
    )  # fmt: skip
    if dry_run:
        text, adapter = queues.script(asked)
        if as_json:
            print_json({"script": text, "adapter": str(adapter)})
        else:
            print_line(text)
        return
    connection.connect()
    ids = queues.submit(asked, jobs, most)
    if as_json:
        print_json({"submitted": ids, "asked": jobs})
    elif len(ids) < jobs:
        print_line(f"Submitted {len(ids)} of {jobs} jobs, for {most} may be in the queue: {', '.join(ids) or 'none'}.")
    else:
        print_line(f"Submitted {', '.join(ids)}; follow them with your scheduler, and campaigns with campaign watch.")


def check_count(n: int) -> None:
    """Refuse a number of processes that no machine can bear."""
    if not 1 <= n <= MOST_WORKERS:
        raise InputError(f"{n} workers cannot be run; ask for 1 to {MOST_WORKERS}.")
