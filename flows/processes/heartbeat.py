"""Heartbeat: what is heard of others, timed by one's own clock.

A run says every now and then that it lives, with the time of its own host, which may be wrong by minutes. So nobody
compares that time with any other: what counts is whether it has changed since it was last looked at, and for how
long, on the monotonic clock of who looks, it has not.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterable
from typing import Final

from fermiloop.platform.settings import settings

BEATS: Final = 12  # that a run may miss before it is lost


def silence_seconds() -> float:
    """After how long without a sign of life a run is lost."""
    return settings().silence_seconds


def ping_seconds() -> float:
    """How often a run says that it lives."""
    return silence_seconds() / BEATS


class Watch:
    """What was seen of others, and since when it has not changed.

    Parameters
    ----------
    clock
        Rises steadily, s.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: dict[Hashable, tuple[object, float]] = {}

    def moment(self) -> float:
        """Now, by this clock, s."""
        return self._clock()

    def unchanged(self, key: Hashable, value: object) -> float:
        """Seconds since this value was first seen here without a change in between; 0 where it is new."""
        moment = self._clock()
        known = self._seen.get(key)
        if known is None or known[0] != value:
            self._seen[key] = (value, moment)
            return 0.0
        return moment - known[1]

    def keep(self, kind: str, keys: Iterable[Hashable]) -> None:
        """Forget what is no longer there, of all that is known under ``(kind, key)``."""
        wanted = {(kind, key) for key in keys}
        for known in [one for one in self._seen if isinstance(one, tuple) and one[0] == kind and one not in wanted]:
            del self._seen[known]

    def begin_again(self) -> None:
        """Count from now: for a while nothing could be heard, such as while the database was away."""
        moment = self._clock()
        self._seen = {key: (value, moment) for key, (value, _) in self._seen.items()}
