"""Bounded work: so much at once, so long each, on threads, with the database connected."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import anyio
from anyio import to_thread
from starlette.exceptions import HTTPException

from fermiloop.platform.store import connection

T = TypeVar("T")


@dataclass(frozen=True)
class Limits:
    """Bounds of one server process.

    Parameters
    ----------
    body_bytes
        Of a request.
    at_once
        Requests that work at the same time; the next is asked to come back.
    seconds
        That a request may work.
    streams
        Followers of campaigns at the same time.
    exports
        Exports that are sent at the same time.
    poll_seconds
        Between two looks at a campaign that is followed.
    heartbeat_seconds
        Between two signs of life on a quiet stream.
    """

    body_bytes: int = 1_000_000
    at_once: int = 32
    seconds: float = 20.0
    streams: int = 64
    exports: int = 8
    poll_seconds: float = 1.0
    heartbeat_seconds: float = 15.0


class Work:
    """Runs blocking calls on threads.

    A call that takes too long is answered for and left to end by itself; until it has, it counts.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.exports = 0  # under way, those whose first piece is being made included
        self._free = threading.BoundedSemaphore(limits.at_once)
        self._threads = anyio.CapacityLimiter(2 * limits.at_once)
        self._connecting = threading.Lock()

    async def run(self, call: Callable[[], T]) -> T:
        """Result of a call.

        Raises
        ------
        HTTPException
            503 if too much is being worked on, or the call takes too long.
        """
        if not self._free.acquire(blocking=False):
            raise HTTPException(503, "Too many requests are being worked on; try again in a moment.")
        begun = threading.Event()

        def work() -> T:
            begun.set()
            try:
                with self._connecting:
                    connection.connect()
                return call()
            finally:
                self._free.release()

        try:
            with anyio.fail_after(self._limits.seconds):
                return await to_thread.run_sync(work, abandon_on_cancel=True, limiter=self._threads)
        except TimeoutError:
            raise HTTPException(
                503, f"This took longer than {self._limits.seconds:g} s and was given up; ask for less at a time."
            ) from None
        finally:
            if not begun.is_set():
                self._free.release()  # it was cancelled before a thread took it
