"""The core tests of the store on each kind of embedded server that can be installed here.

The newest series is installed into an environment of its own, once for this machine's user, where
FERMILOOP_TEST_SERVERS is set (`.ci/run` sets it); it may name the program of another series in place of that.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from pymongo import MongoClient

from fermiloop.db_init import archive, setup
from fermiloop.platform.settings import settings
from fermiloop.platform.store import connection, embedded, embedded_programs

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
CORE = (
    "conformance",
    "sequence",
    "schedules",
    "campaigns",
    "calculations",
    "labels",
    "spectra",
    "checkpoints",
    "imports",
)
NEWEST = "0.7.0b3"


def newest() -> str:
    """Program of the newest series."""
    wanted = os.environ.get("FERMILOOP_TEST_SERVERS")
    if wanted and Path(wanted).is_file():
        return wanted
    folder = Path(tempfile.gettempdir()) / f"secantusdb-{NEWEST}-{os.geteuid()}"
    program = folder / "bin" / "secantusd-py"
    if not program.exists():
        if not wanted:
            pytest.skip(f"FERMILOOP_TEST_SERVERS is not set, so secantusdb {NEWEST} is not installed")
        made = subprocess.run([sys.executable, "-m", "venv", folder], capture_output=True)
        got = subprocess.run([folder / "bin" / "pip", "install", "-q", f"secantusdb=={NEWEST}"], capture_output=True)
        if made.returncode or got.returncode or not program.exists():
            pytest.skip(f"secantusdb {NEWEST} cannot be installed here: {got.stderr.decode()[-200:]}")
    return str(program)


def commands() -> list[str]:
    return [*(server.command[0] for server in embedded_programs.installed()), f"secantusdb {NEWEST}"]


@pytest.fixture(params=commands())
def command(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The command of each server, set as that of the embedded one."""
    found = newest() if request.param.startswith("secantusdb ") else request.param
    monkeypatch.setenv("FERMILOOP_EMBEDDED_COMMAND", found)
    settings.cache_clear()
    return found


@pytest.mark.timeout(600)
def test_the_core_of_the_store_works_on_it(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FERMILOOP_EMBEDDED_SYNC", "false")
    settings.cache_clear()
    try:
        environment = {**os.environ, "FERMILOOP_TEST_MONGODB_URI": embedded.ensure(tmp_path)}
        kind = embedded_programs.kind_of([command])
        assert (tmp_path / "database" / kind.files).is_dir()
        files = [str(HERE / f"test_{name}.py") for name in CORE]
        told = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *files],
            env=environment, cwd=HERE.parents[2], capture_output=True, text=True,
        )  # fmt: skip
        assert told.returncode == 0, told.stdout[-3000:]
    finally:
        embedded.stop(tmp_path)


def test_it_is_stopped_and_comes_back_under_its_address(command: str, tmp_path: Path) -> None:
    uri = embedded.ensure(tmp_path)
    try:
        pid = embedded.status(tmp_path)["pid"]
        (tmp_path / "database" / "server.json").write_text("")  # found by its command
        assert embedded.stop(tmp_path)
        assert embedded.status(tmp_path)["running"] is False
        with MongoClient(embedded.ensure(tmp_path)) as client:
            client["kept"]["rows"].insert_one({"_id": 1})
        assert embedded.status(tmp_path)["pid"] != pid
        assert embedded.ensure(tmp_path).rpartition(":")[0] == uri.rpartition(":")[0]  # the same user and password
    finally:
        embedded.stop(tmp_path)


def test_a_store_moves_to_another_kind_by_dump_and_restore(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the message says that one kind gives about the data of another."""
    old = next((server for server in embedded_programs.installed() if server.kind.program == "secantusd-rs"), None)
    if old is None:
        pytest.skip("secantusd-rs is not installed")
    monkeypatch.setenv("FERMILOOP_DATA_DIR", str(tmp_path))
    try:
        _use(monkeypatch, old.command[0])
        setup.init()
        connection.database()["materials"].insert_one({"_id": "m-kept", "formula": "NiAl"})
        archive.dump(tmp_path / "DUMP")
        connection.disconnect()
        embedded.stop(tmp_path)
        (tmp_path / "database" / old.kind.files).rename(tmp_path / "database" / f"{old.kind.files}.old")
        _use(monkeypatch, newest())
        setup.init()
        archive.restore(tmp_path / "DUMP")
        assert connection.database()["materials"].find_one({"_id": "m-kept"})["formula"] == "NiAl"
    finally:
        connection.disconnect()
        embedded.stop(tmp_path)


def _use(monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.setenv("FERMILOOP_EMBEDDED_COMMAND", command)
    settings.cache_clear()
    connection.connect()
