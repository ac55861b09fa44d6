"""The embedded database: one server process per data directory, started on demand.

The server speaks MongoDB's wire protocol and is a program of its own: it is started and talked to,
never imported. A state file tells other processes where it listens, and is written again where it is damaged; a lock
file lets only one of them start it; the port is kept, so that workers find the server again after a restart.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from fermiloop.platform.errors import AwayError, DatabaseError
from fermiloop.platform.settings import without_secrets
from fermiloop.platform.store import embedded_programs, server_process
from fermiloop.platform.store.embedded_programs import Server
from fermiloop.platform.store.server_process import HOST, State
from fermiloop.platform.store.server_process import read as _read_state

if TYPE_CHECKING:
    from collections.abc import Iterator

USER: Final = "fermiloop"
NOTE, FIRST, STOPPED = "server.json", "first.json", "stopped"
FULL: Final = "the disk is full, so free some space or move FERMILOOP_DATA_DIR"
SMALLEST_DISK: Final = 4_000_000  # bytes free: the server cannot even make its files in less
START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 30.0
SIGNALS: Final = 3
BUSY: Final = ("Device or resource busy", "WtError { code: 16")
OTHER_FORMAT: Final = ("entryFormat", "no migration")
_children: list[subprocess.Popen[bytes]] = []  # held, so that Python does not warn of the servers left running


def ensure(data_dir: Path) -> str:
    """URI of the server of this data directory, started where it does not run.

    Raises
    ------
    AwayError
        If it was stopped to stay so.
    DatabaseError
        If the server is not installed, the folder cannot be written, or the server does not start.
    """
    folder = _prepare(data_dir)
    state = _noted(folder)
    if state:
        return _uri(folder, state)
    with _locked(folder):
        state = _noted(folder) or _found(folder)
        if state:
            return _uri(folder, state)
        if (folder / STOPPED).exists():
            raise AwayError("The embedded database was stopped, and stays so; start it with fermiloop db start.")
        before = _read_state(folder / NOTE)
        if before:
            _wait_until_gone(before, STOP_SECONDS)
        server = embedded_programs.choose(folder)
        _provision(folder, server)
        port = _free_port(before["port"] if before else None)
        _children.append(_spawn(folder, port, auth=True, note=folder / NOTE, server=server))
        return _uri(folder, {"port": port, "files": server.kind.files})


def stop(data_dir: Path, *, stay: bool = False) -> bool:
    """Stop the server of this data directory; False where none ran.

    Parameters
    ----------
    stay
        Whether no process may start it again until `allow`.
    """
    folder = _folder(data_dir)
    if not folder.exists():
        return False
    with _locked(folder):
        if stay:
            (folder / STOPPED).touch()
        state = _noted(folder) or server_process.find(folder)
        if not state or not server_process.lives(state):
            return False
        _end(state)
        return True


def allow(data_dir: Path) -> None:
    """Let the server be started again after a stop that was to stay."""
    (_folder(data_dir) / STOPPED).unlink(missing_ok=True)


def status(data_dir: Path) -> dict[str, Any]:
    """Whether the server of this data directory runs, its process id and port."""
    folder = _folder(data_dir)
    state = _noted(folder)
    if state is None and folder.exists():
        state = server_process.find(folder)
        state = state if state and server_process.answers(state) else None
    last = state or _read_state(folder / NOTE)
    return {
        "running": state is not None,
        "pid": state["pid"] if state else None,
        "port": last["port"] if last else None,
        "folder": str(folder),
        "stays_stopped": (folder / STOPPED).exists(),
    }


def _noted(folder: Path) -> State | None:
    """The running server that the note names, None where it names none; a note that is wrong about it is corrected."""
    told = _read_state(folder / NOTE)
    if told is None or not server_process.lives(told):
        return None
    state = server_process.checked(told, folder)
    if not state or not server_process.answers(state):
        return None
    if state != told:
        _write_private(folder / NOTE, json.dumps(state))
    return state


def _found(folder: Path) -> State | None:
    """The running server that no note names, and a new note of it; one without a guard is what a first start left."""
    state = server_process.find(folder)
    if state is None or not state["auth"]:
        return None
    if not server_process.answers(state):
        _wait_until_gone(state, STOP_SECONDS)
        return None
    _write_private(folder / NOTE, json.dumps(state))
    return state


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


def _provision(folder: Path, server: Server) -> None:
    """Make the user, on the first start: the server has no exception for local connections."""
    _end_leftover(folder)
    if (folder / server.kind.secret).exists():
        return
    password = secrets.token_urlsafe(24)
    port = _free_port(None)
    process = _spawn(folder, port, auth=False, note=folder / FIRST, server=server)
    try:
        with _unguarded(port, 5000) as client:
            known = client.admin.command("usersInfo", USER)["users"]  # by a first start that was cut off
            client.admin.command("updateUser" if known else "createUser", USER, pwd=password, roles=["root"])
    except PyMongoError as error:
        raise DatabaseError(f"The embedded database refused its user: {error}.") from None
    finally:
        _end({"pid": process.pid, "started": server_process.start_ticks(process.pid)})
        process.wait(STOP_SECONDS)
    try:
        _write_private(folder / server.kind.secret, password)
    except OSError as error:
        raise DatabaseError(f"The embedded database cannot keep its password: {_reason(error)}.") from None


def _end_leftover(folder: Path) -> None:
    """End the open server of a first start that was cut off: it holds the files."""
    for left in (_read_state(folder / FIRST), server_process.find(folder)):
        if left and server_process.lives(left):
            known = server_process.checked(left, folder)
            if known and not known.get("auth"):
                os.kill(left["pid"], signal.SIGKILL)
                _wait_until_gone(left, STOP_SECONDS)


def _spawn(folder: Path, port: int, *, auth: bool, note: Path, server: Server | None = None) -> subprocess.Popen[bytes]:
    """Start a server, note its process and port, and wait until it answers.

    Raises
    ------
    DatabaseError
        With the last line of its log, if it ends or does not answer in time.
    """
    server = server or embedded_programs.choose(folder)
    arguments = server.arguments(folder, port, auth=auth)
    log = folder / "server.log"
    try:
        with log.open("ab") as out:
            process = subprocess.Popen(
                arguments, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True, cwd=folder,
                env=_environment(),
            )  # fmt: skip
    except OSError as error:
        raise DatabaseError(f"The embedded database {arguments[0]} cannot be started: {_reason(error)}.") from None
    state = {"pid": process.pid, "started": server_process.start_ticks(process.pid), "port": port, "auth": auth}
    try:
        _write_private(note, json.dumps({**state, "files": server.kind.files}))
    except OSError as error:
        process.kill()  # nobody would find it, and it would hold the files
        process.wait(STOP_SECONDS)
        raise DatabaseError(f"The embedded database cannot be started: {_reason(error)}.") from None
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise DatabaseError(_why_ended(folder, server, log))
        with contextlib.suppress(PyMongoError), _unguarded(port, 300) as client:
            client.admin.command("hello")
            return process
        time.sleep(0.05)
    process.kill()
    process.wait(STOP_SECONDS)
    raise DatabaseError(f"The embedded database did not answer within {START_SECONDS:.0f} s; its log is {log}.")


def _why_ended(folder: Path, server: Server, log: Path) -> str:
    """Why a server ended at once, and the remedy."""
    if shutil.disk_usage(folder).free <= SMALLEST_DISK:
        return f"The embedded database ended at once: {FULL}; its log is {log}."
    told = _last_line(log)
    if any(words in told for words in BUSY):
        who = server_process.holder(folder / server.kind.files)
        return (
            f"The files of the embedded database in {folder} are held by {who}; stop it there, "
            "or name its address in FERMILOOP_MONGODB_URI."
        )
    if any(words in told for words in OTHER_FORMAT):
        return (
            f"The files of the embedded database in {folder} are of another version of {server.kind.program}; name "
            "that one in FERMILOOP_EMBEDDED_COMMAND, write them with fermiloop db dump, and read them with fermiloop "
            "db restore."
        )
    return f"The embedded database ended at once: {told}; its log is {log}."


def _environment() -> dict[str, str]:
    """What the server is told of this process: no account, and no Python but its own."""
    kept = without_secrets(os.environ)
    return {name: value for name, value in kept.items() if name not in {"PYTHONPATH", "PYTHONHOME"}}


def _reason(error: OSError) -> str:
    return FULL if error.errno == errno.ENOSPC else str(error.strerror)


def _unguarded(port: int, timeout_ms: int) -> MongoClient[dict[str, Any]]:
    """Client of a local server, without credentials."""
    return MongoClient(HOST, port, directConnection=True, serverSelectionTimeoutMS=timeout_ms)


def _uri(folder: Path, state: State) -> str:
    kinds = {kind.files: kind for kind in embedded_programs.KINDS}
    kind = kinds.get(str(state.get("files")), embedded_programs.RS)
    try:
        password = (folder / kind.secret).read_text(encoding="utf-8")
    except OSError as error:
        raise DatabaseError(
            f"The password of the embedded database, {folder / kind.secret}, cannot be read ({error.strerror}); "
            "bring that file back."
        ) from None
    return f"mongodb://{USER}:{password}@{HOST}:{state['port']}/?authSource=admin&directConnection=true"


def _write_private(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")  # of this process alone: two may write at once
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    temporary.replace(path)


def _end(state: State) -> None:
    """Ask a server to stop and wait for its process: its port closes seconds before the files are released.

    The Python servers may miss a signal while clients leave, so it is given again.
    """
    for left in reversed(range(SIGNALS)):
        with contextlib.suppress(ProcessLookupError):  # it ended by itself in between
            os.kill(state["pid"], signal.SIGTERM)
        try:
            return _wait_until_gone(state, STOP_SECONDS / SIGNALS)
        except DatabaseError:
            if not left:
                raise
    return None


def _wait_until_gone(state: dict[str, Any], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while server_process.lives(state):
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
