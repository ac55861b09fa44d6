"""Fireworks, the jobs of the queue: which wait, run, have failed, and whose they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from fireworks import LaunchPad

from fermiloop.flows.queue.documents.rows import (
    ACTIVE,
    BEGUN,
    CALCULATION,
    CAMPAIGN,
    HELD,
    NOT_BEGUN,
    FireworkRow,
    firework_row,
)

Query = dict[str, Any]  # of work that a worker may take, as FireWorks' workers are given it
ALL: Final = dict.fromkeys(("fw_id", "name", "state", "launches", "created_on", "updated_on", CAMPAIGN, CALCULATION), 1)


def create_indexes(pad: LaunchPad) -> None:
    """Indexes of what is asked here."""
    pad.fireworks.create_index("fw_id", unique=True)
    pad.fireworks.create_index("state")
    pad.fireworks.create_index(CALCULATION)


def is_queued(pad: LaunchPad, calculation: str, campaign: str | None = None) -> bool:
    """Whether anything of a calculation runs or can be run, in a campaign or in any."""
    whose = {} if campaign is None else {CAMPAIGN: campaign}
    return _any(pad, {CALCULATION: calculation, "state": {"$in": list(ACTIVE)}, **whose})


def is_active(pad: LaunchPad, nodes: Sequence[int]) -> bool:
    """Whether any of these runs or can be run."""
    return _any(pad, {"fw_id": {"$in": list(nodes)}, "state": {"$in": list(ACTIVE)}})


def is_held(pad: LaunchPad, nodes: Sequence[int]) -> bool:
    """Whether a worker has any of these in hand."""
    return _any(pad, {"fw_id": {"$in": list(nodes)}, "state": {"$in": list(HELD)}})


def is_any_held(pad: LaunchPad) -> bool:
    """Whether a worker has anything in hand."""
    return _any(pad, {"state": {"$in": list(HELD)}})


def is_any_waiting(pad: LaunchPad, nodes: Sequence[int]) -> bool:
    """Whether any of these cannot be taken yet."""
    return _any(pad, {"fw_id": {"$in": list(nodes)}, "state": "WAITING"})


def waiting_campaigns(pad: LaunchPad) -> list[str]:
    """Campaigns with work that may be taken."""
    return list(pad.fireworks.distinct(CAMPAIGN, {"state": "READY"}))


def begun_calculations(pad: LaunchPad, campaign: str) -> list[str]:
    """Calculations of a campaign of which a step has begun or ended."""
    return list(pad.fireworks.distinct(CALCULATION, {CAMPAIGN: campaign, "state": {"$in": list(BEGUN)}}))


def work_of(campaign: str, calculations: Sequence[str] | None = None) -> Query:
    """Query of a campaign's work, or of that at some of its calculations."""
    return {CAMPAIGN: campaign} | ({} if calculations is None else {CALCULATION: {"$in": list(calculations)}})


def is_ready(pad: LaunchPad, work: Query) -> bool:
    """Whether any of this work may be taken."""
    return _any(pad, {**work, "state": "READY"})


def next_ready(pad: LaunchPad, work: Mapping[str, Any] | None, passed: Sequence[int]) -> FireworkRow | None:
    """What is taken next of some work, highest priority first; None where nothing is left but what was passed over."""
    wanted = {"$and": [dict(work or {}), {"state": "READY", "fw_id": {"$nin": list(passed)}}]}
    found = pad.fireworks.find_one(wanted, {"fw_id": 1, CALCULATION: 1}, sort=[("spec._priority", -1)])
    return None if found is None else firework_row(found)


def reserve(pad: LaunchPad, fw_id: int) -> bool:
    """Take a firework; True for one worker only."""
    ready, reserved = {"fw_id": fw_id, "state": "READY"}, {"$set": {"state": "RESERVED"}}
    return bool(pad.fireworks.update_one(ready, reserved).modified_count)


def mark_ready(pad: LaunchPad, nodes: Sequence[int]) -> None:
    """Let these be taken."""
    pad.fireworks.update_many({"fw_id": {"$in": list(nodes)}}, {"$set": {"state": "READY"}})


def mark_waiting_ready(pad: LaunchPad, nodes: Sequence[int]) -> None:
    """Let those of these be taken that wait; one that was taken meanwhile stays as it is."""
    waiting = {"fw_id": {"$in": list(nodes)}, "state": "WAITING"}
    pad.fireworks.update_many(waiting, {"$set": {"state": "READY"}})


