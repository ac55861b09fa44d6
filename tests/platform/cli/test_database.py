"""The database from the command line: prepare, fill, move."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fermiloop.platform.errors import AwayError, DatabaseError
from fermiloop.platform.settings import settings
from fermiloop.platform.store import connection, embedded

GOOD = {"material_id": "x-1", "cell": [2.9, 2.9, 2.9, 90, 90, 90], "species": ["Ni", "Al"],
        "frac": [[0, 0, 0], [0.5, 0.5, 0.5]], "formula": "NiAl", "nsites": 2, "band_gap": 0.0}  # fmt: skip


def test_status_shows_no_password(cli: Callable[..., Any], database: str) -> None:
    found = cli("db", "status", "--json")
    assert found.json()["running"] is True
    assert found.json()["database"] == database
    password = settings().mongodb_uri.partition("://")[2].partition("@")[0].partition(":")[2]
    assert not password or password not in found.out + cli("db", "status").out


def test_status_starts_nothing(cli: Callable[..., Any], tmp_path: Path) -> None:
    found = cli("db", "status", "--json")
    assert (found.code, found.json()["running"]) == (0, False)
    assert not list(tmp_path.rglob("server.json"))
    assert "No embedded server" in cli("db", "stop").out


def test_a_server_of_your_own_is_not_stopped(cli: Callable[..., Any], database: str) -> None:
    assert "left running" in cli("db", "stop").out
    assert cli("db", "start").code == 0


def test_init_may_be_repeated_and_migrate_has_nothing_left(cli: Callable[..., Any], database: str) -> None:
    would = cli("db", "migrate", "--dry-run")
    assert all(line.startswith("would do: ") for line in would.out.splitlines())
    assert connection.database()["schema_version"].count_documents({}) == 0
    for _ in range(2):
        assert f"is ready, schema version {connection.SCHEMA_VERSION}" in cli("db", "init").out
    assert cli("db", "migrate").out == "The schema is up to date.\n"


def test_load_keeps_the_good_and_quarantines_the_bad(cli: Callable[..., Any], database: str, tmp_path: Path) -> None:
    path = tmp_path / "mixed.jsonl"
    flat = {**GOOD, "cell": [2.9, 2.9, 0.0, 90, 90, 90]}
    path.write_text(f"{json.dumps(GOOD)}\n{json.dumps(flat)}\nnot json\n")
    assert cli("db", "load", str(path), "--json").json() == {"loaded": 1, "already": 0, "quarantined": 2}
    again = cli("db", "load", str(path))
    assert again.out == "0 loaded, 1 there already, 2 in quarantine.\n"
    assert len(cli("materials", "find", "--json").json()) == 1


def test_dump_and_restore_move_everything(
    cli: Callable[..., Any], database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "one.jsonl"
    path.write_text(json.dumps(GOOD) + "\n")
    assert cli("db", "init").code == 0
    assert cli("db", "load", str(path)).code == 0
    before = cli("materials", "find", "--json").json()
    assert cli("db", "dump", str(tmp_path / "archive")).out.startswith("Wrote ")
    other = f"test_{uuid.uuid4().hex[:12]}"
    monkeypatch.setenv("FERMILOOP_DATABASE", other)
    settings.cache_clear()
    try:
        assert cli("db", "restore", str(tmp_path / "archive")).code == 0
        assert cli("materials", "find", "--json").json() == before
    finally:
        connection.database().client.drop_database(other)


def test_a_stop_that_is_to_stay_is_kept_until_a_start(
    tmp_path: Path, cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FERMILOOP_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("FERMILOOP_EMBEDDED_SYNC", "false")
    monkeypatch.setattr(connection, "RETRY_SECONDS", 0.0)
    settings.cache_clear()
    uri = embedded.ensure(tmp_path)
    script = f"import pymongo, time; c = pymongo.MongoClient({uri!r}); c.admin.command('ping')"
    script += "; print(1, flush=True); time.sleep(60)"
    follower = subprocess.Popen([sys.executable, "-c", script, "worker_process"], stdout=subprocess.PIPE)
    try:
        assert follower.stdout is not None
        follower.stdout.readline()
        told = cli("db", "stop").out
        assert "stays so until fermiloop db start" in told
        if Path("/proc/net/tcp").exists():
            assert f"worker (process {follower.pid})" in told
        with pytest.raises(AwayError, match="fermiloop db start"):
            connection.connect()
        with pytest.raises(DatabaseError, match="did not come back"):  # workers wait that long, and then again
            connection.retrying(list)
        assert embedded.status(tmp_path)["running"] is False
        assert embedded.status(tmp_path)["stays_stopped"] is True
        assert "answers at" in cli("db", "start").out
        assert embedded.ensure(tmp_path) == uri
    finally:
        follower.kill()
        follower.communicate()
        connection.disconnect()
        embedded.stop(tmp_path)
