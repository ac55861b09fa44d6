"""A campaign as one file of OPTIMADE JSON lines, which any OPTIMADE server can take in.

The first line says what the file is, the next describe the fields of each kind of entry, then one entry a line: the
campaign's candidates, the materials that they became, and the references that they rest on. The form is that of
optimade-maker (https://github.com/materialscloud-org/optimade-maker).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from fermiloop.platform import jsonable
from fermiloop.platform.errors import FailureError, InputError, NotFoundError
from fermiloop.platform.representations.optimade_fields import API_VERSION, PREFIX, PROVIDER_FIELDS
from fermiloop.platform.store import connection, optimade_entries

NOT_ATTRIBUTES: Final = frozenset({"_id", "id", "relationships", "revision"})


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
    optimade_entries.refresh()
    partial = path.with_name(f".{path.name}.part")
    try:
        with partial.open("w", encoding="utf-8") as out:
            for line in _lines(campaign):
                out.write(jsonable.text(line) + "\n")
        n = check(partial)
        if not n:
            raise NotFoundError(
                f"The store holds no candidate of a campaign {campaign!r}; see fermiloop campaign list."
            )
        partial.replace(path)
    except OSError as error:
        raise InputError(f"The file {path} cannot be written ({error.strerror}); name another one.") from None
    finally:
        partial.unlink(missing_ok=True)
    return n


def check(path: Path) -> int:
    """Read a file of OPTIMADE JSON lines against the models of the standard; returns how many structures it holds.

    Raises
    ------
    FailureError
        Naming the first line that does not hold.
    """
    from optimade.models import EntryInfoResource, ReferenceResource, StructureResource  # an optional dependency
    from pydantic import ValidationError

    kinds = {"structures": StructureResource, "references": ReferenceResource, "info": EntryInfoResource}
    ids: set[tuple[str, str]] = set()
    with path.open(encoding="utf-8") as lines:
        for number, text in enumerate(lines, 1):
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


def _lines(campaign: str) -> Iterator[dict[str, Any]]:
    yield {"x-optimade": {"meta": {"api_version": API_VERSION, "campaign": campaign, "provider": {"prefix": PREFIX}}}}
    yield from (_info(kind) for kind in ("structures", "references"))
    materials: set[str] = set()
    references: set[str] = set()
    for row in optimade_entries.entries({"kind": "candidate", "campaign": campaign}):
        materials |= {row["material"]} if row.get("material") else set()
        references |= _cited(row)
        yield _entry(row)
    for row in optimade_entries.entries({"_id": {"$in": sorted(materials)}}):
        references |= _cited(row)
        yield _entry(row)
    for row in connection.database()[optimade_entries.REFERENCES].find({"_id": {"$in": sorted(references)}}):
        fields = {name: _plain(value) for name, value in row.items() if name not in NOT_ATTRIBUTES}
        yield {"id": row["id"], "type": "references", "attributes": fields}


def _info(kind: str) -> dict[str, Any]:
    """Description of the fields of a kind of entry."""
    from optimade.models import EntryInfoResource, ReferenceResource, StructureResource  # an optional dependency
    from optimade.server.schemas import retrieve_queryable_properties

    resource = {"structures": StructureResource, "references": ReferenceResource}[kind]
    properties: dict[str, Any] = dict(retrieve_queryable_properties(resource, ("id", "type", "attributes")))
    if kind == "structures":
        for name, (form, unit, text) in PROVIDER_FIELDS.items():
            properties[f"_{PREFIX}_{name}"] = {"description": text, "type": form, **({"unit": unit} if unit else {})}
    about = EntryInfoResource(
        id=kind,
        type="info",
        description=f"{kind} of a campaign",
        formats=["json"],
        properties=properties,
        output_fields_by_format={"json": sorted(properties)},
    )
    return about.model_dump(mode="json", exclude_unset=True)


def _entry(row: dict[str, Any]) -> dict[str, Any]:
    attributes = {
        f"_{PREFIX}_{name}" if name in PROVIDER_FIELDS else name: _plain(value)
        for name, value in row.items()
        if name not in NOT_ATTRIBUTES
    }
    related = row.get("relationships") or {}
    return {"id": row["id"], "type": "structures", "attributes": attributes, "relationships": related}


def _cited(row: dict[str, Any]) -> set[str]:
    return {one["id"] for one in (row.get("relationships") or {}).get("references", {}).get("data", ())}


def _plain(value: Any) -> Any:
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(value, datetime) else value
