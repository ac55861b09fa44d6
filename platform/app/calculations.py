"""Calculations: found, looked at, run again, cancelled, set aside."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fermiloop.platform.app.secrets import plain_text
from fermiloop.platform.errors import InputError
from fermiloop.platform.store import calculations, campaigns, glance
from fermiloop.schemas.vocabulary import CalculationState

if TYPE_CHECKING:
    from fermiloop.flows.queue.running import Running, StepOnDisk
    from fermiloop.schemas.calculation import Calculation

MOST: Final = 10_000  # that one call runs again or sets aside


@dataclass(frozen=True)
class Details:
    """A calculation with what this machine knows of it.

    Parameters
    ----------
    folder
        Where its steps lie on the machine that runs them.
    running
        How far it has come, None where it does not run.
    steps
        Steps that have begun here.
    logs
        Ends of the logs of steps that failed here, by step.
    """

    calculation: Calculation
    folder: str
    running: Running | None
    steps: list[StepOnDisk]
    logs: Mapping[str, str]


def find(
    *,
    campaign: str | None = None,
    state: str | None = None,
    error: str | None = None,
    pattern: str | None = None,
    ignored: bool | None = None,
    limit: int = 50,
) -> list[Calculation]:
    """Calculations, newest first.

    Parameters
    ----------
    campaign
        Of this campaign.
    state
        In this state.
    error, pattern
        Text, or a regular expression, that the error holds, in any case.
    ignored
        Only those that were set aside, or only the others; both by default.
    limit
        Most rows.

    Raises
    ------
    NotFoundError
        If there is no such campaign.
    InputError
        If the state is unknown, or the pattern is no regular expression.
    """
    check_state(state)
    if campaign is not None:
        campaigns.get(campaign)
    wanted = pattern if error is None else re.escape(error)  # a pattern from elsewhere may take for ever
    kind = CalculationState(state) if state else None
    return calculations.find(error=wanted, state=kind, campaign=campaign, ignored=ignored, limit=limit)


def check_state(state: str | None) -> None:
    """Refuse a state that calculations do not have.

    Raises
    ------
    InputError
        With those that there are.
    """
    if state is not None and state not in set(CalculationState):
        raise InputError(f"The state {state!r} is unknown; known are {', '.join(CalculationState)}.")


def failed(*, pattern: str | None = None, campaign: str | None = None) -> list[str]:
    """Ids of failed calculations that nobody has set aside, of a campaign or by their error."""
    found = find(pattern=pattern, state=CalculationState.FAILED, campaign=campaign, ignored=False, limit=MOST)
    return [str(one.id) for one in found]


def get(identifier: str) -> Calculation:
    """The calculation of an id.

    Raises
    ------
    NotFoundError
        If it is not in the store.
    """
    return calculations.get(identifier)


def missing(calculation: Calculation) -> dict[str, str]:
    """Why properties that the engine gives are not in the result of a completed calculation, by their names."""
    return calculations.missing(calculation)


def of_ids(ids: Iterable[str]) -> list[Calculation]:
    """Calculations of these ids; unknown ones are left out."""
    return calculations.of_ids(ids)


def attention(campaign: str | None = None) -> list[glance.Job]:
    """Failed calculations that nobody has set aside, and those that run for far too long, newest first."""
    return glance.attention(campaign=campaign)


def details(identifier: str) -> Details:
    """A calculation with its steps, its progress and the logs of its failures.

    Raises
    ------
    NotFoundError
        If it is not in the store.
    """
    from fermiloop.flows.engines.steps import isolation
    from fermiloop.flows.queue import running

    found = calculations.get(identifier)
    return Details(
        found,
        str(isolation.step_folder(found.id, "")),
        running.of_calculation(found.id),
        running.steps_of(found.id),
        isolation.failure_logs(found.id),
    )


def log_of(identifier: str) -> str:
    """Last lines that the newest step has written on this machine."""
    from fermiloop.flows.queue import running

    return running.log_of(identifier)


def logs(identifier: str) -> dict[str, str]:
    """Ends of all logs on this machine, by step and file, without secrets: what may be shown to others."""
    from fermiloop.flows.queue import watching

    return {name: plain_text(said) for name, said in watching.logs(identifier).items()}


def rerun(ids: Iterable[str], time_limit: float | None = None) -> int:
    """Queue calculations again that failed or lack a property; steps that were finished are not paid again. How many.

    Parameters
    ----------
    time_limit
        Seconds that each may take, in place of its campaign's.

    Raises
    ------
    NotFoundError
        If a calculation is not in the store.
    UserError
        If one has not failed and lacks nothing, or its campaign was cancelled.
    """
    from fermiloop.flows.driving import triage

    return triage.rerun(ids, time_limit)


def cancel(ids: Iterable[str]) -> int:
    """Cancel calculations that have no result yet, and say how many there were.

    Raises
    ------
    NotFoundError
        If the store lacks one of them.
    UserError
        If there is nothing to cancel of one, or a live campaign waits for it.
    """
    from fermiloop.flows.driving import triage

    return triage.cancel(ids)


def handed_over() -> list[str]:
    """Ids of calculations that were handed over, not by a campaign, and have no result yet."""
    return [str(one.id) for one in calculations.handed_over()]


def ignore(ids: Iterable[str]) -> int:
    """Set failed calculations aside, so that they are no longer shown as wanting attention; how many were.

    Raises
    ------
    NotFoundError
        If a calculation is not in the store.
    """
    from fermiloop.flows.driving import triage

    return triage.ignore(ids)
