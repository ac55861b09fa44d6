"""Live progress of a campaign as server-sent events: what changed, when it changed, and the end."""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncIterator
from typing import Any, Final

import anyio
from pymongo.errors import PyMongoError
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.exceptions import HTTPException

from fermiloop.platform import jsonable
from fermiloop.platform.api.actions import Site
from fermiloop.platform.api.problems import Refusal
from fermiloop.platform.errors import DatabaseError
from fermiloop.platform.store import campaigns, candidates
from fermiloop.schemas.vocabulary import CampaignState

LIVE: Final = frozenset({str(CampaignState.RUNNING), str(CampaignState.PAUSED)})
MOST_KEPT: Final = 256  # looks


def look(name: str) -> dict[str, Any]:
    """State, round and counts of a campaign now.

    Raises
    ------
    NotFoundError
        If there is no such campaign.
    """
    campaign, rounds = campaigns.get(name), campaigns.rounds(name)
    return {
        "name": name,
        "state": str(campaign.state),
        "reason": campaign.reason,
        "round": rounds[-1].number if rounds else 0,
        "round_state": str(rounds[-1].state) if rounds else None,
        "candidates": candidates.stages_of(name),
    }


class Followers:
    """All who follow a campaign; those who follow the same one share its looks."""

    def __init__(self) -> None:
        self._n = 0
        self._looks: dict[str, tuple[float, dict[str, Any]]] = {}
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
        last, number = None, 0
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
                    if now["state"] not in LIVE:
                        yield ServerSentEvent(jsonable.text({"name": name, "state": now["state"]}), event="end")
                        return
                await anyio.sleep(here.limits.poll_seconds)
        finally:
            self._n -= 1

    def _shared(self, name: str, seconds: float) -> dict[str, Any]:
        """A look that is no older than the time between two."""
        with self._lock:
            known = self._looks.get(name)
            if known is not None and time.monotonic() - known[0] < seconds:
                return known[1]
            fresh = look(name)
            while len(self._looks) >= MOST_KEPT:
                self._looks.pop(next(iter(self._looks)))
            self._looks[name] = (time.monotonic(), fresh)
            return fresh
