"""Recover: runs whose worker is gone go back to the queue; what they finished is adopted, not paid again.

A worker's name holds its host, process id and start time, so on one host a dead worker is known at once; of
others a run says every half minute that it lives, and is lost after five minutes of silence.
"""

from __future__ import annotations

import functools
import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from fireworks import LaunchPad

from fermiloop.flows.steps import logger

SEPARATOR: Final = "~"
PING_SECONDS: Final = 30  # a run says so often that it lives
OTHER_HOST_SECONDS: Final = 300
LOCK_SECONDS: Final = 3.0
MOST_RERUNS: Final = 3
DATABASE_ERRORS: Final = "pymongo.errors"
LostRun = tuple[int, str, Callable[[], object]]


def worker_name() -> str:
    """Name of this process as a worker."""
    return SEPARATOR.join((socket.gethostname(), str(os.getpid()), _start(os.getpid())))


def is_gone(name: str) -> bool:
    """Whether a worker of this host has ended; workers of other hosts are never said to be gone."""
    parts = name.split(SEPARATOR)
    if len(parts) != 3 or parts[0] != socket.gethostname():
        return False
    return _start(int(parts[1])) != parts[2]


def recover(pad: LaunchPad, myself: str) -> list[int]:
    """Put lost runs back into the queue; returns their firework ids.

    Called by a worker between two jobs, so whatever runs under its own name is lost too.
    """
    found = []
    for fw_id, remedy, mend in lost_runs(pad, myself):
        mend()
        logger.info("recovered firework %d: %s", fw_id, remedy)
        found.append(fw_id)
    return found


def lost_runs(pad: LaunchPad, myself: str) -> Iterator[LostRun]:
    """Runs that ended without an end: the firework, what is done about it, and what does it."""
    yield from _whose_worker_is_gone(pad, myself)
    yield from _silent_or_inconsistent(pad)
    yield from _failed_by_the_database(pad)


def _whose_worker_is_gone(pad: LaunchPad, myself: str) -> Iterator[LostRun]:
    gone = []
    for launch in pad.launches.find({"state": "RUNNING"}, {"fw_id": 1, "launch_id": 1, "fworker": 1}):
        name = str((launch.get("fworker") or {}).get("name", ""))
        if name == myself or is_gone(name):
            gone.append(launch)
    for launch in gone:
        attempts = pad.launches.count_documents({"fw_id": launch["fw_id"]})
        last = attempts >= MOST_RERUNS
        remedy = f"its worker is gone; {f'it is given up after {attempts} runs' if last else 'it is run again'}"
        yield launch["fw_id"], remedy, functools.partial(_rerun, pad, launch, last=last)


def _rerun(pad: LaunchPad, launch: dict[str, Any], *, last: bool) -> None:
    _unlock(pad, launch["fw_id"])
    pad.mark_fizzled(launch["launch_id"])
    if not last:
        pad.rerun_fw(launch["fw_id"])


def _silent_or_inconsistent(pad: LaunchPad) -> Iterator[LostRun]:
    """Runs of other hosts that have fallen silent, and those that ended without their workflow being told."""
    _, lost, inconsistent = pad.detect_lostruns(expiration_secs=OTHER_HOST_SECONDS)

    def mend() -> None:
        pad.detect_lostruns(expiration_secs=OTHER_HOST_SECONDS, rerun=True, refresh=True)

    for fw_id in lost:
        yield fw_id, f"nothing was heard of it for {OTHER_HOST_SECONDS} s; it is run again", mend
    for fw_id in inconsistent:
        yield fw_id, "it had ended without its workflow being told; now it is", mend


def _failed_by_the_database(pad: LaunchPad) -> Iterator[LostRun]:
    """Fireworks that failed because the database was away."""
    for firework in pad.fireworks.find({"state": "FIZZLED"}, {"fw_id": 1, "launches": 1}):
        launch = pad.launches.find_one({"launch_id": {"$in": firework.get("launches", [])}}, {"action": 1}) or {}
        stored = (launch.get("action") or {}).get("stored_data") or {}
        trace = str((stored.get("_exception") or {}).get("_stacktrace", ""))
        attempts = pad.launches.count_documents({"fw_id": firework["fw_id"]})
        if DATABASE_ERRORS in trace and attempts < MOST_RERUNS:
            rerun = functools.partial(pad.rerun_fw, firework["fw_id"])
            yield firework["fw_id"], "it had lost the database; it is run again", rerun


def _unlock(pad: LaunchPad, fw_id: int) -> None:
    """Take away the workflow's lock that a killed worker holds: it stays shut for longer than any change takes."""
    deadline = time.monotonic() + LOCK_SECONDS
    while pad.workflows.find_one({"nodes": fw_id, "locked": {"$exists": True}}, {"_id": 1}):
        if time.monotonic() > deadline:
            pad.workflows.update_one({"nodes": fw_id}, {"$unset": {"locked": True}})
            return
        time.sleep(0.1)


def _start(pid: int) -> str:
    """When a process began, empty where it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]
