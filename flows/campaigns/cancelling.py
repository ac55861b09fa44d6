"""Stopping: a long step of a campaign that was cancelled ends soon, not at its end.

Trainings and the funnel tell their progress after every epoch and every crystal: `tell` passes it to the log, and asks
now and then whether the campaign of the step at work goes on.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final

from mongoengine.connection import ConnectionFailure
from pymongo.errors import PyMongoError

from fermiloop.platform.errors import StoppedError
from fermiloop.platform.store import campaigns

EVERY: Final = 1.0  # s between looks into the store

logger = logging.getLogger("fermiloop.flows")


@dataclass
class _Watched:
    """The campaign of the step at work, and when it was looked at."""

    campaign: str
    looked: float = field(default_factory=time.monotonic)


_watched: ContextVar[_Watched | None] = ContextVar("watched", default=None)


@contextlib.contextmanager
def of(campaign: str) -> Iterator[None]:
    """Let `tell` end what runs inside once the campaign is cancelled."""
    token = _watched.set(_Watched(campaign))
    try:
        yield
    finally:
        _watched.reset(token)


def tell(what: str, share: float) -> None:
    """Progress of a step.

    Raises
    ------
    StoppedError
        If the campaign of the step was cancelled.
    """
    logger.debug("%s %.0f %%", what, 100 * share)
    check()


def check(every: float | None = None) -> None:
    """Look whether the campaign of the step at work goes on, unless that was done within `every` seconds, or `EVERY`.

    Raises
    ------
    StoppedError
        If it was cancelled.
    """
    watched = _watched.get()
    if watched is None or time.monotonic() - watched.looked < (EVERY if every is None else every):
        return
    watched.looked = time.monotonic()
    with contextlib.suppress(PyMongoError, ConnectionFailure):  # a database that is away has cancelled nothing
        if campaigns.is_cancelled(watched.campaign):
            raise StoppedError(f"The campaign {watched.campaign} was cancelled.")
