"""Programs that outlived the worker which started them: found by the folder they work in, and ended."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path
from typing import Final

PATIENCE: Final = 10.0  # s that a program may take to end when it is asked to
SHORT: Final = 3.0  # s, where somebody waits for it
LOOK_EVERY: Final = 0.1  # s


def end(folder: Path, patience: float = PATIENCE) -> int:
    """End every process of this host that works in a folder; how many there were.

    Two runs of one step would be paid for twice, and a launcher such as srun ends its ranks on other nodes with it.
    """
    return end_all([folder], patience)


def end_all(folders: list[Path], patience: float = PATIENCE) -> int:
    """End every process of this host that works in one of some folders; how many there were."""
    found = working_in(*folders)
    for how, seconds in ((signal.SIGTERM, patience), (signal.SIGKILL, patience)):
        left = working_in(*folders)
        for process in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process, how)
        deadline = time.monotonic() + seconds
        while left and working_in(*folders) and time.monotonic() < deadline:
            time.sleep(LOOK_EVERY)
    return len(found)


def looked_up(pid: int) -> tuple[str, float]:
    """When a process began, as the system says it, and its processor time with that of programs it ran (s).

    An empty text and zero where it has ended.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return "", 0.0
    if fields[0] in "ZX":
        return "", 0.0
    return fields[19], sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def working_in(*folders: Path) -> list[int]:
    """Ids of the processes of this host, but this one, that work in these folders; none where there is no /proc."""
    places = {str(folder.resolve()) for folder in folders}
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if os.readlink(entry / "cwd") in places and int(entry.name) != os.getpid():  # noqa: PTH115
                found.append(int(entry.name))
    return found
