"""The store as a collection of optimade-python-tools: its filters are compiled there and asked here."""

from __future__ import annotations

import re
from typing import Any, Final

from optimade.exceptions import BadRequest
from optimade.filtertransformers.mongo import MongoTransformer
from optimade.models import EntryResource, LinksResource, ReferenceResource, StructureResource
from optimade.server.entry_collections import EntryCollection
from optimade.server.mappers import BaseResourceMapper, LinksMapper, ReferenceMapper, StructureMapper

from fermiloop.platform.store import optimade_entries, optimade_numbers, optimade_query

LONGEST_FILTER: Final = 4000  # characters
DEEPEST_FILTER: Final = 40  # open brackets and negations
LARGEST_SKIP: Final = 2**31 - 1


class LiteralTransformer(MongoTransformer):
    """Compiler of filters in which a string that is looked for is text, never a pattern."""

    def fuzzy_string_op_rhs(self, arg: Any) -> Any:
        """Comparison by CONTAINS, STARTS or ENDS of a string, its special characters as they stand."""
        return super().fuzzy_string_op_rhs([*arg[:-1], re.escape(arg[-1])])


class StoreCollection(EntryCollection):
    """One of the served collections."""

    def __init__(self, name: str, resource: type[EntryResource], mapper: BaseResourceMapper, config: Any) -> None:
        super().__init__(resource, mapper, LiteralTransformer(mapper=mapper), config)
        self.name = name

    def __len__(self) -> int:
        """How many entries there are."""
        return optimade_query.count(self.name, {}) or 0

    def count(self, **kwargs: Any) -> int | None:
        """How many entries match ``filter``, None where counting takes too long."""
        return optimade_query.count(self.name, kwargs.get("filter", {}))

    def insert(self, data: list[Any]) -> None:
        """Refuse: entries come from the store alone.

        Raises
        ------
        NotImplementedError
            Always.
        """
        raise NotImplementedError(f"{len(data)} entries cannot be inserted: what is served is derived from the store.")

    def handle_query_params(self, params: Any) -> dict[str, Any]:
        """Compile a request.

        Raises
        ------
        BadRequest
            If its filter is longer or deeper than any person's, or its page before or behind any collection.
        """
        text = getattr(params, "filter", None) or ""
        if len(text) > LONGEST_FILTER or text.count("(") + text.upper().count("NOT ") > DEEPEST_FILTER:
            raise BadRequest(
                detail=f"A filter of at most {LONGEST_FILTER} characters and {DEEPEST_FILTER} brackets is answered."
            )
        criteria: dict[str, Any] = super().handle_query_params(params)
        if not 0 <= criteria.get("skip", 0) <= LARGEST_SKIP:
            raise BadRequest(detail=f"The offset {criteria['skip']} lies before or behind every entry.")
        if criteria["limit"] < 1:
            raise BadRequest(detail=f"A page holds at least 1 entry, not {criteria['limit']}.")
        if "page_above" in criteria:
            raise NotImplementedError("Pages are asked for by page_offset or page_number.")
        criteria["projection"]["_id"] = False
        return criteria

    def _run_db_query(
        self, criteria: dict[str, Any], single_entry: bool = False
    ) -> tuple[list[dict[str, Any]], int | None, bool]:
        """Entries of a compiled request, how many match in all, and whether more follow."""
        rows, more = optimade_query.page(
            self.name,
            criteria["filter"],
            projection=criteria["projection"],
            sort=list(criteria.get("sort", ())),
            skip=criteria.get("skip", 0),
            limit=criteria["limit"],
        )
        rows = optimade_numbers.with_arrays(rows)
        if single_entry:
            return rows, len(rows), False
        return rows, optimade_query.count(self.name, criteria["filter"]), more


def collections(config: Any) -> dict[str, StoreCollection]:
    """All served collections by endpoint."""
    return {
        "links": StoreCollection(optimade_entries.LINKS, LinksResource, LinksMapper(config), config),
        "references": StoreCollection(optimade_entries.REFERENCES, ReferenceResource, ReferenceMapper(config), config),
        "structures": StoreCollection(optimade_entries.STRUCTURES, StructureResource, StructureMapper(config), config),
    }
