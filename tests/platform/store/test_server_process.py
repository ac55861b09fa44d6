"""The embedded server where its note is lost, its kind another, its stop meant: found, told, never ended by mistake."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from fermiloop.platform.errors import DatabaseError
from fermiloop.platform.settings import settings
from fermiloop.platform.store import embedded, embedded_programs, server_process
from fermiloop.platform.store.embedded_programs import KINDS, RS


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data directory with a running server."""
    folder = tmp_path_factory.mktemp("notes")
    yield folder
    embedded.allow(folder)
    embedded.stop(folder)


@pytest.fixture
def note(home: Path) -> Path:
    embedded.ensure(home)
    return home / "database" / "server.json"


DAMAGES: dict[str, Callable[[dict[str, Any]], str | None]] = {
    "gone": lambda state: None,
    "empty": lambda state: "",
    "cut off": lambda state: json.dumps(state)[:25],
    "no JSON": lambda state: "\0\0\0\0",
    "a list": lambda state: "[]",
    "of text": lambda state: json.dumps({**state, "pid": str(state["pid"]), "port": None}),
    "another port": lambda state: json.dumps({**state, "port": 1}),
    "a port out of range": lambda state: json.dumps({**state, "port": 10**6}),
    "a dead process": lambda state: json.dumps({**state, "pid": 2**22 - 1}),
    "another process": lambda state: json.dumps(
        {**state, "pid": os.getpid(), "started": server_process.start_ticks(os.getpid())}
    ),
    "another start": lambda state: json.dumps({**state, "started": "1"}),
    "other files": lambda state: json.dumps({**state, "files": "files-py"}),
    "of before": lambda state: json.dumps({name: state[name] for name in ("pid", "started", "port")}),
}


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="the commands of processes are read from /proc")
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_note_hides_no_server(home: Path, note: Path, damage: str) -> None:
    before, uri = json.loads(note.read_text()), embedded.ensure(home)
    text = DAMAGES[damage](before)
    note.unlink() if text is None else note.write_text(text)
    assert embedded.status(home)["pid"] == before["pid"]
    assert embedded.ensure(home) == uri
    assert json.loads(note.read_text()) | before == before
    with MongoClient(uri) as client:
        client.admin.command("ping")
    assert embedded.status(home) | {"folder": ""} == {
        "running": True, "pid": before["pid"], "port": before["port"], "folder": "", "stays_stopped": False,
    }  # fmt: skip


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="the commands of processes are read from /proc")
@pytest.mark.parametrize("text", [None, "", '{"pid": 1}'])
def test_a_server_without_a_note_is_stopped_too(home: Path, note: Path, text: str | None) -> None:
    pid = embedded.status(home)["pid"]
    note.unlink() if text is None else note.write_text(text)
    assert embedded.stop(home) is True
    assert server_process.start_ticks(pid) == ""
    assert embedded.stop(home) is False


def test_a_process_that_is_not_ours_is_never_ended(tmp_path: Path) -> None:
    folder = embedded._prepare(tmp_path)
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        state = {"pid": other.pid, "started": server_process.start_ticks(other.pid), "port": 9}
        for name in ("server.json", "first.json"):
            (folder / name).write_text(json.dumps(state))
        assert embedded.stop(tmp_path) is False
        embedded._end_leftover(folder)
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_files_that_another_holds_are_told_with_the_remedy(
    home: Path, note: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_process, "find", lambda folder: None)  # as where processes cannot be seen
    pid = embedded.status(home)["pid"]
    text = note.read_text()
    note.write_text("")
    try:
        with pytest.raises(DatabaseError, match=rf"held by process {pid}; stop it there") as refusal:
            embedded.ensure(home)
        assert "WtError" not in str(refusal.value)
        assert server_process.start_ticks(pid) != ""
    finally:
        note.write_text(text)
    assert "cannot be seen" in server_process.holder(home / "nowhere")


