"""One rising number for all events whose order decides something.

MongoDB keeps times in milliseconds and hosts disagree about the time, so that two rounds that close together, or on
two hosts, have no order by time. Each such event takes the next number of one counter instead. Documents of before
bear 0 and keep their order by time, before all that have a number.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from mongoengine import get_db
from pymongo import ReturnDocument

from fermiloop.platform.errors import DatabaseError

COLLECTION: Final = "counters"
COUNTER: Final = "events"
TRIES: Final = 100
FIELDS: Final[dict[str, tuple[str, ...]]] = {
    "campaigns": ("sequence",),
    "rounds": ("sequence", "closed_sequence"),
    "calculations": ("sequence", "ingested_sequence"),
    "checkpoints": ("sequence", "promoted_sequence"),
    "schedules": ("sequence",),
    "schedule_runs": ("sequence",),
}
"""Fields by collection that hold a number of this store's counter, which means nothing in another store."""


def take() -> int:
    """Return the next number: greater than every number taken before, by any process.

    Raises
    ------
    DatabaseError
        If the database answers without a number, again and again.
    """
    for _ in range(TRIES):  # an embedded server answers nothing where two begin the counter; numbers may be left out
        # the form that returns the document after the change: the other one is not atomic on the embedded server
        after = get_db()[COLLECTION].find_one_and_update(
            {"_id": COUNTER}, {"$inc": {"value": 1}}, upsert=True, return_document=ReturnDocument.AFTER
        )
        if after is not None:
            return int(after["value"])
    raise DatabaseError(f"The database answered {TRIES} times without the next number of its counter; try again.")


def is_after(sequence: int | None, moment: datetime | None, than: int | None, than_moment: datetime | None) -> bool:
    """Whether one event came after another: by number where both have one, else by time; a tie is not after.

    Parameters
    ----------
    sequence, moment
        Number (0 or None: none) and time of the one event; no time means that it has not happened.
    than, than_moment
        Those of the other event.
    """
    if moment is None:
        return False
    if sequence and than:
        return sequence > than
    return than_moment is None or moment > than_moment
