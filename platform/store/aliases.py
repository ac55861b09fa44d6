"""Which material an id leads to: one of today, one that was merged, or the cell of a setting."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fermiloop.platform.store.batches import in_batches
from fermiloop.schemas.alias import Alias
from fermiloop.schemas.material import Material
from fermiloop.schemas.setting import Setting

BATCH = 1000


def current(ids: Iterable[str]) -> dict[str, str]:
    """What each material id has become by merging: itself, where it was never merged into another."""
    found = {key: key for key in ids}
    ahead, passed = set(found), set(found)
    while ahead:
        step = {row["_id"]: row["material"] for row in _rows(Alias, "_id", ahead, ("material",))}
        found = {key: step.get(at, at) for key, at in found.items()}
        ahead = set(step.values()) - passed
        passed |= ahead
    return found


def resolve(ids: Iterable[str]) -> dict[str, str]:
    """Material that the store holds, by any id that was ever its own or that of a cell of it; others are left out."""
    wanted = dict.fromkeys(ids)
    found = _held(wanted)
    if len(found) == len(wanted):
        return found
    found |= {key: at for key, at in current(key for key in wanted if key not in found).items() if at != key}
    for field in ("form", "cell"):
        lacking = [key for key in wanted if key not in found]
        if lacking:
            rows = {row[field]: row["material"] for row in _rows(Setting, field, lacking, (field, "material"))}
            now = current(rows.values())
            found |= {key: now[at] for key, at in rows.items()}
    held = _held(set(found.values()))
    return {key: at for key, at in found.items() if at in held}


def one(material_id: str) -> str:
    """The material that an id leads to; the id itself where the store knows nothing of it."""
    return resolve([material_id]).get(material_id, material_id)


def _held(ids: Iterable[str]) -> dict[str, str]:
    return {row["_id"]: row["_id"] for row in _rows(Material, "_id", ids, ())}


def _rows(
    kind: type[Alias | Material | Setting], field: str, values: Iterable[str], fields: tuple[str, ...]
) -> list[Any]:
    wanted = sorted(set(values))
    collection = kind._get_collection()  # noqa: SLF001
    return [
        row
        for batch in in_batches(wanted, BATCH)
        for row in collection.find({field: {"$in": batch}}, dict.fromkeys(("_id", *fields), 1))
    ]
