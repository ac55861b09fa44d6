"""Rows of a list: JSON-ready values by name, and the order in which they come."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from fermiloop.platform.jsonable import plain

Row = dict[str, object]


@dataclass(frozen=True)
class Order:
    """The column that rows are sorted by; rows without a value come last, ties are broken by the id.

    Parameters
    ----------
    name
        Key of a row.
    descending
        Whether the largest comes first.
    """

    name: str
    descending: bool = False

    def sorted(self, rows: Iterable[Mapping[str, object]]) -> list[Row]:
        """Rows in this order."""
        every = [dict(row) for row in rows]
        told = sorted((row for row in every if row.get(self.name) is not None), key=lambda row: str(row["id"]))
        told.sort(key=self._value, reverse=self.descending)  # stable: ties stay by id
        return told + sorted((row for row in every if row.get(self.name) is None), key=lambda row: str(row["id"]))

    def _value(self, row: Row) -> Any:  # values of one column compare with each other
        return row[self.name]


def fields_of(document: object, names: Iterable[str]) -> Row:
    """Fields of a stored document, JSON-ready."""
    return {name: plain(getattr(document, name)) for name in names}
