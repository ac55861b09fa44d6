"""When a schedule is to fire: by the calendar, by new labels, by a drift of the errors, or after a round.

A trigger is one class here and nothing else: its name is what is stored, the argument of the Python API and, with
dashes, the option of the command line. What is heavy is imported by the methods: ``fermiloop --help`` reads the names.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from fermiloop.platform.errors import InputError

if TYPE_CHECKING:
    from datetime import datetime

    from fermiloop.schemas.campaign import Round
    from fermiloop.schemas.schedule import Schedule


@dataclass(frozen=True)
class Firing:
    """Why a schedule fires now; the key is the same for every process, at any time."""

    key: str
    reason: str


class Trigger(ABC):
    """What makes a schedule fire; its value is stored as text."""

    name: ClassVar[str]
    value: ClassVar[type[int | float | str]]
    help: ClassVar[str]
    """What the option says of itself."""
    has_times: ClassVar[bool] = False
    """Whether it names times, and is looked at then."""

    @property
    def option(self) -> str:
        """Its option on the command line."""
        return f"--{self.name.replace('_', '-')}"

    @abstractmethod
    def check(self, schedule: Schedule) -> None:
        """Refuse a value that is invalid.

        Raises
        ------
        InputError
            With what would be right.
        NotFoundError
            If it names a campaign that does not exist.
        """

    @abstractmethod
    def firing(self, schedule: Schedule, due: str | None) -> Firing | None:
        """The firing that a schedule has now; `due` is the time that its calendar named, None where it named none."""

    def next_due(self, schedule: Schedule, after: datetime) -> datetime | None:  # noqa: ARG002  (of calendars)
        """When a calendar is due next after a moment, in UTC; None for what is asked again and again."""
        return None


class ByCalendar(Trigger):
    """At the times of a calendar, as cron reads it, in the schedule's time zone."""

    name = "cron"
    value = str
    has_times = True
    help = "Calendar, as '0 3 * * *'."

    def check(self, schedule: Schedule) -> None:
        """Refuse what is no calendar, or no time zone."""
        from fermiloop.platform.campaign import cron

        cron.check(schedule.value, schedule.zone)

    def firing(self, schedule: Schedule, due: str | None) -> Firing | None:
        """Where it is due."""
        return None if due is None else Firing(due, f"The calendar {schedule.value!r} was due at {due}.")

    def next_due(self, schedule: Schedule, after: datetime) -> datetime | None:
        """When it is due next after a moment, in UTC."""
        from fermiloop.platform.campaign import cron

        return cron.next_due(schedule.value, schedule.zone, after)


class ByNewLabels(Trigger):
    """When the Method has so many labels more than at the last firing."""

    name = "new_labels"
    value = int
    help = "So many labels more than at the last."

    def check(self, schedule: Schedule) -> None:
        """Refuse what is no number from 1."""
        if not schedule.value.isdecimal() or int(schedule.value) < 1:
            raise InputError(f"New labels are counted from 1, not {schedule.value!r}.")

    def firing(self, schedule: Schedule, due: str | None) -> Firing | None:  # noqa: ARG002
        """Where so many are new."""
        from fermiloop.platform.store import labels, schedules, sequence

        last = schedules.last_run(schedule.id)
        own = last is not None and sequence.is_after(  # not of one that bore the name before and was removed
            last.sequence, last.started_at, schedule.sequence, schedule.created_at
        )
        base = last.labels if last is not None and own else schedule.labels
        new = labels.count(schedule.method) - base
        if new < int(schedule.value):
            return None
        return Firing(f"labels-{base}", f"{new} labels are new, {schedule.value} were asked for.")


class ByDrift(Trigger):
    """When the errors of the newest closed round have grown, by a test at this level."""

    name = "drift"
    value = float
    help = "Level at which the newest errors have grown."

    def check(self, schedule: Schedule) -> None:
        """Refuse what is no level of a test."""
        try:
            level = float(schedule.value)
        except ValueError:
            level = 0.0
        if not 0 < level < 1:
            raise InputError(
                f"The level of a drift test lies between 0 and 1, such as 0.01, not at {schedule.value!r}."
            )

    def firing(self, schedule: Schedule, due: str | None) -> Firing | None:  # noqa: ARG002
        """Where they have grown."""
        from fermiloop.platform.campaign.drift import drifted

        newest = _newest_closed(schedule, None)
        if newest is None:
            return None
        errors = _errors(newest.campaign)
        before = [error for number, error in errors if number < newest.number]
        now = [error for number, error in errors if number == newest.number]
        grown, told = drifted(now, before, float(schedule.value))
        return Firing(f"drift-{newest.id}", f"Round {newest.id}: {told}") if grown else None


class AfterRound(Trigger):
    """After each round of a campaign."""

    name = "after_round"
    value = str
    help = "Each round of this campaign."

    def check(self, schedule: Schedule) -> None:
        """Refuse a campaign that does not exist."""
        from fermiloop.platform.store import campaigns

        campaigns.get(schedule.value)

    def firing(self, schedule: Schedule, due: str | None) -> Firing | None:  # noqa: ARG002
        """Where one has closed since the schedule was added."""
        newest = _newest_closed(schedule, schedule.value)
        return None if newest is None else Firing(f"round-{newest.id}", f"Round {newest.id} has closed.")


TRIGGERS: Final[dict[str, Trigger]] = {kind.name: kind() for kind in Trigger.__subclasses__()}
"""By name, in the order in which they stand here."""


TIMED: Final = frozenset(name for name, one in TRIGGERS.items() if one.has_times)


def named(name: str) -> Trigger:
    """The trigger of a name.

    Raises
    ------
    InputError
        If there is none.
    """
    if name not in TRIGGERS:
        raise InputError(f"{name} is no trigger; choose one of {', '.join(TRIGGERS)}.")
    return TRIGGERS[name]


def of(schedule: Schedule) -> Trigger:
    """The trigger of a schedule.

    Raises
    ------
    InputError
        If this version does not know it.
    """
    return named(schedule.trigger)


def _newest_closed(schedule: Schedule, campaign: str | None) -> Round | None:
    """The round that closed last since the schedule was added, of one campaign or of all that use its Method."""
    from fermiloop.platform.store import campaigns, sequence
    from fermiloop.schemas.vocabulary import RoundState

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
    from fermiloop.platform.store import calculations

    return any(calculation.method == method for calculation in calculations.of_campaign(campaign))


def _errors(campaign: str) -> list[tuple[int, float]]:
    """Round and error, predicted minus computed score, of every evaluation of a campaign that was predicted."""
    from fermiloop.platform.store import candidates
    from fermiloop.schemas.vocabulary import Stage

    done = [c for c in candidates.outlines(campaign) if c.stage is Stage.EVALUATED]
    pairs = [(c.round, c.scores.predicted_score, c.scores.computed_score) for c in done]
    return [(number, p - c) for number, p, c in pairs if p is not None and c is not None]
