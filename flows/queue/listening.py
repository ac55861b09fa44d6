"""Listening: workers say that they are there, and a launch tells how many are."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Final

from fermiloop.flows.processes.identity import is_gone, parse
from fermiloop.platform.store import workers
from fermiloop.schemas.worker import Worker

EVERY: Final = 5.0  # s
SHORT: Final = 1.0  # s, for what a worker does


@contextlib.contextmanager
def heard(name: str, doing: Callable[[], str]) -> Iterator[None]:
    """Say that a worker listens and what it does, until it ends; a database that is away is told later."""
    over, me = threading.Event(), parse(name)

    def say() -> None:
        told, waited = None, EVERY
        while True:
            now = doing()
            if now != told or waited >= EVERY:
                with contextlib.suppress(Exception):
                    workers.note(name, me.host if me else "", me.pid if me else 0, now)
                    told, waited = now, 0.0
            if over.wait(SHORT):
                return
            waited += SHORT

    thread = threading.Thread(target=say, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(SHORT)
        with contextlib.suppress(Exception):
            workers.forget(name)


def workers_that_listen() -> list[Worker]:
    """Workers that listen, the oldest first; those of this host that are gone are left out."""
    return [one for one in workers.listening() if not is_gone(one.id)]
