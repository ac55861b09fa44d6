"""When a schedule is to fire: by the calendar, by new labels, by a drift of the errors, or after a round."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from fermiloop.platform.campaign import cron
from fermiloop.platform.campaign.drift import drifted
from fermiloop.platform.errors import InputError
from fermiloop.platform.store import calculations, campaigns, candidates, labels, schedules, sequence
from fermiloop.schemas.campaign import Round
from fermiloop.schemas.schedule import Schedule
from fermiloop.schemas.vocabulary import RoundState, Stage, TriggerKind


@dataclass(frozen=True)
class Firing:
    """Why a schedule fires now; the key is the same for every process, at any time."""

    key: str
    reason: str


def of(schedule: Schedule, due: str | None) -> Firing | None:
    """The firing that a schedule has now; `due` is the time that its calendar named."""
    return TRIGGERS[schedule.trigger][1](schedule, due)


def check(schedule: Schedule) -> None:
    """Refuse a trigger whose value is invalid.

    Raises
    ------
    InputError
        With what would be right.
    NotFoundError
        If the campaign does not exist.
    """
    TRIGGERS[schedule.trigger][0](schedule)


def next_due(schedule: Schedule, after: datetime) -> datetime | None:
    """When a calendar is due next after a moment, in UTC; None for the other triggers."""
    return cron.next_due(schedule.value, schedule.zone, after) if schedule.trigger is TriggerKind.CRON else None


def _by_calendar(schedule: Schedule, due: str | None) -> Firing | None:
    return None if due is None else Firing(due, f"The calendar {schedule.value!r} was due at {due}.")


def _by_new_labels(schedule: Schedule, _due: str | None) -> Firing | None:
    last = schedules.last_run(schedule.id)
    base = schedule.labels if last is None else last.labels
    new = labels.count(schedule.method) - base
    if new < int(schedule.value):
        return None
    return Firing(f"labels-{base}", f"{new} labels are new, {schedule.value} were asked for.")


def _by_drift(schedule: Schedule, _due: str | None) -> Firing | None:
    newest = _newest_closed(schedule, None)
    if newest is None:
        return None
    errors = _errors(newest.campaign)
    before = [error for number, error in errors if number < newest.number]
    now = [error for number, error in errors if number == newest.number]
    grown, told = drifted(now, before, float(schedule.value))
    return Firing(f"drift-{newest.id}", f"Round {newest.id}: {told}") if grown else None


def _after_round(schedule: Schedule, _due: str | None) -> Firing | None:
    newest = _newest_closed(schedule, schedule.value)
    return None if newest is None else Firing(f"round-{newest.id}", f"Round {newest.id} has closed.")


def _newest_closed(schedule: Schedule, campaign: str | None) -> Round | None:
    """The round that closed last since the schedule was added, of one campaign or of all that use its Method."""
    names = [campaign] if campaign else [one.id for one in campaigns.find() if _uses(one.id, schedule.method)]
    closed = [
        one
        for name in names
        for one in campaigns.rounds(name)
        if one.state is RoundState.CLOSED
        and sequence.is_after(one.closed_sequence, one.closed_at, schedule.sequence, schedule.created_at)
    ]
    return max(closed, key=lambda one: (one.closed_sequence or 0, one.closed_at, one.number), default=None)


def _uses(campaign: str, method: str) -> bool:
    return any(calculation.method == method for calculation in calculations.of_campaign(campaign))


def _errors(campaign: str) -> list[tuple[int, float]]:
    """Round and error, predicted minus computed score, of every evaluation of a campaign that was predicted."""
    done = [c for c in candidates.outlines(campaign) if c.stage is Stage.EVALUATED]
    pairs = [(c.round, c.scores.get("predicted_score"), c.scores.get("computed_score")) for c in done]
    return [(number, float(p) - float(c)) for number, p, c in pairs if p is not None and c is not None]


def _check_calendar(schedule: Schedule) -> None:
    cron.check(schedule.value, schedule.zone)


def _check_count(schedule: Schedule) -> None:
    if not schedule.value.isdecimal() or int(schedule.value) < 1:
        raise InputError(f"New labels are counted from 1, not {schedule.value!r}.")


def _check_level(schedule: Schedule) -> None:
    try:
        level = float(schedule.value)
    except ValueError:
        level = 0.0
    if not 0 < level < 1:
        raise InputError(f"The level of a drift test lies between 0 and 1, such as 0.01, not at {schedule.value!r}.")


def _check_campaign(schedule: Schedule) -> None:
    campaigns.get(schedule.value)


Check = Callable[[Schedule], None]
Ask = Callable[[Schedule, str | None], Firing | None]
TRIGGERS: Final[dict[TriggerKind, tuple[Check, Ask]]] = {
    TriggerKind.CRON: (_check_calendar, _by_calendar),
    TriggerKind.NEW_LABELS: (_check_count, _by_new_labels),
    TriggerKind.DRIFT: (_check_level, _by_drift),
    TriggerKind.AFTER_ROUND: (_check_campaign, _after_round),
}
