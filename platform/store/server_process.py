"""The process behind an embedded server: what its note says, and how it is found where the note is lost."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

HOST: Final = "127.0.0.1"
ESTABLISHED: Final = "01"  # of /proc/net/tcp
MARKS: Final = {
    "worker_process": "worker", "worker run": "workers", "schedule run": "scheduler", "serve": "serve",
    "campaign": "campaign",
}  # fmt: skip
State = dict[str, Any]  # pid, started, port, files


def read(note: Path) -> State | None:
    """What a note says; None where it is damaged, or of nobody."""
    try:
        state = json.loads(note.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(state, dict) or not isinstance(state.get("started"), str):
        return None
    numbers = (state.get("pid"), state.get("port"))
    if not all(isinstance(one, int) and not isinstance(one, bool) and one > 0 for one in numbers):
        return None
    return state if state["port"] < 65536 else None


def find(folder: Path) -> State | None:
    """The server of this user that has its files in a folder, by the commands of all processes."""
    found = []
    for pid, words in _commands():
        state = _of_command(pid, words, folder)
        if state is not None and lives(state):
            found.append(state)
    return next(iter(sorted(found, key=lambda state: not state["auth"])), None)


def checked(state: State, folder: Path) -> State | None:
    """What a note says, as the process itself confirms it; None where that process is no server of the folder."""
    try:
        words = Path(f"/proc/{state['pid']}/cmdline").read_bytes().decode(errors="surrogateescape").split("\0")[:-1]
    except OSError:
        return state  # nothing more is known there
    told = _of_command(state["pid"], words, folder)
    return None if told is None else {**told, "started": state["started"]}


def holder(files: Path) -> str:
    """Who holds the lock of a folder of data, in words."""
    try:
        inode = str((files / "WiredTiger.lock").stat().st_ino)
        rows = [line.split() for line in Path("/proc/locks").read_text(encoding="ascii").splitlines()]
    except OSError:
        rows = []
    pids = {row[4] for row in rows if row[5].rpartition(":")[2] == inode and row[4] != "0"}
    if not pids:
        return "a process that cannot be seen from here, perhaps in another container or on another host"
    return f"process {min(pids)}"


def _of_command(pid: int, words: list[str], folder: Path) -> State | None:
    """State of a process whose command names files in a folder."""
    given = {name: value for name, value in pairwise(words) if name.startswith("--")}
    files, port = given.get("--storage-path"), given.get("--port", "")
    if files is None or not port.isdecimal() or Path(files).parent.resolve() != folder.resolve():
        return None
    auth = "--auth" in words
    return {"pid": pid, "started": start_ticks(pid), "port": int(port), "files": Path(files).name, "auth": auth}


def _commands() -> Iterator[tuple[int, list[str]]]:
    """Process ids and commands of this user."""
    proc = Path("/proc")
    if not (proc / "self" / "cmdline").exists():
        listed = subprocess.run(["ps", "-xo", "pid=,command="], capture_output=True, text=True, check=False)  # noqa: S607
        for line in listed.stdout.splitlines():
            pid, _, command = line.strip().partition(" ")
            if pid.isdecimal():
                yield int(pid), command.split()
        return
    for entry in proc.iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            if entry.stat().st_uid != os.geteuid():
                continue
            words = (entry / "cmdline").read_bytes().decode(errors="surrogateescape").split("\0")
        except OSError:  # it has ended meanwhile
            continue
        yield int(entry.name), words[:-1]


def clients(port: int) -> list[tuple[int, str]]:
    """Processes of this user that are connected to a port of this machine, and what they are, where Linux tells."""
    inodes = _sockets_to(port)
    found = []
    for pid, words in _commands() if inodes else ():
        if pid != os.getpid() and inodes & _sockets_of(pid):
            found.append((pid, _name(words)))
    return sorted(found)


def _sockets_to(port: int) -> set[str]:
    try:
        rows = [line.split() for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]]
    except OSError:
        return set()
    return {row[9] for row in rows if row[3] == ESTABLISHED and int(row[2].partition(":")[2], 16) == port}


def _sockets_of(pid: int) -> set[str]:
    held = set()
    try:
        for handle in Path(f"/proc/{pid}/fd").iterdir():
            held.add(str(handle.readlink()).removeprefix("socket:[").removesuffix("]"))
    except OSError:
        return held
    return held


def _name(words: list[str]) -> str:
    """What of ours a command is."""
    text = " ".join(words)
    for mark, name in MARKS.items():
        if mark in text:
            return name
    return Path(words[0]).name if words else "?"


def start_ticks(pid: int) -> str:
    """When the process began, so that another process with the same id is not taken for it."""
    stat = Path(f"/proc/{pid}/stat")
    if stat.exists():
        fields = stat.read_text(encoding="utf-8").rpartition(")")[2].split()
        # A dead process whose threads are still ending holds its files.
        ended = fields[0] in "ZX" and len(list(stat.with_name("task").iterdir())) <= 1
        return "" if ended else fields[19]
    listed = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)  # noqa: S607
    return listed.stdout.strip()


def lives(state: State) -> bool:
    """Whether that very process is there."""
    try:
        return start_ticks(state["pid"]) == state["started"] != ""
    except OSError:
        return False


def answers(state: State) -> bool:
    """Whether that very process is there, and somebody listens on its port."""
    if not lives(state):
        return False
    try:
        socket.create_connection((HOST, state["port"]), 1.0).close()
    except OSError:
        return False
    return True