def program(folder: Path, name: str) -> Path:
    """An executable of a name that ends at once."""
    path = folder / name
    path.write_text("#!/bin/sh\necho --cache-size --sync-on-commit\n")
    path.chmod(0o700)
    return path


def test_what_is_installed_is_taken_in_its_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_programs.sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert embedded_programs.installed() == []
    with pytest.raises(DatabaseError, match=r"No database: .*MongoDB server of version 5\.0"):
        embedded_programs.choose(tmp_path)
    for kind in reversed(KINDS):
        path = program(tmp_path, kind.program)
        chosen = embedded_programs.choose(tmp_path)
        assert chosen.kind is kind
        assert chosen.command == (str(path),)
    (tmp_path / RS.files).mkdir()
    (tmp_path / RS.files / "WiredTiger").touch()
    assert embedded_programs.choose(tmp_path).kind is RS  # whose data lie there


def test_a_command_by_its_name_is_looked_for_beside_python_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    monkeypatch.setattr(embedded_programs.sys, "executable", str(tmp_path / "bin" / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    elsewhere = program(tmp_path, "secantusd-py")
    monkeypatch.setenv("FERMILOOP_EMBEDDED_COMMAND", "secantusd-py --session-max 50")
    settings.cache_clear()
    assert embedded_programs.choose(tmp_path).command == (str(elsewhere), "--session-max", "50")
    beside = program(tmp_path / "bin", "secantusd-py")
    assert embedded_programs.choose(tmp_path).command == (str(beside), "--session-max", "50")


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        ("secantusd-mdb", "secantusd-mdb"), ("/opt/x/secantusd-py --noop-heartbeat-seconds 5", "secantusd-py"),
        ("python -m secantus", "secantusd-py"), ("nice -n 5 /x/secantusd-rs", "secantusd-rs"),
        ("mongod", "secantusd-rs"),
    ],
)  # fmt: skip
def test_the_kind_of_a_command(command: str, kind: str) -> None:
    assert embedded_programs.kind_of(shlex.split(command)).program == kind


def test_each_kind_has_files_and_a_password_of_its_own() -> None:
    assert len({kind.files for kind in KINDS}) == len({kind.secret for kind in KINDS}) == len(KINDS)


def test_flags_that_a_program_does_not_know_are_not_given(tmp_path: Path) -> None:
    server = embedded_programs.Server(RS, (str(program(tmp_path, "secantusd-rs")),))
    arguments = server.arguments(tmp_path, 5, auth=True)
    assert arguments[-4:] == ["--cache-size", "512M", "--sync-on-commit", "--auth"]
    assert "--log-file-max" not in arguments


@pytest.mark.parametrize("old", KINDS)
@pytest.mark.parametrize("new", KINDS)
def test_data_of_another_kind_are_told_with_the_commands_that_move_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: embedded_programs.Kind, new: embedded_programs.Kind
) -> None:
    folder = embedded._prepare(tmp_path)
    (folder / old.files).mkdir()
    (folder / old.files / "WiredTiger").touch()
    monkeypatch.setenv("FERMILOOP_EMBEDDED_COMMAND", str(program(tmp_path, new.program)))
    settings.cache_clear()
    if old is new:
        assert embedded_programs.choose(folder).kind is new
        return
    with pytest.raises(DatabaseError) as refusal:
        embedded.ensure(tmp_path)
    sentence = str(refusal.value)
    dump = f"FERMILOOP_EMBEDDED_COMMAND={old.program} fermiloop db dump DUMP"
    for part in (dump, f"mv {folder / old.files}", "fermiloop db restore DUMP"):
        assert part in sentence
    assert (folder / old.files / "WiredTiger").exists()
    assert not (folder / new.files).exists()


def test_the_server_is_told_no_account(home: Path, note: Path) -> None:
    pid = embedded.status(home)["pid"]
    environment = Path(f"/proc/{pid}/environ")
    if not environment.exists():
        pytest.skip("no /proc")
    assert b"FERMILOOP_MONGODB_URI" not in environment.read_bytes()
    os.kill(pid, signal.SIGCONT)  # it is still there
