"""Recover: runs whose worker is gone go back to the queue; what they finished is adopted, not paid again.

A worker's name holds its host, process id and start time, so on one host a dead worker is known at once; on
others FireWorks' own time limit decides.
"""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path
from typing import Any, Final

from fireworks import LaunchPad

from fermiloop.flows.steps import logger

SEPARATOR: Final = "~"
OTHER_HOST_SECONDS: Final = 4 * 3600
LOCK_SECONDS: Final = 3.0
MOST_RERUNS: Final = 3
DATABASE_ERRORS: Final = "pymongo.errors"


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
    lost = []
    for launch in pad.launches.find({"state": "RUNNING"}, {"fw_id": 1, "launch_id": 1, "fworker": 1}):
        name = str((launch.get("fworker") or {}).get("name", ""))
        if name == myself or is_gone(name):
            lost.append(launch)
    for launch in lost:
        _rerun(pad, launch)
    found = [launch["fw_id"] for launch in lost]
    found += _inconsistent(pad)
    found += _failed_by_the_database(pad)
    return found


def _rerun(pad: LaunchPad, launch: dict[str, Any]) -> None:
    _unlock(pad, launch["fw_id"])
    attempts = pad.launches.count_documents({"fw_id": launch["fw_id"]})
    pad.mark_fizzled(launch["launch_id"])
    if attempts < MOST_RERUNS:
        pad.rerun_fw(launch["fw_id"])
    else:
        logger.warning("firework %d lost its worker %d times and is given up", launch["fw_id"], attempts)
    logger.info("recovered firework %d, whose worker is gone", launch["fw_id"])


def _inconsistent(pad: LaunchPad) -> list[int]:
    """Fireworks whose run ended but whose workflow was not told, and runs that other hosts lost."""
    _, lost, inconsistent = pad.detect_lostruns(expiration_secs=OTHER_HOST_SECONDS, rerun=True, refresh=True)
    return [*lost, *inconsistent]


def _failed_by_the_database(pad: LaunchPad) -> list[int]:
    """Fireworks that failed because the database was away: run them again."""
    again = []
    for firework in pad.fireworks.find({"state": "FIZZLED"}, {"fw_id": 1, "launches": 1}):
        launch = pad.launches.find_one({"launch_id": {"$in": firework.get("launches", [])}}, {"action": 1}) or {}
        stored = (launch.get("action") or {}).get("stored_data") or {}
        trace = str((stored.get("_exception") or {}).get("_stacktrace", ""))
        attempts = pad.launches.count_documents({"fw_id": firework["fw_id"]})
        if DATABASE_ERRORS in trace and attempts < MOST_RERUNS:
            pad.rerun_fw(firework["fw_id"])
            logger.info("recovered firework %d, which lost the database", firework["fw_id"])
            again.append(firework["fw_id"])
    return again


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
