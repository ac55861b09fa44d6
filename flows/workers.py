"""Workers: processes that pull jobs from FireWorks' queue, and their supervisor.

The supervisor starts them, starts them again when they die, and keeps the embedded database up.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

from fermiloop.platform.errors import DatabaseError
from fermiloop.platform.settings import settings
from fermiloop.platform.store import campaigns, connection
from fermiloop.schemas.vocabulary import CampaignState

LOOK_EVERY: Final = 1.0  # s
STOP_SECONDS: Final = 20.0
ENDED: Final = frozenset({CampaignState.FINISHED, CampaignState.FAILED, CampaignState.CANCELLED})


def run(n: int, *, until_idle: bool = False) -> None:
    """Run `n` workers until a signal, or until nothing is left to do."""
    supervise(n, until_idle=until_idle, done=lambda: False)


def run_for_campaign(n: int, name: str, watch: Callable[[], None]) -> None:
    """Run `n` workers until a campaign has ended; `watch` is called at each look."""

    def done() -> bool:
        watch()
        return campaigns.get(name).state in ENDED

    supervise(n, until_idle=False, done=done)


def supervise(n: int, *, until_idle: bool, done: Callable[[], bool]) -> None:
    """Keep `n` workers alive until `done`, a signal, or, where asked, until all have found nothing to do."""
    children = [_spawn(until_idle) for _ in range(n)]
    with _stop_on_signal():
        try:
            while True:
                connection.retrying(connection.connect)
                if connection.retrying(done):
                    return
                for place, child in enumerate(children):
                    code = child.poll()
                    if code is not None and not (until_idle and code == 0):
                        children[place] = _spawn(until_idle)
                if all(child.poll() == 0 for child in children):
                    return
                time.sleep(LOOK_EVERY)
        except KeyboardInterrupt:
            return
        finally:
            _end(children)


def _spawn(until_idle: bool) -> subprocess.Popen[bytes]:
    if not settings().data_dir.expanduser().exists():
        raise DatabaseError(f"The data folder {settings().data_dir} is gone; set FERMILOOP_DATA_DIR.")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    arguments = [sys.executable, "-m", "fermiloop.flows.worker_process", *(["--until-idle"] * until_idle)]
    return subprocess.Popen(
        arguments, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
    )


def _end(children: list[subprocess.Popen[bytes]]) -> None:
    """Ask the workers to stop, and end those that do not; their calculations live on and are adopted later."""
    for child in children:
        if child.poll() is None:
            child.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for child in children:
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(max(0.1, deadline - time.monotonic()))
        if child.poll() is None:
            child.kill()
            child.wait()


@contextlib.contextmanager
def _stop_on_signal() -> Iterator[None]:
    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
