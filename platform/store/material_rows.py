"""Materials as flat rows with their property values, as OPTIMADE gives them: those of one Method, side by side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from fermiloop.platform.jsonable import plain
from fermiloop.platform.plugins.properties import of_material
from fermiloop.platform.store import materials, optimade_numbers
from fermiloop.platform.store.batches import in_batches
from fermiloop.platform.store.materials import BATCH, MaterialQuery


def values(ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    """By material its values and their Method: that of its density of states, or else that of most values."""
    wanted, found = list(dict.fromkeys(ids)), dict[str, dict[str, Any]]()
    for chunk in in_batches(wanted, BATCH):
        curves, labels = optimade_numbers.curves(chunk), optimade_numbers.of_materials(chunk)
        for key in chunk:
            known = optimade_numbers.fields(labels.get(key, ()), curves.get(key))
            found[key] = {name: known[name] for name in ("method", *of_material())}
    return found


def rows(query: MaterialQuery, fields: Sequence[str]) -> list[dict[str, Any]]:
    """What a query finds, in its order, JSON-ready, with values.

    Raises
    ------
    InputError
        If the limit is not positive, or the formula cannot be read.
    """
    return of_materials(materials.find(query), fields)


def of_materials(found: Iterable[Any], fields: Sequence[str]) -> list[dict[str, Any]]:
    """Documents as rows with values, in their order."""
    documents = list(found)
    known = values(one.id for one in documents)
    return [{**{name: plain(getattr(one, name)) for name in fields}, **known[one.id]} for one in documents]
