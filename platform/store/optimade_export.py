"""Materials, or candidates with what they became, as OPTIMADE JSON lines, which any OPTIMADE server can take in.

The first line says what the file is, the next describe the fields of each kind of entry, then one entry a line:
candidates, materials, and the references that they rest on. The form is that of
optimade-maker (https://github.com/materialscloud-org/optimade-maker).
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from fermiloop.platform import jsonable
from fermiloop.platform.errors import FailureError, InputError, NotFoundError
from fermiloop.platform.representations.optimade_fields import API_VERSION, PREFIX, PROVIDER_FIELDS
from fermiloop.platform.store import (
    candidates,
    connection,
    exchange,
    exchange_records,
    optimade_entries,
    optimade_numbers,
)  # fmt: skip
from fermiloop.platform.store.batches import in_batches
from fermiloop.platform.store.exchange_records import Selection

NOT_ATTRIBUTES: Final = frozenset({"_id", "id", "relationships", "revision"})
RECORD: Final = "record"
FILE_FIELDS: Final = {
    RECORD: ("dictionary", None, "a material as fermiloop keeps it: crystal, source, labels and curves by Method"),
}  # fmt: skip
BATCH: Final = 200


def write(campaign: str, path: Path) -> int:
    """Write what a campaign proposed and found; returns how many structures the file holds.

    The file is written whole or not at all, and is read again before it gets its name.

    Raises
    ------
    NotFoundError
        If the store holds no candidate of this campaign.
    InputError
        If the file cannot be written there.
    FailureError
        If what was written does not read back as OPTIMADE entries.
    """
    selection = exchange_records.of_candidates(row.id for row in candidates.outlines(campaign))
    if not selection.n:
        raise NotFoundError(f"The store holds no candidate of a campaign {campaign!r}; see fermiloop campaign list.")
    partial = path.with_name(f".{path.name}.part")
    try:
        with partial.open("w", encoding="utf-8") as out:
            for line in lines(selection, campaign=campaign):
                out.write(dumps(line) + "\n")
        n = check(partial)
        partial.replace(path)
    except OSError as error:
        raise InputError(f"The file {path} cannot be written ({error.strerror}); name another one.") from None
    finally:
        partial.unlink(missing_ok=True)
    return n


def check(path: Path, *, packed: bool = False) -> int:
    """Read a file of OPTIMADE JSON lines against the models of the standard; returns how many structures it holds.

    Raises
    ------
    FailureError
        Naming the first line that is invalid.
    """
    from optimade.models import EntryInfoResource, ReferenceResource, StructureResource  # an optional dependency
    from pydantic import ValidationError

    kinds = {"structures": StructureResource, "references": ReferenceResource, "info": EntryInfoResource}
    ids: set[tuple[str, str]] = set()
    with gzip.open(path, "rt", encoding="utf-8") if packed else path.open(encoding="utf-8") as written:
        for number, text in enumerate(written, 1):
            try:
                line = json.loads(text)
                if number == 1:
                    line["x-optimade"]["meta"]["api_version"]
                    continue
                kinds[line["type"]](**line)
                key = line["type"], line["id"]
            except ValidationError as error:
                first = error.errors()[0]
                where = ".".join(str(part) for part in first["loc"])
                raise FailureError(f"Line {number} of {path} is no OPTIMADE entry: {where}: {first['msg']}.") from None
            except (KeyError, TypeError, ValueError) as error:
                raise FailureError(f"Line {number} of {path} is no OPTIMADE entry: {error!r}.") from None
            if key in ids:
                raise FailureError(f"Line {number} of {path} repeats the {key[0]} {key[1]}.")
            ids.add(key)
    return sum(kind == "structures" for kind, _ in ids)


def lines(selection: Selection, **about: Any) -> Iterator[dict[str, Any]]:
    """What a file holds: header, descriptions of the fields, entries by id, references.

    The header tells the Methods, and each material bears its record: what `fermiloop db load` reads back. `about` goes
    into the header as well.

    Raises
    ------
    FailureError
        If the served collection lacks an entry.
    """
    optimade_entries.refresh()
    methods = exchange_records.methods(selection)
    own = {"format": exchange.FORMAT, "version": exchange.VERSION, "kind": str(selection.kind), "methods": methods,
           "counts": {"materials": len(selection.materials), "candidates": len(selection.candidates)}}  # fmt: skip
    yield {"x-optimade": {"meta": {
        "api_version": API_VERSION, "provider": {"prefix": PREFIX}, f"_{PREFIX}": own, **about,
    }}}  # fmt: skip
    yield from (_info(kind) for kind in ("structures", "references"))
    references: set[str] = set()
    for row in _served(selection.candidates):
        references |= _cited(row)
        yield _entry(row)
    for row, record in zip(_served(selection.materials), exchange_records.materials(selection), strict=True):
        references |= _cited(row)
        yield _entry(row, {f"_{PREFIX}_{RECORD}": record})
    for row in connection.database()[optimade_entries.REFERENCES].find({"_id": {"$in": sorted(references)}}):
        fields = {name: _plain(value) for name, value in row.items() if name not in NOT_ATTRIBUTES}
        yield {"id": row["id"], "type": "references", "attributes": fields}


def dumps(line: Mapping[str, Any]) -> str:
    """A line of the file."""
    return jsonable.text(line)


def _served(ids: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Served entries of these ids, in their order, with the arrays of their curves."""
    for wanted in in_batches(ids, BATCH):
        found = {row["_id"]: row for row in optimade_entries.entries({"_id": {"$in": wanted}})}
        if lost := [key for key in wanted if key not in found]:
            raise FailureError(f"OPTIMADE does not serve {lost[0]} yet; run fermiloop optimade sync, then export.")
        yield from optimade_numbers.with_arrays([found[key] for key in wanted])


def _info(kind: str) -> dict[str, Any]:
    """Description of the fields of a kind of entry."""
    from optimade.models import EntryInfoResource, ReferenceResource, StructureResource  # an optional dependency
    from optimade.server.schemas import retrieve_queryable_properties

    resource = {"structures": StructureResource, "references": ReferenceResource}[kind]
    properties: dict[str, Any] = dict(retrieve_queryable_properties(resource, ("id", "type", "attributes")))
    if kind == "structures":
        for name, (form, unit, text) in {**PROVIDER_FIELDS, **FILE_FIELDS}.items():
            properties[f"_{PREFIX}_{name}"] = {"description": text, "type": form, **({"unit": unit} if unit else {})}
    about = EntryInfoResource(
        id=kind,
        type="info",
        description=f"{kind} of this file",
        formats=["json"],
        properties=properties,
        output_fields_by_format={"json": sorted(properties)},
    )
    return about.model_dump(mode="json", exclude_unset=True)


def _entry(row: dict[str, Any], more: Mapping[str, Any] | None = None) -> dict[str, Any]:
    attributes = {
        f"_{PREFIX}_{name}" if name in PROVIDER_FIELDS else name: _plain(value)
        for name, value in row.items()
        if name not in NOT_ATTRIBUTES
    }
    related = row.get("relationships") or {}
    return {
        "id": row["id"],
        "type": "structures",
        "attributes": {**attributes, **(more or {})},
        "relationships": related,
    }


def _cited(row: dict[str, Any]) -> set[str]:
    return {one["id"] for one in (row.get("relationships") or {}).get("references", {}).get("data", ())}


def _plain(value: Any) -> Any:
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(value, datetime) else value
