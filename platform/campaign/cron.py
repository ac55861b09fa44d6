"""When a cron text is due in a time zone: in UTC, no day missed and none twice when the clocks change.

The rules are those of Debian's cron. A text with a fixed minute and hour is due once for each time that it names: a
time that the clocks skip is due when they have gone forward, one that they repeat is due the first time. A text whose
minute or hour begins with ``*`` follows the clock on the wall: nothing in the hour that is skipped, twice in the one
that is repeated.

The library knows the calendar only; which moments a time on the wall stands for is decided here, because the library
leaves out some where clocks change by half an hour.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from fermiloop.platform.errors import InputError

FIELDS: Final = 5
LONGEST: Final = 200  # characters
CHANGE: Final = timedelta(hours=3)  # clocks never go back by more
FAR: Final = datetime(2000, 1, 1)  # noqa: DTZ001 (times on the wall have no zone)


@lru_cache(256)
def check(text: str, zone: str) -> None:
    """Refuse a text or a zone that names no time.

    Raises
    ------
    InputError
        If the text is not five fields, is never due, or the zone is unknown.
    """
    _zone(zone)
    reason, never = "", False
    if len(text) > LONGEST:
        reason = f"more than {LONGEST} characters"
    elif len(text.split()) != FIELDS:
        reason = f"{len(text.split())} fields in place of {FIELDS}"
    else:
        try:
            never = next(CronSim(text, FAR), None) is None
        except (CronSimError, ValueError) as error:
            reason = str(error)[:100].replace("Bad ", "no such ")
    if reason:
        raise InputError(
            f"The cron text {text[:LONGEST]!r} is invalid ({reason}); "
            "write minute, hour, day of month, month and day of week, as '0 3 * * *', which is 3:00 daily."
        )
    if never:
        raise InputError(f"The cron text {text!r} names a date that never comes; name one that does.")


def next_due(text: str, zone: str, after: datetime) -> datetime | None:
    """First moment after another at which a text is due, in UTC; None where the next 50 years have none.

    Parameters
    ----------
    text
        Minute, hour, day of month, month, day of week (0 and 7 are Sunday), as Debian's cron has them.
    zone
        Name of the time zone.
    after
        A moment with a time zone.

    Raises
    ------
    InputError
        As `check`.
    """
    check(text, zone)
    place = _zone(zone)
    start = after.astimezone(place).replace(tzinfo=None)
    found: tuple[datetime, datetime] | None = None  # moment, and its time on the wall
    for wall in CronSim(text, start - CHANGE):
        if found is not None and wall > found[1] + CHANGE:
            break
        for moment in _moments(wall, place, every=_is_every(text)):
            if moment > after and (found is None or moment < found[0]):
                found = moment, wall
    return None if found is None else found[0]


def _moments(wall: datetime, place: ZoneInfo, *, every: bool) -> Iterator[datetime]:
    """Moments, in UTC, that a time on the wall stands for."""
    first, second = (wall.replace(tzinfo=place, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first.astimezone(place).replace(tzinfo=None) == wall:
        yield first
        if every and second != first:
            yield second
    elif not every:
        yield _end_of_gap(second, first, place)


def _end_of_gap(low: datetime, high: datetime, place: ZoneInfo) -> datetime:
    """Moment at which the clocks go forward, between two, to the second."""
    before = low.astimezone(place).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) // 2
        if middle.astimezone(place).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)


def _is_every(text: str) -> bool:
    """Whether a text goes by the clock on the wall, not by fixed times."""
    return any(field.startswith("*") for field in text.split()[:2])


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InputError(f"The time zone {name!r} is unknown; write it as Europe/Berlin or UTC.") from None
