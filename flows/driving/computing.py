"""Stay with calculations until they have ended: workers compute them, of this command or elsewhere, or this process."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from typing import Any, Final

from fireworks import FWorker
from fireworks.core.rocket_launcher import launch_rocket

from fermiloop.db_init.importers.report import Progress, silent
from fermiloop.flows.driving import workers as worker_pool
from fermiloop.flows.driving.recover import give_back, recover
from fermiloop.flows.evaluations.asking import queue
from fermiloop.flows.evaluations.outcomes import Outcome, open_of, outcomes
from fermiloop.flows.processes import signals
from fermiloop.flows.processes.identity import worker_name
from fermiloop.flows.queue import running
from fermiloop.flows.queue.documents.rows import CALCULATION
from fermiloop.flows.queue.launchpad import SafeLaunchPad, configure_jobflow, launchpad
from fermiloop.platform.errors import StoppedError
from fermiloop.platform.settings import settings
from fermiloop.platform.store import connection

LOOK_EVERY: Final = 1.0  # s
TELL_EVERY: Final = 10.0  # s between lines on what runs


class Watch:
    """Tell how many have ended and what runs, when that has changed, and now and then."""

    def __init__(self, ids: Sequence[str], progress: Progress) -> None:
        self._ids, self._progress = list(dict.fromkeys(ids)), progress
        self._last, self._told_at = "", float("-inf")

    def __call__(self) -> bool:
        """Look once; whether all have ended."""
        left = open_of(self._ids)
        done, moment = len(self._ids) - len(left), time.monotonic()
        line = f"{done} of {len(self._ids)} done"
        if line != self._last or moment - self._told_at > TELL_EVERY:
            doing = [f"{one.formula} {one.progress.sentence or 'runs'}" for one in running.of_ids(left)]
            self._progress(line + (f" [{'; '.join(doing)}]" if doing else ""), done / max(1, len(self._ids)))
            self._last, self._told_at = line, moment
        return not left


def run(ids: Sequence[str], workers: int | None = 1, progress: Progress = silent) -> list[Outcome]:
    """Compute what has not ended by workers of this command; what came of each.

    Parameters
    ----------
    workers
        How many; None computes in this process, one step after the other.

    Raises
    ------
    StoppedError
        If the keyboard or a signal ended it; what ran was given back.
    """
    queue(ids)  # what a kill between planning and queueing has left
    watch = Watch(ids, progress)
    stopped = _here(ids, watch) if workers is None else not watch() and _by_workers(workers, watch)
    if stopped:
        raise StoppedError(_told(ids))
    return outcomes(ids)


def wait(ids: Sequence[str], progress: Progress = silent, timeout: float | None = None) -> list[Outcome]:
    """Stay until workers elsewhere have computed all, or for so many seconds; what came of each so far."""
    watch, begun = Watch(ids, progress), time.monotonic()
    while not connection.retrying(watch):
        left = LOOK_EVERY if timeout is None else begun + timeout - time.monotonic()
        if left <= 0:
            break
        time.sleep(min(LOOK_EVERY, left))
    return outcomes(ids)


def _by_workers(n: int, watch: Watch) -> bool:
    return worker_pool.supervise(n, until_idle=False, done=watch)


def _here(ids: Sequence[str], watch: Watch) -> bool:
    """Take the steps of these calculations from the queue, one after the other; whether a signal ended it."""
    configure_jobflow()
    pad, name, before = launchpad(), worker_name(), os.getcwd()  # noqa: PTH109
    folder = settings().data_dir.expanduser() / "launches" / "here"
    folder.mkdir(parents=True, exist_ok=True)
    os.chdir(folder)
    handlers = _as_interrupts(pad)
    try:
        _take_all(ids, pad, watch)
    except KeyboardInterrupt:
        pad.stopping = True
    finally:
        for kind, handler in handlers.items():
            signal.signal(kind, handler)
        if pad.stopping:
            give_back(pad, name)
        pad.connection.close()
        os.chdir(before)
    return pad.stopping


def _take_all(ids: Sequence[str], pad: SafeLaunchPad, watch: Watch) -> None:
    """Take steps until all have ended, or a signal came in the middle of one, which FireWorks takes for a failure."""
    while not pad.stopping and not connection.retrying(watch):
        worker = FWorker(worker_name(), query={CALCULATION: {"$in": open_of(ids)}})
        if not launch_rocket(pad, worker, strm_lvl="CRITICAL"):
            recover(pad, worker_name())
            time.sleep(LOOK_EVERY)


def _as_interrupts(pad: SafeLaunchPad) -> dict[signal.Signals, Any]:
    """Let the keyboard and a signal end the step in hand, which is given back; the handlers that were there before."""

    def stop(*_: Any) -> None:
        pad.stopping = True
        raise KeyboardInterrupt

    try:
        return {kind: signal.signal(kind, stop) for kind in (signal.SIGINT, *signals.STOPPING)}
    except ValueError:  # not the main thread, which alone gets signals
        return {}


def _told(ids: Sequence[str]) -> str:
    left = open_of(ids)
    return (
        f"Stopped: {len(left)} of {len(set(ids))} have not ended and wait in the queue; the same fermiloop compute "
        "goes on where it stopped, fermiloop worker run takes them up."
    )
