"""Any OPTIMADE provider: the structures that match a filter, page by page.

OPTIMADE specification 1.2, https://github.com/Materials-Consortia/OPTIMADE.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from urllib.parse import urlencode

from fermiloop.db_init.importers.crystals import optimade_structure
from fermiloop.db_init.importers.entries import UNKNOWN, Batch, Entry, Refusal, attempt, digest, external
from fermiloop.db_init.importers.intake import take_in
from fermiloop.db_init.importers.numbers import value_of
from fermiloop.db_init.importers.optimade_providers import PROVIDERS, Provider, at
from fermiloop.db_init.importers.options import NO_OPTIONS, LoadOptions
from fermiloop.db_init.importers.pages import Pages, RefusedError, open_client
from fermiloop.db_init.importers.report import LoadReport, Progress, silent
from fermiloop.platform.errors import FailureError, InputError
from fermiloop.platform.store import imports
from fermiloop.schemas.base import content_id

PAGE: Final = 100  # entries asked for at once; a server that allows fewer is asked for its own number
ATTRIBUTES: Final = (
    "lattice_vectors", "cartesian_site_positions", "species_at_sites", "species", "nsites", "nperiodic_dimensions",
    "structure_features", "chemical_formula_reduced",
)  # fmt: skip


@dataclass(frozen=True)
class Database:
    """One database of a provider.

    Parameters
    ----------
    base
        Address with its version, no slash at the end.
    provider
        Name, licence and known fields.
    """

    base: str
    provider: Provider


def load(
    url: str, progress: Progress = silent, options: LoadOptions = NO_OPTIONS, pages: Pages | None = None
) -> LoadReport:
    """Load the structures that match a filter; a cut-off load goes on with the page after the last that is in.

    Raises
    ------
    InputError
        If the address is none, or no OPTIMADE server answers there.
    FailureError
        If the server refuses or does not answer.
    """
    base = _base(url)
    if pages is not None:
        return _load(base, pages, progress, options)
    with open_client() as client:
        return _load(base, Pages(base, client), progress, options)


def _load(base: str, pages: Pages, progress: Progress, options: LoadOptions) -> LoadReport:
    database = _ask_who(base, pages, options)
    return take_in(database.provider.name, _batches(database, pages, options), progress)


def _base(url: str) -> str:
    """Versioned base address of any spelling of it."""
    plain = re.sub(r"/(structures|info)?/*$", "", url.strip().partition("?")[0].rstrip("/"))
    if not re.match(r"https?://[^/\s@]+(/|$)", plain):
        raise InputError(f"{url} is no address of an OPTIMADE server such as optimade:https://example.org/optimade.")
    return plain if re.search(r"/v\d+(\.\d+)*$", plain) else f"{plain}/v1"


def _ask_who(base: str, pages: Pages, options: LoadOptions) -> Database:
    """Who answers, and by what terms; the user's own word on the licence and the name comes first."""
    try:
        info = pages.get(f"{base}/info")
    except RefusedError as error:
        raise InputError(f"No OPTIMADE server answers at {base}: {error}") from None
    meta = info.get("meta") if isinstance(info.get("meta"), dict) else {}
    assert isinstance(meta, dict)
    if "api_version" not in meta:
        raise InputError(f"{base} answers, but not as an OPTIMADE server: its info has no api_version.")
    stated = at(info, ("data", "attributes", "license"))
    return Database(base, known_provider({**meta, **({"license": stated} if stated else {})}, options, base))


def _word(value: Any) -> str:
    """A server's word as a short text of one line."""
    return " ".join(str(value or "").split())[:200]


def _batches(database: Database, pages: Pages, options: LoadOptions) -> Iterator[Batch]:
    run = content_id("run", database.base, options.filter, options.limit, options.licence, options.source)
    url, page = _first_page(database, pages, options, imports.cursor(run))
    count, visited = 0, {url}
    while True:
        rows = page.get("data")
        if not isinstance(rows, list):
            raise FailureError(f"{database.base} sent a page without a list of structures.")
        rows = rows[: options.limit - count] if options.limit else rows
        count += len(rows)
        following = _next(page)
        last = following is None or not rows or count == options.limit
        share = 1.0 if last else min(0.99, count / _total(page, options.limit))
        yield Batch(
            f"{count} of {database.provider.name}", _digest(database, rows), share, partial(_read, rows, database)
        )
        if last or following is None:
            break
        url = pages.check(following)
        if url in visited:
            raise FailureError(f"{database.base} sends the page {url[:200]} a second time.")
        visited.add(url)
        imports.move_cursor(run, database.provider.name, url)
        page = pages.get(url)
    imports.move_cursor(run, database.provider.name, None)


