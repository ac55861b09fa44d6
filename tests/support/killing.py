"""Workers and their children as the tests of faults handle them: waited for, killed, and what each attempt cost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fermiloop.flows.engines.steps import isolation


def wait_for(what: Callable[[], Any], seconds: float = 240.0) -> Any:
    """First true answer within the time, which is long: a busy machine takes a minute to import what it runs."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = what()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"waited {seconds} s in vain for {what}")


def kill(process: subprocess.Popen[Any] | int) -> None:
    """Kill a worker as a machine does that runs out of memory: it has no time to give anything back."""
    if isinstance(process, int):
        os.kill(process, signal.SIGKILL)
        return
    process.kill()
    process.wait()


def kill_once(process: subprocess.Popen[Any], begun: Callable[[], Any], seconds: float = 120.0) -> None:
    """Kill a worker once something has begun; that it ended before is a failure of the test."""
    try:
        wait_for(lambda: begun() or process.poll() is not None, seconds)
        assert process.poll() is None
    finally:
        kill(process)


def outcomes(step: Path) -> list[str]:
    """How each attempt at a step ended."""
    return [json.loads(line)["outcome"] for line in (step / isolation.COST).read_text().splitlines()]
