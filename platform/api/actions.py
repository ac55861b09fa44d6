"""What the API is given by whoever serves it, and what every request shares."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from fastapi import Request
from numpy.typing import NDArray

from fermiloop.platform.api.work import Limits, Work


class Near(Protocol):
    """One result of a search for curves; read only."""

    @property
    def material(self) -> str:
        """Id of the material."""

    @property
    def formula(self) -> str | None:
        """Its reduced formula."""

    @property
    def value(self) -> float:
        """Of the metric."""


# (151,) values on `DOS_GRID`; metric; first and last energy that count, eV; most materials
Search = Callable[[NDArray[Any], str, tuple[float, float], int], Sequence[Near]]


@dataclass(frozen=True, kw_only=True)
class Steering:
    """How campaigns are steered, by functions of the layers above.

    Parameters
    ----------
    launch
        Check, store and queue the campaign of a YAML text; its name.
    pause, resume, cancel
        Move the campaign of a name.
    rerun, ignore
        Queue failed calculations again, or set them aside; how many were.
    summary
        Report of the campaign of a name, as `fermiloop.platform.campaign.summary.summarise` makes it.
    """

    launch: Callable[[str], str]
    pause: Callable[[str], None]
    resume: Callable[[str], None]
    cancel: Callable[[str], None]
    rerun: Callable[[Sequence[str]], int]
    ignore: Callable[[Sequence[str]], int]
    summary: Callable[[str], dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Actions(Steering):
    """What the API is given beyond the store.

    Parameters
    ----------
    dos_search
        Materials nearest to a curve.
    """

    dos_search: Search


@dataclass(frozen=True)
class Site:
    """What every request shares."""

    actions: Actions
    limits: Limits
    work: Work
    open_reads: bool = True


def site(request: Request) -> Site:
    """The site that answers a request."""
    found: Site = request.app.state.site
    return found
