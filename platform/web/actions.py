"""What the pages are given by the server, and what a page is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from dash import Dash
from dash.development.base_component import Component
from numpy.typing import NDArray

from fermiloop.platform.api.actions import Near, Steering
from fermiloop.platform.store import glance

LAUNCH: Final = "launch"  # role of a token that may start, stop and rerun
KEPT: Final = 8  # summaries

READ_ONLY: Final = "These pages are read-only; give a token with the role launch under Access, in the head of the page."


@dataclass(frozen=True, kw_only=True)
class Actions(Steering):
    """Everything that the pages ask for beyond the store.

    Parameters
    ----------
    lineage
        Lineage of the candidate of an id.
    dos_search
        Materials nearest to a curve, (151,) on `DOS_GRID`, by a metric in a window of energies in eV; None where
        there is no search.
    check
        Problems (``key``, ``text``) of the text of a campaign file; nothing is stored.
    steps, logs
        Steps of a calculation in the queue (``name``, ``state``, ``worker``, ``since``), and the logs of those that
        failed, by step.
    queue
        Steps that run or wait (``campaign``, ``name``, ``state``, ``worker``, ``since``, ``calculation``).
    schedules, history
        Rows of all schedules, and what one of them did; None where there are none.
    """

    lineage: Callable[[str], dict[str, Any]]
    dos_search: Callable[[NDArray[Any], str, tuple[float, float]], Sequence[Near]] | None = None
    check: Callable[[str], Sequence[Mapping[str, str]]] | None = None
    steps: Callable[[str], Sequence[Mapping[str, Any]]] | None = None
    logs: Callable[[str], Mapping[str, str]] | None = None
    queue: Callable[[], Sequence[Mapping[str, Any]]] | None = None
    schedules: Callable[[], Sequence[Mapping[str, Any]]] | None = None
    history: Callable[[str], Sequence[Mapping[str, Any]]] | None = None


Authorise = Callable[[str | None, str], str | None]


def refuse(token: str | None, role: str) -> str | None:  # noqa: ARG001  (the signature of all)
    """Nobody may write: what holds unless another rule is given."""
    return READ_ONLY


@dataclass(frozen=True)
class Site:
    """Actions, who may use them, and the last summaries that were made."""

    actions: Actions
    authorise: Authorise = refuse
    summaries: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    def summary(self, name: str) -> tuple[str, dict[str, Any]]:
        """Stamp and summary of a campaign; the summary is made again when the stamp has changed.

        Raises
        ------
        NotFoundError
            If there is no such campaign.
        """
        stamp = glance.stamp(name)
        made = self.summaries.get((name, stamp))
        if made is None:
            made = self.actions.summary(name)
            while len(self.summaries) >= KEPT:
                self.summaries.pop(next(iter(self.summaries)), None)
            self.summaries[name, stamp] = made
        return stamp, made


@dataclass(frozen=True)
class Page:
    """One page: its title, its content for what follows its name in the address, and its callbacks."""

    title: str
    layout: Callable[[Site, str], Component]
    register: Callable[[Dash, Site], None] | None = None
    asked: Callable[[Site, Mapping[str, str]], Component] | None = None  # in place of layout, by the address's query
