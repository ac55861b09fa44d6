"""Launches, the runs of fireworks: whose they are, how they ended, and who took them away."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from fireworks import LaunchPad

from fermiloop.flows.queue.documents import fireworks
from fermiloop.flows.queue.documents.rows import GIVEN_BACK, HELD, TAKER, Failure, LaunchRow, launch_row


def create_indexes(pad: LaunchPad) -> None:
    """Indexes of what is asked here."""
    pad.launches.create_index("launch_id", unique=True)
    pad.launches.create_index("fw_id")


def running(pad: LaunchPad) -> list[LaunchRow]:
    """Runs that go on, with the times at which they said that they live."""
    return _rows(pad, {"state": "RUNNING"}, "fw_id", "fworker", "state_history")


def running_of(pad: LaunchPad, worker: str) -> list[LaunchRow]:
    """Runs of a worker."""
    return _rows(pad, {"state": "RUNNING", "fworker.name": worker}, "fw_id", "fworker")


def completed(pad: LaunchPad) -> list[LaunchRow]:
    """Runs that ended well, with the times of their states."""
    return _rows(pad, {"state": "COMPLETED"}, "fw_id", "fworker", "state_history")


def ends_of(pad: LaunchPad, ids: Iterable[int]) -> dict[int, LaunchRow]:
    """States of runs, their workers, and who took them away."""
    found = _rows(pad, {"launch_id": {"$in": list(ids)}}, "fw_id", "state", "fworker", TAKER)
    return {one.launch_id: one for one in found}


def times_of(pad: LaunchPad, ids: Iterable[int]) -> dict[int, LaunchRow]:
    """Workers of runs, and the times of their states."""
    found = _rows(pad, {"launch_id": {"$in": list(ids)}}, "fworker.name", "state_history")
    return {one.launch_id: one for one in found}


def first_of(pad: LaunchPad, ids: Sequence[int]) -> LaunchRow | None:
    """First of these runs with what it ended with."""
    found = pad.launches.find_one({"launch_id": {"$in": list(ids)}}, _fields("fw_id", "fworker", "action"))
    return None if found is None else launch_row(found)


def count(pad: LaunchPad, fw_id: int) -> int:
    """Runs of a firework."""
    return int(pad.launches.count_documents({"fw_id": fw_id}))


def count_attempts(pad: LaunchPad, fw_id: int) -> int:
    """Runs of a firework without those that were given back, which did not fail."""
    return int(pad.launches.count_documents({"fw_id": fw_id, GIVEN_BACK: {"$ne": True}}))


def first_failure(pad: LaunchPad, nodes: Sequence[int]) -> Failure | None:
    """First of these fireworks that failed, and why."""
    failed = fireworks.first_failed(pad, nodes)
    if failed is None:
        return None
    launch = first_of(pad, failed.launch_ids)
    return Failure(failed.name, launch.trace if launch else "")


def failures(pad: LaunchPad, calculation: str) -> list[Failure]:
    """Runs of a calculation that failed, the oldest first."""
    names = fireworks.names_of(pad, calculation)
    query = {"fw_id": {"$in": sorted(names)}, "state": "FIZZLED"}
    found = pad.launches.find(query, _fields("fw_id", "action"), sort=[("launch_id", 1)])
    return [Failure(names[one.fw_id], one.trace) for one in map(launch_row, found)]


def is_held(pad: LaunchPad, launch_id: int) -> bool:
    """Whether a run is still its worker's."""
    return pad.launches.find_one(_held(launch_id), {"_id": 1}) is not None


def holds_any(pad: LaunchPad, worker: str, nodes: Sequence[int]) -> bool:
    """Whether a worker has any of these fireworks in hand."""
    used = {"fw_id": {"$in": list(nodes)}, "state": {"$in": list(HELD)}, "fworker.name": worker}
    return pad.launches.find_one(used, {"_id": 1}) is not None


def end(pad: LaunchPad, launch_id: int, document: dict[str, Any]) -> bool:
    """Write how a run ended, unless it was taken away; whether it was written.

    Raises
    ------
    pymongo.errors.DocumentTooLarge
        If the database cannot keep it as one document.
    """
    return bool(pad.launches.replace_one(_held(launch_id), document).matched_count)


def taker_of(pad: LaunchPad, launch_id: int) -> str | None:
    """Who took a run away, or began to."""
    return (pad.launches.find_one({"launch_id": launch_id}, {TAKER: 1}) or {}).get(TAKER)


def take_away(pad: LaunchPad, launch_id: int, state: str, by: str, before: str | None) -> bool:
    """Take a run in this state that nobody took but `before`; True for one taker only."""
    untaken = {"launch_id": launch_id, "state": state, TAKER: before}
    return bool(pad.launches.update_one(untaken, {"$set": {"state": "FIZZLED", TAKER: by}}).matched_count)


def mark_given_back(pad: LaunchPad, launch_id: int) -> None:
    """Note that a run did not fail: its worker was told to stop."""
    pad.launches.update_one({"launch_id": launch_id}, {"$set": {GIVEN_BACK: True}})


def _held(launch_id: int) -> dict[str, Any]:
    return {"launch_id": launch_id, "state": {"$in": list(HELD)}}


def _fields(*names: str) -> dict[str, int]:
    return dict.fromkeys(("launch_id", *names), 1)


def _rows(pad: LaunchPad, query: dict[str, Any], *names: str) -> list[LaunchRow]:
    return [launch_row(one) for one in pad.launches.find(query, _fields(*names))]
