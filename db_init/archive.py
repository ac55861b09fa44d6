"""Dump and restore: every collection as compressed lines of extended JSON, indexes made again.

The archive is readable by any server and any version of this one, GridFS files included (they are
two collections like the others): the embedded server has no upgrade of its own files.
"""

from __future__ import annotations

import gzip
import json
import uuid
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bson import json_util
from bson.errors import BSONError
from pymongo.errors import BulkWriteError

from fermiloop.db_init import indexes, setup
from fermiloop.db_init.importers.report import Progress, silent
from fermiloop.platform.errors import InputError, UserError
from fermiloop.platform.store import connection

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMAT: Final = 1
BATCH_BYTES: Final = 8_000_000
SKIPPED: Final = frozenset({"schema_version"})


def dump(folder: Path, progress: Progress = silent) -> dict[str, int]:
    """Write every collection into an empty or new folder; returns documents by collection.

    Raises
    ------
    UserError
        If the folder holds anything, or cannot be made.
    """
    database = connection.database()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"The folder {folder} is not empty; name another one for the dump.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"The folder {folder} cannot be made: {error.strerror}; name another one.") from None
    counts = {}
    names = sorted(name for name in database.list_collection_names() if not name.startswith("system."))
    for place, name in enumerate(names):
        progress(f"dump {name}", place / len(names))
        partial = _file(folder, name).with_suffix(".part")
        with gzip.open(partial, "wt", encoding="utf-8") as out:
            number = 0
            for document in database[name].find({}).sort("_id", 1):
                out.write(json_util.dumps(document, json_options=json_util.CANONICAL_JSON_OPTIONS) + "\n")
                number += 1
        partial.rename(_file(folder, name))
        counts[name] = number
    # Last, so that a dump without it is known to be cut off.
    manifest = {"format": FORMAT, "schema_version": connection.SCHEMA_VERSION, "counts": counts}
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1), encoding="utf-8")
    return counts


def restore(folder: Path, progress: Progress = silent) -> dict[str, int]:
    """Read a dump into an empty database; returns documents by collection.

    The whole archive is read before anything is written. A restore that was cut off leaves a mark, by which all
    others refuse the database; the next one begins it again.

    Raises
    ------
    InputError
        If the folder is no complete dump.
    UserError
        If the database holds documents already, or another process restores into it at the same time.
    """
    manifest = _manifest(folder)
    for name, number in manifest["counts"].items():
        if sum(1 for _ in _documents(folder, name)) != number:
            raise InputError(f"The dump {folder} is damaged: {name} does not contain {number} documents.")
    connection.connect(half_restored=True)
    database = connection.database()
    cut_off = database["schema_version"].find_one({"_id": connection.RESTORING}) is not None
    filled = [n for n in database.list_collection_names() if n not in SKIPPED and database[n].find_one({}) is not None]
    if filled and not cut_off:
        raise UserError(
            f"The database {database.name} is not empty ({', '.join(sorted(filled)[:3])}); "
            "restore into a new one by setting FERMILOOP_DATABASE."
        )
    for name in filled:
        database[name].drop()
    database["schema_version"].drop()  # the dump's own counts; one without has no migration behind it
    mark = {"_id": connection.RESTORING, "folder": str(folder.absolute()), "by": uuid.uuid4().hex}
    database["schema_version"].insert_one(mark)
    indexes.create(database)  # while all is empty: over many documents the embedded server takes very long
    for place, name in enumerate(manifest["counts"]):
        progress(f"restore {name}", place / len(manifest["counts"]))
        _insert(database[name], folder, name)
    if not database["schema_version"].delete_one(mark).deleted_count:
        raise UserError(f"Another process restores into the database {database.name}; let one alone do so.")
    setup.init()
    return dict(manifest["counts"])


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        if manifest["format"] == FORMAT and isinstance(manifest["counts"], dict):
            if manifest["schema_version"] > connection.SCHEMA_VERSION:
                raise InputError(
                    f"The dump {folder} is of schema version {manifest['schema_version']}: "
                    "upgrade fermiloop to restore it."
                )
            return dict(manifest)
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise InputError(f"The folder {folder} holds no complete dump: its manifest.json is missing or damaged.")


def _file(folder: Path, name: str) -> Path:
    """Where a collection lies in a dump; a slash in its name is percent-encoded."""
    return folder / f"{name.replace('%', '%25').replace('/', '%2F')}.jsonl.gz"


def _documents(folder: Path, name: str) -> Iterator[tuple[dict[str, Any], int]]:
    """Documents of one collection, each with the length of its line."""
    if not name or name.startswith(("system.", ".")) or name.endswith(".") or set(name) & set("$\0"):
        raise InputError(f"The dump {folder} names a collection {name!r} that cannot be one.")
    try:
        with gzip.open(_file(folder, name), "rt", encoding="utf-8") as lines:
            for line in lines:
                yield json_util.loads(line, json_options=json_util.CANONICAL_JSON_OPTIONS), len(line)
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError, BSONError) as error:
        raise InputError(f"The dump {folder} is damaged: {name} cannot be read ({type(error).__name__}).") from None


def _insert(collection: Any, folder: Path, name: str) -> None:
    batch, size = [], 0
    for document, length in _documents(folder, name):
        batch.append(document)
        size += length
        if size > BATCH_BYTES:
            _write(collection, batch)
            batch, size = [], 0
    if batch:
        _write(collection, batch)


def _write(collection: Any, batch: list[dict[str, Any]]) -> None:
    try:
        collection.insert_many(batch, ordered=False)
    except BulkWriteError as error:
        first = error.details["writeErrors"][0]["errmsg"]
        raise InputError(f"The dump cannot be restored: {first[:200]}.") from None
