"""The queue: who listens to it, what runs and what waits; workers run, submitted and repaired after."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fermiloop.platform.store import workers

if TYPE_CHECKING:
    from fermiloop.flows.driving.reconcile import Finding
    from fermiloop.flows.queue.cluster import QueueJob
    from fermiloop.flows.queue.watching import QueueStep
    from fermiloop.schemas.worker import Worker


def listeners() -> list[Worker]:
    """Workers that listen to the queue of this database, on any machine, the oldest first."""
    from fermiloop.flows.queue import listening

    return listening.workers_that_listen()


def sentence(n: int) -> str:
    """How many workers listen, and what to type where none does."""
    return workers.sentence(n)


def number_of(n: int) -> str:
    """So many workers, in words."""
    return workers.number_of(n)


def steps() -> list[QueueStep]:
    """Steps that run or wait, those that run first."""
    from fermiloop.flows.queue import watching

    return watching.queue()


def steps_of(calculation: str) -> list[QueueStep]:
    """Steps of a calculation in the queue, in the order in which they ran; those that have not come last."""
    from fermiloop.flows.queue import watching

    return watching.steps(calculation)


def run_workers(n: int, *, until_idle: bool = False) -> bool:
    """Run `n` workers until a signal, or until nothing is left to do; whether it was a signal."""
    from fermiloop.flows.driving import workers as processes

    return processes.run(n, until_idle=until_idle)


def job(
    queue: str,
    processes: int = 1,
    *,
    nodes: int | None = None,
    tasks_per_node: int | None = None,
    walltime: str | None = None,
    account: str | None = None,
    partition: str | None = None,
    setup: Sequence[str] = (),
) -> QueueJob:
    """A job of workers for a cluster's scheduler; see `fermiloop.flows.queue.cluster.QueueJob`."""
    from fermiloop.flows.queue.cluster import QueueJob

    return QueueJob(queue, processes, nodes, tasks_per_node, walltime, account, partition, tuple(setup))


def script(asked: QueueJob) -> tuple[str, Path]:
    """What would be submitted, and the file of the adapter that it was made by.

    Raises
    ------
    InputError
        If the scheduler is unknown, or a value is none of its.
    """
    from fermiloop.flows.queue import cluster

    return cluster.script(asked), cluster.queue_folder() / cluster.ADAPTER


def submit(asked: QueueJob, jobs: int = 1, most: int = 10) -> list[str]:
    """Submit so many jobs, as far as no more than `most` are in the queue; ids of those submitted.

    Raises
    ------
    InputError
        If the scheduler is unknown, or a value is none of its.
    FailureError
        If the scheduler refuses.
    """
    from fermiloop.flows.queue import cluster

    return cluster.submit(asked, jobs, most)


def reconcile(*, dry_run: bool = False) -> list[Finding]:
    """Find lost runs, unrecorded results and rounds without workflow, and repair them; a dry run only finds."""
    from fermiloop.flows.driving import reconcile as reconciling
    from fermiloop.flows.processes.identity import worker_name
    from fermiloop.flows.queue.launchpad import configure_jobflow, launchpad

    configure_jobflow()
    pad = launchpad()
    try:
        return reconciling.reconcile(pad, worker_name(), dry_run=dry_run)
    finally:
        pad.connection.close()
