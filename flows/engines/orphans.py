"""Programs that outlived the worker which started them: found by the folder they work in, and ended."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path
from typing import Final

PATIENCE: Final = 10.0  # s that a program may take to end when it is asked to
LOOK_EVERY: Final = 0.1  # s


def end(folder: Path) -> int:
    """End every process of this host that works in a folder; how many there were.

    Two runs of one step would be paid for twice, and a launcher such as srun ends its ranks on other nodes with it.
    """
    found = working_in(folder)
    for how, seconds in ((signal.SIGTERM, PATIENCE), (signal.SIGKILL, PATIENCE)):
        left = working_in(folder)
        for process in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process, how)
        deadline = time.monotonic() + seconds
        while left and working_in(folder) and time.monotonic() < deadline:
            time.sleep(LOOK_EVERY)
    return len(found)


def working_in(folder: Path) -> list[int]:
    """Ids of the processes of this host, but this one, whose working folder it is; none where there is no /proc."""
    place = str(folder.resolve())
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if os.readlink(entry / "cwd") == place and int(entry.name) != os.getpid():  # noqa: PTH115
                found.append(int(entry.name))
    return found
