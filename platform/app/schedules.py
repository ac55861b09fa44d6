"""Schedules: when generators are retrained, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fermiloop.platform.app import generators
from fermiloop.platform.errors import InputError
from fermiloop.platform.store import methods, schedules
from fermiloop.schemas.base import now
from fermiloop.schemas.schedule import Schedule, ScheduleRun


def add(
    name: str,
    generator: str,
    trigger: str,
    value: str,
    *,
    preset: str | None = None,
    options: Mapping[str, object] | None = None,
    zone: str = "UTC",
    source: str | None = None,
    seed: int = 0,
) -> Schedule:
    """Keep a schedule with one trigger.

    Parameters
    ----------
    trigger, value
        What makes it fire, by its name in `flows.schedules.triggers`, and at what, as text.
    zone
        Time zone of the calendar.
    source
        Whose labels are learned, such as ``gpaw``; the largest library otherwise.

    Raises
    ------
    InputError
        If a value is invalid, or the generator does not learn.
    UserError
        If one of that name is there.
    """
    from fermiloop.flows.schedules import learning, scheduling

    generators.checked(generator, preset)
    method = methods.of_source(source).id if source else learning.largest_library(generator)
    made = Schedule(
        id=_named(name), generator=generator, preset=preset, options=dict(options or {}), method=method,
        trigger=trigger, value=value, zone=zone, seed=seed,
    )  # fmt: skip
    scheduling.add(made)
    return made


def find() -> list[Schedule]:
    """Every schedule, by name."""
    return schedules.find()


def history(name: str | None = None, limit: int = 50) -> list[ScheduleRun]:
    """Firings, of one schedule or of all, newest first."""
    return schedules.history(name, limit)


def pause(name: str) -> None:
    """Leave a schedule out until it is resumed.

    Raises
    ------
    NotFoundError
        If it is not in the store.
    """
    _set_active(name, active=False)


def resume(name: str) -> None:
    """Take a paused schedule up again.

    Raises
    ------
    NotFoundError
        If it is not in the store.
    """
    _set_active(name, active=True)


def remove(name: str) -> None:
    """Delete a schedule; its history stays.

    Raises
    ------
    NotFoundError
        If it is not in the store.
    """
    schedules.remove(name)


def fire(name: str) -> ScheduleRun:
    """Retrain by a schedule now, whatever its trigger; what came of it.

    Raises
    ------
    NotFoundError
        If it is not in the store.
    """
    from fermiloop.flows.processes.identity import worker_name
    from fermiloop.flows.schedules import scheduling

    fired = scheduling.fire(schedules.get(name), f"hand-{now().isoformat()}", "It was fired by hand.", worker_name())
    assert fired is not None
    return fired


def run_once() -> list[ScheduleRun]:
    """Look at every active schedule once; the firings that came of it, none where another process leads."""
    from fermiloop.flows.schedules import scheduling

    return scheduling.run_once()


def run(told: Callable[[str], None], lease: float, look: float) -> None:
    """Keep the schedules going until a signal; of several such processes one leads.

    Parameters
    ----------
    told
        Given each change in a sentence.
    lease
        Seconds of silence until another leads.
    look
        Seconds between looks at labels and rounds.
    """
    from fermiloop.flows.schedules import scheduling

    scheduling.SchedulerProcess(lease, look).run(told)


def _set_active(name: str, *, active: bool) -> None:
    from fermiloop.flows.schedules import scheduling

    scheduling.set_active(name, active)


def _named(name: str) -> str:
    from fermiloop.platform.campaign.spec_fields import campaign_name

    try:
        return campaign_name(name)
    except ValueError as error:
        raise InputError(f"The name {name!r} {error}.") from None
