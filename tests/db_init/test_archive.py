"""Dump and restore: everything comes back, and nothing is written from or over what is not right."""

from __future__ import annotations

import gzip
import json
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fermiloop.db_init import archive, setup
from fermiloop.platform.errors import DatabaseError, InputError, UserError
from fermiloop.platform.settings import settings
from fermiloop.platform.store import checkpoints, connection


@pytest.fixture
def dumped(populated: str, tmp_path: Path) -> Path:
    """Folder of a dump of the populated database."""
    setup.init()
    archive.dump(tmp_path / "dump")
    return tmp_path / "dump"


@pytest.fixture
def elsewhere(populated: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Move on to an empty database, dropped afterwards."""
    name = f"test_{uuid.uuid4().hex[:12]}"

    def move() -> None:
        monkeypatch.setenv("FERMILOOP_DATABASE", name)
        settings.cache_clear()

    yield move
    connection.connect(half_restored=True)
    connection.database().client.drop_database(name)


def contents() -> dict[str, list[dict[str, Any]]]:
    database = connection.database()
    names = [name for name in database.list_collection_names() if database[name].find_one() is not None]
    return {name: list(database[name].find().sort("_id", 1)) for name in names}


def test_everything_comes_back(dumped: Path, elsewhere: Callable[[], None], tmp_path: Path) -> None:
    before = contents()
    elsewhere()
    assert contents() == {}
    counts = archive.restore(dumped)
    assert contents() == before
    assert {name: n for name, n in counts.items() if n} == {name: len(rows) for name, rows in before.items()}
    assert counts["checkpoint_files.chunks"] == 3
    (found,) = checkpoints.find()
    checkpoints.fetch(found.id, tmp_path)
    assert (tmp_path / "model.safetensors").read_bytes() == (tmp_path / "weights" / "model.safetensors").read_bytes()
    assert setup.init() == []  # indexes are there


def test_collections_of_others_come_back_by_whatever_name(
    populated: str, elsewhere: Callable[[], None], tmp_path: Path
) -> None:
    setup.init()
    for name in ("my-results", "ergebnisse für später", "runs/2026"):
        connection.database()[name].insert_one({"_id": name})
    archive.dump(tmp_path / "dump")
    before = contents()
    elsewhere()
    archive.restore(tmp_path / "dump")
    assert contents() == before


def test_a_dump_from_before_versions_is_migrated(populated: str, elsewhere: Callable[[], None], tmp_path: Path) -> None:
    connection.database()["materials"].update_many({}, {"$unset": {"formula_lower": 1}})
    archive.dump(tmp_path / "dump")
    elsewhere()
    setup.init()  # the new database bears the version of now, which is not that of what comes in
    archive.restore(tmp_path / "dump")
    assert connection.database()["materials"].find_one({"formula_lower": {"$exists": False}}) is None
    assert setup.migrate(dry_run=True) == []


def test_batches_are_written_as_they_fill(
    dumped: Path, elsewhere: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents()
    elsewhere()
    monkeypatch.setattr(archive, "BATCH_BYTES", 100)
    archive.restore(dumped)
    assert contents() == before


def test_a_filled_database_is_not_written_over(dumped: Path) -> None:
    before = contents()
    with pytest.raises(UserError, match=r"is not empty .*FERMILOOP_DATABASE"):
        archive.restore(dumped)
    assert contents() == before


def test_a_filled_folder_is_not_written_into(populated: str, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UserError, match="is not empty"):
        archive.dump(tmp_path)
    with pytest.raises(UserError, match="is not empty"):
        archive.dump(tmp_path / "mine.txt")
    with pytest.raises(UserError, match="cannot be made: Not a directory"):
        archive.dump(tmp_path / "mine.txt" / "below")


def no_manifest(dump: Path) -> None:
    (dump / "manifest.json").unlink()


def half_a_manifest(dump: Path) -> None:
    (dump / "manifest.json").write_text((dump / "manifest.json").read_text()[:40])


def cut_off(dump: Path) -> None:
    whole = (dump / "spectra.jsonl.gz").read_bytes()
    (dump / "spectra.jsonl.gz").write_bytes(whole[: len(whole) // 2])


def flipped_bits(dump: Path) -> None:
    whole = bytearray((dump / "materials.jsonl.gz").read_bytes())
    whole[len(whole) // 2] ^= 0xFF
    (dump / "materials.jsonl.gz").write_bytes(whole)


def a_line_less(dump: Path) -> None:
    lines = gzip.decompress((dump / "labels.jsonl.gz").read_bytes()).splitlines(keepends=True)
    (dump / "labels.jsonl.gz").write_bytes(gzip.compress(b"".join(lines[1:])))


def a_false_value(dump: Path) -> None:
    (dump / "labels.jsonl.gz").write_bytes(gzip.compress(b'{"_id": {"$oid": "short"}}\n' * 2))


def a_file_less(dump: Path) -> None:
    (dump / "methods.jsonl.gz").unlink()


def a_path_for_a_name(dump: Path) -> None:
    manifest = json.loads((dump / "manifest.json").read_text())
    manifest["counts"]["../$materials"] = 1
    (dump / "manifest.json").write_text(json.dumps(manifest))


def a_file_outside(dump: Path) -> None:
    (dump.parent / "outside.jsonl.gz").write_bytes(gzip.compress(b'{"_id": 1}\n'))
    manifest = json.loads((dump / "manifest.json").read_text())
    manifest["counts"]["../outside"] = 1
    (dump / "manifest.json").write_text(json.dumps(manifest))


def a_newer_version(dump: Path) -> None:
    manifest = json.loads((dump / "manifest.json").read_text())
    (dump / "manifest.json").write_text(json.dumps(manifest | {"schema_version": 99}))


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (no_manifest, "no complete dump"),
        (half_a_manifest, "no complete dump"),
        (cut_off, "damaged: spectra"),
        (flipped_bits, "damaged: materials"),
        (a_line_less, "damaged: labels does not contain 2"),
        (a_false_value, "damaged: labels cannot be read"),
        (a_file_less, "damaged: methods"),
        (a_path_for_a_name, "cannot be one"),
        (a_file_outside, "cannot be one"),
        (a_newer_version, "upgrade fermiloop"),
    ],
)
def test_a_damaged_dump_is_refused_before_anything_is_written(
    dumped: Path, elsewhere: Callable[[], None], damage: Callable[[Path], None], told: str
) -> None:
    elsewhere()
    damage(dumped)
    with pytest.raises(InputError, match=told):
        archive.restore(dumped)
    assert contents() == {}


def test_a_restore_that_was_killed_is_refused_by_all_others_and_begins_again(
    dumped: Path, elsewhere: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    before, plain = contents(), archive._insert
    elsewhere()
    for place in range(3):
        left = [2 * place + 1]

        def insert(*given: Any, left: list[int] = left) -> None:
            if not left[0]:
                raise KeyboardInterrupt
            left[0] -= 1
            plain(*given)

        with monkeypatch.context() as patch:
            patch.setattr(archive, "_insert", insert)
            with pytest.raises(KeyboardInterrupt):
                archive.restore(dumped)
        connection.disconnect()  # as for any other process
        with pytest.raises(DatabaseError, match=f"restored in part only: fermiloop db restore {dumped}"):
            connection.connect()
    archive.restore(dumped)
    connection.disconnect()
    assert contents() == before
    with pytest.raises(UserError, match="is not empty"):
        archive.restore(dumped)


def test_a_restore_into_which_another_came_is_no_whole_one(
    dumped: Path, elsewhere: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere()
    plain = archive.indexes.create

    def create(database: Any) -> None:  # another process has begun in this moment
        plain(database)
        database["schema_version"].update_one({"_id": connection.RESTORING}, {"$set": {"by": "another"}})

    with monkeypatch.context() as patch:
        patch.setattr(archive.indexes, "create", create)
        with pytest.raises(UserError, match="Another process restores into the database"):
            archive.restore(dumped)
    connection.disconnect()
    with pytest.raises(DatabaseError, match="restored in part only"):
        connection.connect()