def _first_page(
    database: Database, pages: Pages, options: LoadOptions, cursor: str | None
) -> tuple[str, dict[str, Any]]:
    """The page where a cut-off load stopped, or the first one."""
    if cursor is not None and not options.limit:
        # A server may have forgotten its cursor: then all is read again, and what is in is passed over quickly.
        with contextlib.suppress(RefusedError, InputError):
            return cursor, pages.get(cursor)
    asked = {"response_fields": ",".join((*ATTRIBUTES, *database.provider.attributes))}
    if options.filter:
        asked["filter"] = options.filter
    first = f"{database.base}/structures?{urlencode(asked | {'page_limit': PAGE})}"
    try:
        return first, pages.get(first)
    except RefusedError as error:
        if error.status not in {400, 403, 422}:
            raise
    modest = f"{database.base}/structures?{urlencode(asked)}"  # some servers refuse a page longer than theirs
    return modest, pages.get(modest)


def _total(page: dict[str, Any], limit: int | None) -> float:
    """How many entries there will be, as far as the server tells."""
    found = at(page, ("meta", "data_returned"))
    told = float(found) if isinstance(found, int | float) and found > 0 else float("inf")
    return min(told, limit or float("inf"))


def _digest(database: Database, rows: list[Any]) -> str:
    return digest("optimade", database.base, database.provider.name, database.provider.licence, rows)


def _next(page: dict[str, Any]) -> str | None:
    """Address of the next page, which JSON:API gives as a text or as an object."""
    found = at(page, ("links", "next"))
    found = found.get("href") if isinstance(found, dict) else found
    return found if isinstance(found, str) and found else None


def _read(rows: list[Any], database: Database) -> Iterator[Entry | Refusal]:
    for row in rows:
        key = _word(row.get("id")) if isinstance(row, dict) else ""
        yield attempt(partial(entry_of, row, database.provider), key or "without an id", str(row)[:200])


def entry_of(row: Any, provider: Provider) -> Entry:
    """Crystal and numbers of an entry of a provider.

    Raises
    ------
    InputError
        If it is none, or no ordered crystal.
    """
    if not isinstance(row, dict) or not isinstance(row.get("attributes"), dict) or not row.get("id"):
        raise InputError("no structure of OPTIMADE: it has no id or no attributes")
    attributes = row["attributes"]
    key = _word(row["id"])
    numbers: list[tuple[str, float, Any]] = []
    for part in provider.numbers:
        stated = _word(attributes.get(provider.functional_field)) if provider.functional_field else ""
        method = external(provider.name, part.functional or stated or UNKNOWN, provider.licence)
        for path, kind in part.fields.items():
            found = value_of(kind, at(attributes, path), ".".join(path))
            if found is not None:
                numbers.append((kind, found, method))
    source = {"name": provider.name, "key": key, "licence": provider.licence}
    crystal = optimade_structure.read(attributes)
    return Entry(key, crystal.structure, source, tuple(numbers), remarks=crystal.remarks)


def known_provider(meta: Any, options: LoadOptions, name: str) -> Provider:
    """Provider that an answer's ``meta`` names; the user's own word on the licence and the name comes first."""
    prefix = str(at(meta, ("provider", "prefix")) or "").strip("_").lower() if isinstance(meta, dict) else ""
    stated_name = _word(at(meta, ("provider", "name"))) if isinstance(meta, dict) else ""
    known = PROVIDERS.get(prefix, Provider(stated_name or name, UNKNOWN))
    stated = at(meta, ("license",)) if isinstance(meta, dict) else None
    stated = _word(stated.get("href") if isinstance(stated, dict) else stated)
    licence = options.licence or (known.licence if known.licence != UNKNOWN else stated or UNKNOWN)
    return Provider(options.source or known.name, licence, known.numbers, known.functional_field)
