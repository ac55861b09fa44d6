"""Children as their worker sees them: started, waited for, and what they cost; here those of a fresh process each."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Final, Protocol

from fermiloop.platform.settings import settings, without_secrets

LOG: Final = "child.log"
PROGRAM: Final = "fermiloop.flows.engines.steps.child"
LOOK: Final = 0.02  # s


class Child(Protocol):
    """A process that does the task of a step's folder, leader of a session of its own.

    Parameters
    ----------
    pid
        Of the process, and of the group of all that it starts.
    returncode
        Once it has ended; negative for a signal.
    core_seconds
        What it cost, once it has ended.
    """

    pid: int
    returncode: int | None
    core_seconds: float

    def wait(self, seconds: float) -> bool:
        """Wait so long for its end; whether it has ended."""
        ...


class FreshChild:
    """A child in a Python of its own: for programs whose libraries, threads or devices do not survive a fork."""

    def __init__(self, folder: Path) -> None:
        self.returncode: int | None = None
        self.core_seconds = 0.0
        with (folder / LOG).open("w", encoding="utf-8") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", PROGRAM, str(folder)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=folder,
                env=environment(),
                start_new_session=True,  # it outlives a killed worker, and its work is taken up
            )
        self.pid = self._process.pid

    def wait(self, seconds: float) -> bool:
        """Wait so long for its end; whether it has ended."""
        deadline = time.monotonic() + seconds
        while self.returncode is None:
            pid, status, usage = os.wait4(self.pid, os.WNOHANG)
            if pid:
                self.returncode = self._process.returncode = os.waitstatus_to_exitcode(status)
                self.core_seconds = usage.ru_utime + usage.ru_stime
            elif (left := deadline - time.monotonic()) > 0:
                time.sleep(min(left, LOOK))
            else:
                return False
        return True


def environment() -> dict[str, str]:
    """Environment of a child: no account of anything, so many threads as the settings say, these imports."""
    threads = str(settings().threads)
    return {
        **without_secrets(os.environ),
        "OMP_NUM_THREADS": threads,
        "OPENBLAS_NUM_THREADS": threads,
        "MKL_NUM_THREADS": threads,
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
