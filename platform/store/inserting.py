"""Inserting many documents of which some may be stored already, or be stored by another process meanwhile."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pymongo.errors import BulkWriteError

DUPLICATE = 11000  # the server's code of a key that exists


def insert_new(documents: Iterable[Any]) -> int:
    """Insert checked documents of one class whose ids are new; returns how many this call inserted."""
    unique = {document.id: document for document in documents}
    if not unique:
        return 0
    kind = type(next(iter(unique.values())))
    known = {found.id for found in kind.objects(id__in=list(unique)).only("id")}
    fresh = [document.to_mongo() for key, document in unique.items() if key not in known]
    if not fresh:
        return 0
    try:
        return len(kind._get_collection().insert_many(fresh, ordered=False).inserted_ids)  # noqa: SLF001
    except BulkWriteError as error:
        if any(one["code"] != DUPLICATE for one in error.details["writeErrors"]):
            raise
        return int(error.details["nInserted"])  # another process saved the rest in between
