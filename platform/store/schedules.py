"""Schedules and their firings: each firing is taken once, by the process that sees it first."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from mongoengine import NotUniqueError

from fermiloop.platform.errors import NotFoundError, UserError
from fermiloop.platform.store import sequence
from fermiloop.schemas.base import now
from fermiloop.schemas.schedule import Schedule, ScheduleRun
from fermiloop.schemas.vocabulary import RunState


def add(schedule: Schedule) -> None:
    """Save a new schedule.

    Raises
    ------
    UserError
        If one of that name is there.
    InputError
        If a field is invalid.
    """
    schedule.check()
    schedule.sequence = sequence.take()
    try:
        schedule.save(force_insert=True)
    except NotUniqueError:
        raise UserError(
            f"A schedule named {schedule.id} is there already; remove it, or give this one another name."
        ) from None


def get(name: str) -> Schedule:
    """The schedule of a name.

    Raises
    ------
    NotFoundError
        If it is not in the store.
    """
    found = Schedule.objects(id=name).first()
    if found is None:
        raise NotFoundError(f"There is no schedule {name}; fermiloop schedule list shows all.")
    return found


def find(*, active: bool | None = None) -> list[Schedule]:
    """Schedules by name."""
    query = {} if active is None else {"active": active}
    return list(Schedule.objects(**query).order_by("id"))


def set_active(name: str, active: bool) -> None:
    """Pause or resume a schedule; its calendar has no next time until one is set.

    Raises
    ------
    NotFoundError
        If it is not in the store.
    """
    if not Schedule.objects(id=name).update(set__active=active, set__next_look_at=None):
        get(name)


def set_next_look(name: str, moment: datetime | None) -> None:
    """Note when a calendar is due next."""
    Schedule.objects(id=name).update(set__next_look_at=moment)


def is_due(moment: datetime, triggers: Collection[str]) -> bool:
    """Whether an active schedule with one of these triggers, which name times, is due at a moment."""
    return Schedule.objects(active=True, trigger__in=sorted(triggers), next_look_at__lte=moment).first() is not None


def remove(name: str) -> None:
    """Delete a schedule; its history stays.

    Raises
    ------
    NotFoundError
        If it is not in the store.
    """
    get(name).delete()


def begin(name: str, key: str, reason: str, leader: str, labels: int) -> ScheduleRun | None:
    """Take a firing; None where it was taken before."""
    run = ScheduleRun(id=f"{name}@{key}", schedule=name, key=key, reason=reason, leader=leader, labels=labels)
    run.sequence = sequence.take()
    try:
        run.save(force_insert=True)
    except NotUniqueError:
        return None
    return run


def run_of(run_id: str) -> ScheduleRun:
    """One firing.

    Raises
    ------
    NotFoundError
        If it is not in the store.
    """
    found = ScheduleRun.objects(id=run_id).first()
    if found is None:
        raise NotFoundError(f"There is no schedule run {run_id}; fermiloop schedule history shows all.")
    return found


def take_over(run_id: str, before: str | None, leader: str) -> bool:
    """Take up a firing whose leader is gone; False where another did."""
    mine = ScheduleRun.objects(id=run_id, state=RunState.RUNNING, leader=before)
    return bool(mine.update(set__leader=leader, inc__attempts=1))


def holds(run_id: str, leader: str) -> bool:
    """Whether a firing runs and is still this leader's."""
    return ScheduleRun.objects(id=run_id, state=RunState.RUNNING, leader=leader).first() is not None


def finish(run_id: str, leader: str, state: RunState, told: str, **fields: Any) -> bool:
    """Write what became of a firing; False where it is no longer this leader's, or has an end."""
    changes = {f"set__{name}": value for name, value in fields.items()}
    open_one = ScheduleRun.objects(id=run_id, state=RunState.RUNNING, leader=leader)
    return bool(open_one.update(set__state=state, set__told=told, set__finished_at=now(), **changes))


def unfinished() -> list[ScheduleRun]:
    """Firings without an end, oldest first."""
    return list(ScheduleRun.objects(state=RunState.RUNNING).order_by("sequence", "started_at", "id"))


def history(name: str | None = None, limit: int = 50) -> list[ScheduleRun]:
    """Firings, newest first."""
    query = {"schedule": name} if name else {}
    return list(ScheduleRun.objects(**query).order_by("-sequence", "-started_at", "id").limit(limit))


def last_run(name: str) -> ScheduleRun | None:
    """The newest firing of a schedule, whatever came of it."""
    return next(iter(history(name, limit=1)), None)
