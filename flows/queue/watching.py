"""Watching: what runs and what waits in the queue, as plain rows; nothing is changed by looking."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from fireworks import LaunchPad

from fermiloop.flows.engines.steps import isolation
from fermiloop.flows.engines.steps.children import LOG
from fermiloop.flows.processes.identity import parse
from fermiloop.flows.queue.launchpad import CALCULATION_KEY, CAMPAIGN_KEY, HELD, SafeLaunchPad
from fermiloop.platform.settings import settings
from fermiloop.platform.store import connection

OPEN: Final = (*HELD, "READY", "WAITING")
MOST: Final = 2000  # steps that are looked at
LINES: Final = 80  # of the end of a log
MOST_BYTES: Final = 64_000  # of a log that are read
FIELDS: Final = {"fw_id": 1, "name": 1, "state": 1, "launches": 1, "created_on": 1, "updated_on": 1,
                 f"spec.{CAMPAIGN_KEY}": 1, f"spec.{CALCULATION_KEY}": 1}  # fmt: skip


@dataclass(frozen=True)
class QueueStep:
    """A step in the queue.

    Parameters
    ----------
    name
        Of the step.
    state
        As FireWorks names it.
    campaign, calculation
        What it belongs to.
    worker
        Who runs or ran it, for people.
    since
        Of its state, UTC.
    """

    name: str
    state: str
    campaign: str | None = None
    calculation: str | None = None
    worker: str | None = None
    since: datetime | None = None


def queue() -> list[QueueStep]:
    """Steps that run or wait, those that run first."""
    found = _steps({"state": {"$in": list(HELD)}}, MOST)
    return found + _steps({"state": {"$in": [one for one in OPEN if one not in HELD]}}, MOST)


def steps(calculation: str) -> list[QueueStep]:
    """Steps of one calculation, in the order in which they ran; those that have not come last."""
    found = _steps({f"spec.{CALCULATION_KEY}": calculation}, MOST)[::-1]  # FireWorks numbers a flow's end first
    return sorted(found, key=lambda one: (one.state == "WAITING", one.since or datetime.max.replace(tzinfo=UTC)))


def logs(calculation: str) -> dict[str, str]:
    """Ends of the logs of a calculation on this machine, by step and file, those of failures first."""
    folder = isolation.step_folder(calculation, "")
    names = (isolation.FAILURE_LOG, LOG)
    found = [path for name in names for path in sorted(folder.glob(f"*/{name}")) if path.stat().st_size]
    return {f"{path.parent.name}: {path.name}": _end(path) for path in found}


def _end(path: Path) -> str:
    with path.open("rb") as log:
        log.seek(max(0, path.stat().st_size - MOST_BYTES))
        lines = log.read().decode("utf-8", errors="replace").splitlines()
    return "\n".join(deque(lines, LINES))


def _steps(query: dict[str, Any], limit: int) -> list[QueueStep]:
    pad = SafeLaunchPad(host=connection.uri(), uri_mode=True, name=settings().database, strm_lvl="CRITICAL")
    try:
        found = list(pad.fireworks.find(query, FIELDS).sort("fw_id", 1).limit(limit))
        launches = _launches(pad, (one["launches"][-1] for one in found if one.get("launches")))
    finally:
        pad.connection.close()
    return [_row(one, launches.get((one.get("launches") or [None])[-1], {})) for one in found]


def _launches(pad: LaunchPad, ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    fields = {"launch_id": 1, "fworker.name": 1, "time_start": 1, "state_history": 1}
    return {one["launch_id"]: one for one in pad.launches.find({"launch_id": {"$in": list(ids)}}, fields)}


def _row(firework: dict[str, Any], launch: dict[str, Any]) -> QueueStep:
    spec, state = firework.get("spec") or {}, str(firework["state"])
    began: dict[str, Any] = next(
        (one for one in launch.get("state_history") or [] if one.get("state") == "RUNNING"), {}
    )
    since = began.get("created_on") if began and state not in ("READY", "WAITING") else firework.get("updated_on")
    return QueueStep(
        name=str(firework.get("name") or ""),
        state=state,
        campaign=spec.get(CAMPAIGN_KEY),
        calculation=spec.get(CALCULATION_KEY),
        worker=told((launch.get("fworker") or {}).get("name")),
        since=_moment(since or firework.get("created_on")),
    )


def told(worker: str | None) -> str | None:
    """A worker for people: its host and process."""
    found = parse(worker) if worker else None
    return worker if found is None else f"{found.host}, process {found.pid}"


def _moment(value: object) -> datetime | None:
    """A time of FireWorks, which are UTC without saying so, as text or as a date."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
