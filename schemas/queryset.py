"""A query set whose patterns the embedded server understands.

A compiled regular expression on an indexed field silently finds nothing on that server; the same
pattern written as ``$regex`` is right on it and on MongoDB.
"""

from __future__ import annotations

import re
from typing import Any

from mongoengine.queryset import QuerySet


def spell_out_patterns(query: Any) -> Any:
    """The query with each compiled pattern replaced by ``{"$regex", "$options"}``."""
    if isinstance(query, re.Pattern):
        flags = ((re.IGNORECASE, "i"), (re.MULTILINE, "m"), (re.DOTALL, "s"), (re.VERBOSE, "x"))
        return {"$regex": query.pattern, "$options": "".join(letter for flag, letter in flags if query.flags & flag)}
    if isinstance(query, dict):
        return {key: spell_out_patterns(value) for key, value in query.items()}
    if isinstance(query, list):
        return [spell_out_patterns(value) for value in query]
    return query


class SafeQuerySet(QuerySet):
    """mongoengine's query set, patterns spelt out."""

    @property
    def _query(self) -> Any:
        return spell_out_patterns(super()._query)
