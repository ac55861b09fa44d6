"""Watching: what runs and what waits in the queue, as plain rows; nothing is changed by looking."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from fireworks import LaunchPad

from fermiloop.flows.engines.steps import isolation
from fermiloop.flows.engines.steps.children import LOG
from fermiloop.flows.processes.identity import parse
from fermiloop.flows.queue.documents import fireworks, launches
from fermiloop.flows.queue.documents.rows import NOT_BEGUN, FireworkRow, LaunchRow
from fermiloop.flows.queue.launchpad import SafeLaunchPad
from fermiloop.platform.settings import settings
from fermiloop.platform.store import connection

MOST: Final = 2000  # steps that are looked at
LINES: Final = 80  # of the end of a log
MOST_BYTES: Final = 64_000  # of a log that are read


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
    return _steps(lambda pad: fireworks.held(pad, MOST)) + _steps(lambda pad: fireworks.not_begun(pad, MOST))


def steps(calculation: str) -> list[QueueStep]:
    """Steps of one calculation, in the order in which they ran; those that have not come last."""
    found = _steps(lambda pad: fireworks.steps_of(pad, calculation, MOST))[::-1]  # FireWorks numbers a flow's end first
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


def _steps(find: Callable[[LaunchPad], list[FireworkRow]]) -> list[QueueStep]:
    pad = SafeLaunchPad(host=connection.uri(), uri_mode=True, name=settings().database, strm_lvl="CRITICAL")
    try:
        found = find(pad)
        newest = launches.times_of(pad, (one.newest_launch for one in found if one.newest_launch is not None))
    finally:
        pad.connection.close()
    return [_row(one, newest.get(one.newest_launch) if one.newest_launch is not None else None) for one in found]


def _row(firework: FireworkRow, launch: LaunchRow | None) -> QueueStep:
    began = launch.began_at if launch is not None and firework.state not in NOT_BEGUN else None
    return QueueStep(
        name=firework.name,
        state=firework.state,
        campaign=firework.campaign,
        calculation=firework.calculation,
        worker=told(launch.worker or None) if launch is not None else None,
        since=_moment(began or firework.updated_on or firework.created_on),
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
