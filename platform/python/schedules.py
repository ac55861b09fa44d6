"""Schedules: when generators are retrained, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from fermiloop.flows.schedules.triggers import TRIGGERS, named
from fermiloop.platform.app import schedules as app
from fermiloop.platform.errors import InputError
from fermiloop.platform.python.connecting import connected

if TYPE_CHECKING:
    from fermiloop.schemas.schedule import Schedule as _Schedule
    from fermiloop.schemas.schedule import ScheduleRun as _Run

__all__ = ["Run", "Schedule", "add", "find", "fire", "history", "look", "pause", "remove", "resume"]


@dataclass(frozen=True)
class Schedule:
    """A generator, and what makes it be trained again.

    Parameters
    ----------
    trigger, value
        Name of what makes it fire, such as ``"cron"``, and at what.
    active
        Whether it is looked at; not while it is paused.
    """

    name: str
    generator: str
    preset: str | None
    trigger: str
    value: str
    active: bool


@dataclass(frozen=True)
class Run:
    """One firing of a schedule.

    Parameters
    ----------
    reason
        Why it fired.
    state
        How it stands or ended.
    checkpoint
        Id of what was trained, None before.
    told
        What the gate said of it.
    """

    schedule: str
    reason: str
    state: str
    checkpoint: str | None
    told: str | None
    started_at: datetime | None


def add(
    name: str,
    generator: str,
    *,
    preset: str | None = None,
    options: Mapping[str, object] | None = None,
    zone: str = "UTC",
    source: str | None = None,
    seed: int = 0,
    **trigger: str | float | None,
) -> Schedule:
    """Keep a schedule with one trigger; ``fermiloop schedule run`` keeps it going.

    Parameters
    ----------
    zone
        Time zone of a calendar.
    source
        Whose labels are learned; those of the largest library otherwise.
    **trigger
        One of ``cron="0 3 * * *"`` (a calendar), ``new_labels=50`` (so many more than at the last training),
        ``drift=0.01`` (level of the test by which the newest errors have grown), and ``after_round="pd-like"`` (each
        round of a campaign).

    Raises
    ------
    InputError
        If not exactly one trigger is given, a value is invalid, or the generator learns nothing a gate could compare.
    UserError
        If one of that name is there.
    """
    chosen = [(kind, str(value)) for kind, value in trigger.items() if value is not None]
    if len(chosen) != 1:
        raise InputError(f"A schedule has one trigger; give one of {', '.join(TRIGGERS)}.")
    ((kind, value),) = chosen
    named(kind)
    connected()
    return _made(
        app.add(name, generator, kind, value, preset=preset, options=options, zone=zone, source=source, seed=seed)
    )


def find() -> list[Schedule]:
    """Every schedule, by name."""
    connected()
    return [_made(one) for one in app.find()]


def history(name: str | None = None, limit: int = 50) -> list[Run]:
    """Firings, of one schedule or of all, newest first."""
    connected()
    return [_run(one) for one in app.history(name, limit)]


def pause(name: str) -> None:
    """Leave a schedule out until it is resumed.

    Raises
    ------
    NotFoundError
        If it is not in the store.
    """
    connected()
    app.pause(name)


def resume(name: str) -> None:
    """Take a paused schedule up again.

    Raises
    ------
    NotFoundError
        If it is not in the store.
    """
    connected()
    app.resume(name)


def remove(name: str) -> None:
    """Delete a schedule; its history stays.

    Raises
    ------
    NotFoundError
        If it is not in the store.
    """
    connected()
    app.remove(name)


def fire(name: str) -> Run:
    """Retrain by a schedule now, whatever its trigger; what came of it.

    Raises
    ------
    NotFoundError
        If it is not in the store.
    """
    connected()
    return _run(app.fire(name))


def look() -> list[Run]:
    """Look at every active schedule once; the firings that came of it, none where another process leads."""
    connected()
    return [_run(one) for one in app.run_once()]


def _made(found: _Schedule) -> Schedule:
    return Schedule(
        str(found.id), found.generator, found.preset, str(found.trigger), str(found.value), bool(found.active)
    )


def _run(found: _Run) -> Run:
    return Run(found.schedule, str(found.reason), str(found.state), found.checkpoint, found.told, found.started_at)
