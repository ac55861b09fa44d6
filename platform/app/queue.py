"""The queue: who listens to it, what runs and what waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fermiloop.platform.store import workers

if TYPE_CHECKING:
    from fermiloop.flows.queue.watching import QueueStep
    from fermiloop.schemas.worker import Worker


def listeners() -> list[Worker]:
    """Workers that listen to the queue of this database, on any machine, the oldest first."""
    from fermiloop.flows.queue import listening

    return listening.workers_that_listen()


def sentence(n: int) -> str:
    """How many workers listen, and what to type where none does."""
    return workers.sentence(n)


def steps() -> list[QueueStep]:
    """Steps that run or wait, those that run first."""
    from fermiloop.flows.queue import watching

    return watching.queue()


def steps_of(calculation: str) -> list[QueueStep]:
    """Steps of a calculation in the queue, in the order in which they ran; those that have not come last."""
    from fermiloop.flows.queue import watching

    return watching.steps(calculation)
