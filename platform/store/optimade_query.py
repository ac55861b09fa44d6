"""Filters of OPTIMADE on the served collections, in a form that the embedded server answers rightly and fast.

Its filter language comes as a MongoDB query of `$and`, `$or`, `$not` and comparisons. On the embedded server a dotted
``$all`` over subdocuments finds nothing, and ``$and`` and ``$all`` read the whole collection, so the former is
spelled out and one conjunct that an index serves is put before the rest. Both forms mean the same to MongoDB.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Final

from bson import json_util
from pymongo.errors import ExecutionTimeout

from fermiloop.platform.store import connection

COUNT_MS: Final = 5000  # after which a count is left out of the answer
KEPT_SECONDS: Final = 30.0  # that a count is believed
MOST_COUNTS: Final = 500
# fields that an index of the served collection serves, the most selective first
INDEXED: Final = ("id", "chemical_formula_reduced", "elements", "campaign", "stage", "nsites", "kind")

_counts: OrderedDict[tuple[str, str, str], tuple[float, int | None]] = OrderedDict()
_lock = threading.Lock()


def page(
    collection: str,
    query: dict[str, Any],
    *,
    projection: dict[str, Any],
    sort: Sequence[tuple[str, int]] = (),
    skip: int = 0,
    limit: int = 20,
) -> tuple[list[dict[str, Any]], bool]:
    """Documents that match, and whether there are more behind them.

    Documents without a wish for their order come as they were written; wishes are made definite by the id.
    """
    order = dict(sort) | {"id": 1} if sort else {}
    stages = _stages(query)
    if len(stages) < 2:
        cursor = connection.database()[collection].find(stages[0] if stages else {}, projection)
        cursor = cursor.sort(list(order.items())) if order else cursor
        found = list(cursor.skip(skip).limit(limit + 1))
    else:
        steps: list[dict[str, Any]] = [{"$match": stage} for stage in stages]
        steps += [{"$sort": order}] if order else []
        steps += [{"$skip": skip}, {"$limit": limit + 1}, {"$project": projection}]
        found = list(connection.database()[collection].aggregate(steps))
    return found[:limit], len(found) > limit


def count(collection: str, query: dict[str, Any]) -> int | None:
    """How many documents match, None where counting takes too long; a count is believed for half a minute."""
    database = connection.database()
    key = (database.name, collection, json_util.dumps(query, sort_keys=True))
    with _lock:
        known = _counts.get(key)
    if known and time.monotonic() - known[0] < KEPT_SECONDS:
        return known[1]
    stages = _stages(query)
    found: int | None
    try:
        if not stages:
            found = database[collection].estimated_document_count()
        else:
            steps: list[dict[str, Any]] = [*({"$match": stage} for stage in stages), {"$count": "n"}]
            found = next((row["n"] for row in database[collection].aggregate(steps, maxTimeMS=COUNT_MS)), 0)
    except ExecutionTimeout:
        found = None
    with _lock:
        _counts[key] = (time.monotonic(), found)
        while len(_counts) > MOST_COUNTS:
            _counts.popitem(last=False)
    return found


def forget() -> None:
    """Believe no count any longer: documents were written."""
    with _lock:
        _counts.clear()


def safe(query: Any) -> Any:
    """The query with each dotted ``$all`` as an ``$and`` of equalities, and ``$in`` of one value as equality."""
    if isinstance(query, list):
        return [safe(item) for item in query]
    if not isinstance(query, dict):
        return query
    parts = [_condition(name, wish) for name, wish in query.items()]
    if len(parts) == 1:
        return parts[0]
    merged: dict[str, Any] = {}
    for part in parts:
        if merged.keys() & part.keys():
            return {"$and": parts}
        merged |= part
    return merged


def _condition(name: str, wish: Any) -> dict[str, Any]:
    if name.startswith("$"):
        return {name: safe(wish)}
    if isinstance(wish, dict) and len(wish) == 1:
        ((operator, value),) = wish.items()
        if operator == "$in" and len(value) == 1:
            return {name: value[0]}
        if operator == "$all" and "." in name:
            return {"$and": [{name: item} for item in value]}
        if operator == "$not" and isinstance(value, dict) and "$all" in value and "." in name:
            return {"$nor": [{"$and": [{name: item} for item in value["$all"]]}]}
    return {name: wish}


def _stages(query: dict[str, Any]) -> list[dict[str, Any]]:
    """Matches one after the other: first what an index serves, then all the rest."""
    conjuncts = _conjuncts(safe(query))
    ranked = sorted((c for c in conjuncts if _indexed(c)), key=lambda c: INDEXED.index(next(iter(c))))
    if not ranked or len(conjuncts) == 1:
        return [{"$and": conjuncts} if len(conjuncts) > 1 else conjuncts[0]] if conjuncts else []
    rest = [c for c in conjuncts if c is not ranked[0]]
    return [ranked[0], {"$and": rest} if len(rest) > 1 else rest[0]]


def _conjuncts(query: dict[str, Any]) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = []
    for name, wish in query.items():
        if name == "$and":
            parts += [part for item in wish for part in _conjuncts(item)]
        elif isinstance(wish, dict) and "$all" in wish and len(wish) == 1 and wish["$all"]:
            # the first element by its index, all of them after it
            parts += [{name: wish["$all"][0]}, {name: wish}] if name in INDEXED else [{name: wish}]
        else:
            parts.append({name: wish})
    return parts


def _indexed(condition: dict[str, Any]) -> bool:
    """Whether it is an equality of an indexed field."""
    ((name, wish),) = condition.items()
    value = wish["$eq"] if isinstance(wish, dict) and wish.keys() == {"$eq"} else wish
    return name in INDEXED and isinstance(value, str | int)
