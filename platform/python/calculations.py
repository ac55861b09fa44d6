"""Calculations: found, looked at, run again, set aside."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fermiloop.platform.app import calculations as app
from fermiloop.platform.python.connecting import connected

if TYPE_CHECKING:
    from fermiloop.schemas.calculation import Calculation as _Document

__all__ = ["Calculation", "cancel", "find", "get", "ignore", "logs", "rerun"]


@dataclass(frozen=True)
class Calculation:
    """One evaluation of one crystal by one Method.

    Parameters
    ----------
    id
        Its id.
    candidate
        Id of the candidate that it was planned for.
    engine, method
        What computes it: the engine's name, and the id of the Method.
    state
        ``"waiting"``, ``"running"``, ``"completed"`` or ``"failed"``.
    error
        Why it failed, in a sentence; None of one that did not.
    core_seconds
        Processor time that it has cost, all attempts together.
    attempts
        How often it was begun.
    ignored
        Whether somebody has set its failure aside.
    """

    id: str
    candidate: str | None
    engine: str
    method: str
    state: str
    error: str | None
    core_seconds: float
    attempts: int
    ignored: bool


def find(
    *, campaign: str | None = None, state: str | None = None, error: str | None = None, limit: int = 50
) -> list[Calculation]:
    """Calculations, newest first.

    Parameters
    ----------
    campaign
        Of this campaign.
    state
        In this state.
    error
        Text that the error holds, in any case.
    limit
        At most so many.

    Raises
    ------
    NotFoundError
        If there is no such campaign.
    InputError
        If the state is unknown.
    """
    connected()
    return [_made(one) for one in app.find(campaign=campaign, state=state, error=error, limit=limit)]


def get(identifier: str) -> Calculation:
    """The calculation of an id.

    Raises
    ------
    NotFoundError
        If it is not in the store.
    """
    connected()
    return _made(app.get(identifier))


def logs(identifier: str) -> dict[str, str]:
    """Ends of its logs on this machine, by step and file; passwords are left out.

    Raises
    ------
    NotFoundError
        If it is not in the store.
    """
    connected()
    return app.logs(str(app.get(identifier).id))


def rerun(calculations: Iterable[str | Calculation], *, time_limit: float | None = None) -> int:
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
    connected()
    return app.rerun(_ids(calculations), time_limit)


def cancel(calculations: Iterable[str | Calculation]) -> int:
    """Take back what was handed over and has no result yet; how many. Computing it again goes on where it stopped.

    Raises
    ------
    NotFoundError
        If one of them is unknown.
    UserError
        If one has a result or has failed, or a campaign that goes on waits for it.
    """
    connected()
    return app.cancel(_ids(calculations))


def ignore(calculations: Iterable[str | Calculation]) -> int:
    """Set failed calculations aside, so that they are no longer shown as wanting attention; how many were.

    Raises
    ------
    NotFoundError
        If a calculation is not in the store.
    """
    connected()
    return app.ignore(_ids(calculations))


def _ids(calculations: Iterable[str | Calculation]) -> list[str]:
    return [one.id if isinstance(one, Calculation) else one for one in calculations]


def _made(found: _Document) -> Calculation:
    return Calculation(
        id=str(found.id),
        candidate=found.candidate,
        engine=str(found.engine),
        method=str(found.method),
        state=str(found.state),
        error=found.error,
        core_seconds=float(found.core_seconds or 0.0),
        attempts=int(found.attempts or 0),
        ignored=bool(found.ignored),
    )
