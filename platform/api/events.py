"""Live progress of a campaign as server-sent events: what changed, when it changed, and the end."""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncIterator
from typing import Final

import anyio
from pymongo.errors import PyMongoError
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.exceptions import HTTPException

from fermiloop.platform import jsonable
from fermiloop.platform.api.problems import Refusal
from fermiloop.platform.api.site import Site
from fermiloop.platform.app import campaigns
from fermiloop.platform.app.campaigns import Look
from fermiloop.platform.errors import DatabaseError
from fermiloop.schemas.vocabulary import LIVE_CAMPAIGNS

MOST_KEPT: Final = 256  # looks


class Followers:
    """All who follow a campaign; those who follow the same one share its looks."""

    def __init__(self) -> None:
        self._n = 0
        self._looks: dict[str, tuple[float, Look]] = {}
        self._lock = threading.Lock()

    def follow(self, name: str, here: Site) -> EventSourceResponse:
        """The response that follows a campaign.

        Raises
        ------
        Refusal
            503 if too many follow already.
        """
        if self._n >= here.limits.streams:
            raise Refusal(503, f"{here.limits.streams} clients follow campaigns already; poll in place of following.")
        return EventSourceResponse(self._events(name, here), ping=here.limits.heartbeat_seconds, send_timeout=30)

    async def _events(self, name: str, here: Site) -> AsyncIterator[ServerSentEvent]:
        self._n += 1
        last: Look | None = None
        number = 0
        try:
            while True:
                try:
                    now = await here.work.run(lambda: self._shared(name, here.limits.poll_seconds))
                except (DatabaseError, PyMongoError, HTTPException):
                    yield ServerSentEvent(comment="the database does not answer")
                else:
                    if now != last:
                        last, number = now, number + 1
                        yield ServerSentEvent(jsonable.text(now), event="progress", id=str(number))
                    if now["state"] not in LIVE_CAMPAIGNS:
                        yield ServerSentEvent(jsonable.text({"name": name, "state": now["state"]}), event="end")
                        return
                await anyio.sleep(here.limits.poll_seconds)
        finally:
            self._n -= 1

    def _shared(self, name: str, seconds: float) -> Look:
        """A look that is no older than the time between two."""
        with self._lock:
            known = self._looks.get(name)
            if known is not None and time.monotonic() - known[0] < seconds:
                return known[1]
            fresh = campaigns.look(name)
            while len(self._looks) >= MOST_KEPT:
                self._looks.pop(next(iter(self._looks)))
            self._looks[name] = (time.monotonic(), fresh)
            return fresh