def free(pad: LaunchPad, reserved: FireworkRow) -> bool:
    """Let a reserved one be taken again, unless anything happened to it since it was read; whether it was."""
    unchanged = {"fw_id": reserved.fw_id, "state": "RESERVED", "updated_on": reserved.updated_on}
    return bool(pad.fireworks.update_one(unchanged, {"$set": {"state": "READY"}}).modified_count)


def ready_of(pad: LaunchPad, nodes: Sequence[int]) -> Iterator[int]:
    """Those of these that may be taken."""
    for one in pad.fireworks.find({"fw_id": {"$in": list(nodes)}, "state": "READY"}, {"fw_id": 1}):
        yield one["fw_id"]


def ready_at(pad: LaunchPad, work: Query) -> list[int]:
    """Those of some work that may be taken."""
    return [one["fw_id"] for one in pad.fireworks.find({**work, "state": "READY"}, {"fw_id": 1})]


def running(pad: LaunchPad) -> list[FireworkRow]:
    """What runs, with its launches."""
    return [firework_row(one) for one in pad.fireworks.find({"state": "RUNNING"}, {"fw_id": 1, "launches": 1})]


def reserved(pad: LaunchPad) -> list[FireworkRow]:
    """What a worker is about to run, and since when."""
    return [firework_row(one) for one in pad.fireworks.find({"state": "RESERVED"}, {"fw_id": 1, "updated_on": 1})]


def failed(pad: LaunchPad) -> Iterator[FireworkRow]:
    """What has failed, with its launches."""
    yield from map(firework_row, pad.fireworks.find({"state": "FIZZLED"}, {"fw_id": 1, "launches": 1}))


def first_failed(pad: LaunchPad, nodes: Sequence[int]) -> FireworkRow | None:
    """First of these that has failed."""
    query, fields = {"fw_id": {"$in": list(nodes)}, "state": "FIZZLED"}, {"fw_id": 1, "name": 1, "launches": 1}
    found = pad.fireworks.find_one(query, fields, sort=[("fw_id", 1)])
    return None if found is None else firework_row(found)


def of_launch(pad: LaunchPad, launch_id: int) -> Iterator[int]:
    """Those that a run is of."""
    for one in pad.fireworks.find({"launches": launch_id}, {"fw_id": 1}):
        yield one["fw_id"]


def of_calculation(pad: LaunchPad, calculation: str) -> list[int]:
    """Those of a calculation."""
    return [one["fw_id"] for one in pad.fireworks.find({CALCULATION: calculation}, {"fw_id": 1})]


def names_of(pad: LaunchPad, calculation: str) -> dict[int, str]:
    """Names of a calculation's jobs."""
    found = pad.fireworks.find({CALCULATION: calculation}, {"fw_id": 1, "name": 1})
    return {one["fw_id"]: str(one.get("name", "a job")) for one in found}


def calculation_of(pad: LaunchPad, fw_id: int) -> str:
    """Calculation that a firework works at, empty where it works at none."""
    found = pad.fireworks.find_one({"fw_id": fw_id}, {"fw_id": 1, CALCULATION: 1})
    return (firework_row(found).calculation or "") if found else ""


def every(pad: LaunchPad) -> dict[int, FireworkRow]:
    """All that was ever added, with its name and what it belongs to, by its id."""
    return {one.fw_id: one for one in map(firework_row, pad.fireworks.find({}, ALL))}


def held(pad: LaunchPad, most: int) -> list[FireworkRow]:
    """What workers have in hand, in the order of the ids."""
    return _rows(pad, {"state": {"$in": list(HELD)}}, most)


def not_begun(pad: LaunchPad, most: int) -> list[FireworkRow]:
    """What has not begun, in the order of the ids."""
    return _rows(pad, {"state": {"$in": list(NOT_BEGUN)}}, most)


def steps_of(pad: LaunchPad, calculation: str, most: int) -> list[FireworkRow]:
    """Steps of a calculation, in the order of the ids."""
    return _rows(pad, {CALCULATION: calculation}, most)


def _rows(pad: LaunchPad, query: dict[str, Any], most: int) -> list[FireworkRow]:
    return [firework_row(one) for one in pad.fireworks.find(query, ALL).sort("fw_id", 1).limit(most)]


def _any(pad: LaunchPad, query: dict[str, Any]) -> bool:
    return pad.fireworks.find_one(query, {"_id": 1}) is not None
