"""What the API is given by the server, and what every request shares."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from fastapi import Request
from numpy.typing import NDArray

from fermiloop.platform.api.work import Limits, Work
from fermiloop.platform.store import workers as noted


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


Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Launched:
    """What became of a launch.

    Parameters
    ----------
    fresh
        False where a campaign of this name and text was there already, and was left as it is.
    """

    name: str
    fresh: bool = True


def nobody(*_: str) -> Rows:
    """No rows."""
    return ()


@dataclass(frozen=True, kw_only=True)
class Steering:
    """How campaigns are steered, by functions of the layers above.

    Parameters
    ----------
    launch
        Check, store and queue the campaign of a YAML text.
    pause, resume
        Move the campaign of a name.
    cancel
        End the campaign of a name; what runs is told to stop, or may come to its end where that is True. What runs.
    rerun, ignore
        Queue failed calculations again, or set them aside; how many were.
    summary
        Report of the campaign of a name, as `fermiloop.platform.campaign.summary.summarise` makes it.
    running
        Evaluations that run, of the campaign of a name.
    workers
        Workers that listen to the queue.
    """

    launch: Callable[[str], Launched]
    pause: Callable[[str], None]
    resume: Callable[[str], None]
    cancel: Callable[[str, bool], Rows]
    rerun: Callable[[Sequence[str]], int]
    ignore: Callable[[Sequence[str]], int]
    summary: Callable[[str], dict[str, Any]]
    running: Callable[[str], Rows] = nobody
    workers: Callable[[], Rows] = nobody


@dataclass(frozen=True, kw_only=True)
class Actions(Steering):
    """What the API is given beyond the store.

    Parameters
    ----------
    dos_search
        Materials nearest to a curve.
    """

    dos_search: Search


def made_known(made: Launched, workers: int) -> str:
    """What is told of a launch: whether it was one, and who takes it up."""
    first = "It is queued." if made.fresh else "It was launched before and is left as it is."
    return f"{first} {noted.sentence(workers)}"


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
