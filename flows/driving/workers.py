"""Workers: processes that pull jobs from FireWorks' queue, and their supervisor.

The supervisor starts them, starts them again when they die, and keeps the embedded database up.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Final

from fermiloop.flows.processes import signals
from fermiloop.flows.queue import giving_back
from fermiloop.platform.errors import DatabaseError
from fermiloop.platform.settings import settings
from fermiloop.platform.store import campaigns, connection
from fermiloop.schemas.vocabulary import ENDED_CAMPAIGNS, CampaignState

LOOK_EVERY: Final = 1.0  # s
STOP_SECONDS: Final = 8.0  # that a worker may take to end its job and give it back
SETTLE_SECONDS: Final = 30.0  # that the books of a cancelled campaign may take


def run(n: int, *, until_idle: bool = False) -> bool:
    """Run `n` workers until a signal, or until nothing is left to do; whether it was a signal."""
    return supervise(n, until_idle=until_idle, done=lambda: False)


def run_for_campaign(n: int, name: str, watch: Callable[[], None]) -> None:
    """Run `n` workers until a campaign has ended; `watch` is called at each look.

    Raises
    ------
    StoppedError
        If a signal came first; what ran was given back.
    """
    begun = float("inf")

    def done() -> bool:
        nonlocal begun
        watch()
        state = campaigns.get(name).state
        if state is not CampaignState.CANCELLED:
            return state in ENDED_CAMPAIGNS
        if giving_back.running(name):  # told to stop, or let finish
            return False
        begun = min(begun, time.monotonic())
        is_settled = all(one.campaign != name for one in campaigns.open_rounds())
        return is_settled or time.monotonic() - begun > SETTLE_SECONDS

    if supervise(n, until_idle=False, done=done):
        raise giving_back.stopped(name)


def supervise(n: int, *, until_idle: bool, done: Callable[[], bool]) -> bool:
    """Keep `n` workers alive until `done`, a signal, or, where asked, until all have found nothing to do.

    Returns
    -------
    stopped
        Whether it was a signal.
    """
    settings().data_dir.expanduser().mkdir(parents=True, exist_ok=True)  # with a server elsewhere nobody has yet
    with signals.as_interrupts():
        children = [_spawn(until_idle) for _ in range(n)]
        try:
            while True:
                connection.retrying(connection.connect)
                if connection.retrying(done):
                    return False
                for place, child in enumerate(children):
                    code = child.poll()
                    if code is not None and not (until_idle and code == 0):
                        children[place] = _spawn(until_idle)
                if all(child.poll() == 0 for child in children):
                    return False
                time.sleep(LOOK_EVERY)
        except KeyboardInterrupt:
            return True
        finally:
            _end(children)


def _spawn(until_idle: bool) -> subprocess.Popen[bytes]:
    if not settings().data_dir.expanduser().exists():
        raise DatabaseError(f"The data folder {settings().data_dir} is gone; set FERMILOOP_DATA_DIR.")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    arguments = [sys.executable, "-m", "fermiloop.flows.driving.worker_process", *(["--until-idle"] * until_idle)]
    return subprocess.Popen(
        arguments, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
    )


def _end(children: list[subprocess.Popen[bytes]]) -> None:
    """Ask the workers to stop and give back what they run, and end those that do not, with what they left.

    A second signal ends them at once.
    """
    for child in children:
        if child.poll() is None:
            child.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    with contextlib.suppress(KeyboardInterrupt):
        for child in children:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(max(0.1, deadline - time.monotonic()))
    killed = [child for child in children if child.poll() is None]
    for child in killed:
        child.kill()
        child.wait()
    with contextlib.suppress(*giving_back.AWAY):
        giving_back.of_killed(child.pid for child in killed)
