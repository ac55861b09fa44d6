"""Two materials that turn out to be one crystal: the younger becomes part of the older.

The alias comes first and stays for good; labels and curves are copied, references rewritten, the younger material
removed, and its settings moved last. Each step may be repeated, and `finish` goes on wherever a merge was cut off.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from pymongo.errors import DuplicateKeyError

from fermiloop.platform.store import aliases, connection, moving, quarantine
from fermiloop.schemas.base import now
from fermiloop.schemas.material import Material

SOURCE: Final = "merged materials"  # under which quarantine tells of values that differ
REFERENCES: Final = (("calculations", "result.material"), ("candidates", "material"), ("candidates", "parent"))


def merge(ids: Iterable[str]) -> None:
    """Make one material of these: the oldest, by time and then by id."""
    found = sorted(set(aliases.current(ids).values()))
    if len(found) < 2:
        return
    born = {m.id: m.created_at for m in Material.objects(id__in=found).only("created_at")}
    oldest, *younger = sorted(born, key=lambda key: (born[key], key))
    for former in younger:
        _put(former, oldest)
    finish(younger)


def finish(former: Collection[str]) -> None:
    """Bring merges to their end whose aliases are there."""
    moves = {key: at for key, at in aliases.current(former).items() if key != at}
    if not moves:
        return
    _carry(moves)
    _rewrite_references(moves)
    connection.database()["materials"].delete_many({"_id": {"$in": sorted(moves)}})
    for key, at in moves.items():
        connection.database()["settings"].update_many({"material": key}, {"$set": {"material": at}})


def follow(moves: Mapping[str, str]) -> dict[str, str]:
    """Move what labels and curves stand under ids that are no materials to the materials that these lead to.

    Returns
    -------
    ids
        New ids of labels and curves by their former ones.
    """
    return _carry(moves) if moves else {}


def lead(moves: Mapping[str, str]) -> None:
    """Remember the ids under which another store knew materials of this one."""
    held = aliases.resolve(moves)
    for key, at in moves.items():
        if held.get(key) not in (key, at):
            _put(key, at)


def brought_home(materials: Iterable[str]) -> dict[str, str]:
    """`follow` of what was just written, for a material that was merged into another in between."""
    return follow({key: at for key, at in aliases.resolve(materials).items() if key != at})


def _put(former: str, oldest: str) -> None:
    database = connection.database()
    try:
        database["aliases"].insert_one({"_id": former, "material": oldest, "created_at": now()})
    except DuplicateKeyError:  # another process merged it in between, perhaps into a third one
        merge([former, oldest])


def _carry(moves: Mapping[str, str]) -> dict[str, str]:
    """Copy labels and curves, put their new ids into the snapshots that hold them, then remove the old ones."""
    carried = moving.copy(moves)
    for sentence in carried.told:
        quarantine.put(SOURCE, None, sentence, sentence)
    _rewrite_pages(moves, carried.ids)
    moving.remove(moves)
    return carried.ids


def _rewrite_references(moves: Mapping[str, str]) -> None:
    database = connection.database()
    former = {"$in": sorted(moves)}
    for collection, field in REFERENCES:
        rows = list(database[collection].find({field: former}, {field: 1}))
        for row in rows:
            at = moves[_at(row, field)]
            database[collection].update_one({"_id": row["_id"], field: _at(row, field)}, {"$set": {field: at}})


def _at(row: Any, field: str) -> str:
    for name in field.split("."):
        row = row[name]
    return str(row)


def _rewrite_pages(moves: Mapping[str, str], ids: Mapping[str, str]) -> None:
    """Snapshots keep their number of pages and their hash; a crystal that they held twice they hold once."""
    pages = connection.database()["snapshot_pages"]
    for page in list(pages.find({"materials": {"$in": sorted(moves)}})):
        changed = {
            "materials": _mapped(page.get("materials", ()), moves),
            "labels": _mapped(page.get("labels", ()), ids),
            "spectra": _mapped(page.get("spectra", ()), ids),
        }
        pages.update_one({"_id": page["_id"]}, {"$set": changed})


def _mapped(keys: Iterable[str], to: Mapping[str, str]) -> list[str]:
    return sorted({to.get(key, key) for key in keys})
