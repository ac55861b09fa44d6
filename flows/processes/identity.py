"""Identity: who a worker is, and whether it has certainly ended.

Host name and process id are no identity: two containers of one name both have a process 7. A worker's name ends in
an id of its own, and says in between where its process id means anything: which boot of which machine, and which
namespace of process ids. Only there may a process be looked up; a worker of elsewhere is judged by whether it is
heard (`flows.processes.heartbeat`).
"""

from __future__ import annotations

import functools
import os
import socket
import subprocess
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

SEPARATOR: Final = "~"
UNKNOWN: Final = "-"
BOOT: Final = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class Identity:
    """One process.

    Parameters
    ----------
    host, pid
        For people to find it.
    start
        When it began, as the system says it; empty where the system does not.
    boot
        Of the machine, since it was started.
    space
        Namespace of its process id.
    unique
        Random; no two processes have the same.
    """

    host: str
    pid: int
    start: str
    boot: str
    space: str
    unique: str

    @property
    def name(self) -> str:
        """As text, fit for the name of a file."""
        return SEPARATOR.join((self.host, str(self.pid), self.start, self.boot, self.space, self.unique))

    def shares_pids(self, other: Identity) -> bool:
        """Whether a process id means the same to both."""
        places = [(one.host, one.boot, one.space) for one in (self, other)]
        return places[0] == places[1] and UNKNOWN not in places[0]


def worker_name() -> str:
    """Name of this process as a worker; the same as long as it lives."""
    return _me(os.getpid()).name


def parse(name: str) -> Identity | None:
    """The process of a name, None where it is none of ours."""
    parts = name.split(SEPARATOR)
    if len(parts) != 6 or not parts[1].isdigit():
        return None
    host, pid, start, boot, space, unique = parts
    return Identity(host, int(pid), start, boot, space, unique)


def is_gone(name: str) -> bool:
    """Whether a worker has certainly ended; one whose process cannot be looked up from here is never said to be."""
    other, me = parse(name), _me(os.getpid())
    if other is None or other.unique == me.unique or not me.shares_pids(other):
        return False
    if other.pid == me.pid:
        return True  # the same number, and another process
    try:
        os.kill(other.pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        pass  # of another user: it is there, if it is still the same one
    now = start_of(other.pid)
    return now is not None and bool(other.start) and now != other.start


def start_of(pid: int) -> str | None:
    """When a process began, empty where it has ended, None where the system does not say."""
    if Path("/proc/self/stat").exists():
        if str(Path("/proc/self").readlink()) != str(os.getpid()):
            return None  # this /proc counts processes of another namespace
        try:
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        except FileNotFoundError:
            return None  # hidden, or ended just now, which the next look will tell
        except OSError:
            return None
        return "" if fields[0] in "ZX" else fields[19]
    try:
        return f"{psutil.Process(pid).create_time():.2f}"
    except psutil.NoSuchProcess:
        return ""
    except psutil.Error:
        return None


@functools.lru_cache(maxsize=1)
def _me(pid: int) -> Identity:
    """Identity of this process; a fork is another one."""
    host = socket.gethostname().replace(SEPARATOR, "-").replace("/", "-") or UNKNOWN
    return Identity(host, pid, start_of(pid) or "", _boot(), _space(), uuid.uuid4().hex[:16])


def _boot() -> str:
    try:
        found = BOOT.read_text(encoding="utf-8")
    except OSError:
        found = _said(["sysctl", "-n", "kern.bootsessionuuid"]) or ""  # macOS
    return found.strip().replace("-", "").lower()[:16] or UNKNOWN


def _space() -> str:
    """Namespace of process ids; systems without them have one."""
    if not Path("/proc/self").exists():
        return "0"
    try:
        return "".join(sign for sign in str(Path("/proc/self/ns/pid").readlink()) if sign.isdigit()) or UNKNOWN
    except OSError:
        return UNKNOWN


def _said(command: list[str]) -> str | None:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None
