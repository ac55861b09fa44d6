"""Wishes: whether somebody wants an evaluation to stop, looked up beside the work.

The store is asked by a thread of its own, since a database that is away must not keep the work from its end. Such a
database says nothing, and so does one that was never connected: then nobody wants anything.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mongoengine.connection import ConnectionFailure
from pymongo.errors import PyMongoError

from fermiloop.flows.engines.steps import orphans
from fermiloop.flows.processes.identity import worker_name
from fermiloop.platform.errors import EngineError
from fermiloop.platform.store import calculations

EVERY: Final = 2.0  # s between looks
END_AGAIN: Final = 0.5  # s; a launcher may start its program once more


@dataclass
class Wish:
    """What is wanted of an evaluation.

    Parameters
    ----------
    reason
        Why it is to stop; None while it is not.
    """

    reason: str | None = None

    @property
    def sentence(self) -> str:
        """The reason as that of a failure."""
        return f"stopped: {self.reason}"


@contextlib.contextmanager
def heard(calculation: str) -> Iterator[Wish]:
    """Mark a calculation as running, and listen until its step has ended; the first look is made before it begins."""
    wish, over = Wish(), threading.Event()

    def look() -> None:
        while not over.wait(EVERY):
            wish.reason = _asked(calculation)
            if wish.reason:
                return

    with contextlib.suppress(PyMongoError, ConnectionFailure):
        calculations.start(calculation, worker_name())  # a run in this process has no queue that would
    wish.reason = _asked(calculation)
    if wish.reason is None:
        threading.Thread(target=look, daemon=True).start()
    try:
        yield wish
    finally:
        over.set()


@contextlib.contextmanager
def obeyed_in(work: Path, wish: Wish) -> Iterator[None]:
    """End the programs that work in a folder when that is wanted, and when this process is interrupted.

    Raises
    ------
    EngineError
        With the reason, where they were ended and so gave no result.
    """
    over = threading.Event()

    def end() -> None:
        while not over.wait(END_AGAIN):
            if wish.reason:
                orphans.end(work, orphans.SHORT)

    thread = threading.Thread(target=end, daemon=True)
    thread.start()
    try:
        yield
    except Exception as error:
        if wish.reason:
            raise EngineError(wish.sentence) from error
        raise
    except (KeyboardInterrupt, SystemExit):
        orphans.end(work, orphans.SHORT)
        raise
    finally:
        over.set()


def _asked(calculation: str) -> str | None:
    try:
        return calculations.stop_requested(calculation)
    except (PyMongoError, ConnectionFailure):
        return None
