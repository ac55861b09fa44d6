"""Reference energies of the elements and hulls of chemical systems, by any engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from fermiloop.platform.app import references as app
from fermiloop.platform.python.connecting import connected

if TYPE_CHECKING:
    from fermiloop.flows.campaigns.elements import Reference
    from fermiloop.flows.campaigns.hulls import Phase
    from fermiloop.flows.campaigns.oxygen import Fitted
    from fermiloop.flows.driving.referencing import Built

__all__ = ["build", "build_hull", "find", "fit_oxygen", "hull"]


def build(
    engine: str,
    elements: Iterable[str] | None = None,
    *,
    settings: Mapping[str, Any] | None = None,
    workers: int | None = None,
    queue: bool = False,
    time_limit: float = 3600.0,
) -> Built:
    """Compute the ground states of these elements, or of all that the engine computes.

    Parameters
    ----------
    engine
        Such as ``"gpaw-hard"`` or ``"chgnet"``.
    settings
        Its settings.
    workers
        How many processes compute; None computes in this one.
    queue
        Whether to leave it to workers elsewhere and return at once.
    time_limit
        Seconds that each step may take.

    Raises
    ------
    InputError
        If an element is unknown or refused by the engine, or a setting is wrong; nothing is queued then.
    """
    connected()
    return app.build(_how(engine, settings, workers, queue, time_limit), elements)


def find(
    engine: str, elements: Iterable[str] | None = None, *, settings: Mapping[str, Any] | None = None
) -> list[Reference]:
    """Reference of each of these elements, or of all whose ground state is shipped; some may have no energy.

    Raises
    ------
    InputError
        If a symbol is no element, or a setting is wrong.
    """
    connected()
    return app.known(engine, settings or {}, elements)


def fit_oxygen(engine: str, *, settings: Mapping[str, Any] | None = None) -> Fitted:
    """The correction of oxygen's reference (eV per atom), from stored oxides by the Method and measured enthalpies.

    Raises
    ------
    InputError
        If fewer than three such oxides are there, or the settings correct already.
    """
    connected()
    return app.fit_oxygen(engine, settings or {})


def build_hull(
    engine: str,
    elements: Iterable[str],
    *,
    settings: Mapping[str, Any] | None = None,
    limit: int = 50,
    workers: int | None = None,
    queue: bool = False,
    time_limit: float = 3600.0,
) -> Built:
    """Compute the stored materials of a chemical system, the most stable by any Method first, and its elements.

    Parameters are those of `build`; `limit` is the most materials.

    Raises
    ------
    InputError
        As `build` does.
    """
    connected()
    return app.build_hull(_how(engine, settings, workers, queue, time_limit), elements, limit)


def hull(engine: str, elements: Iterable[str], *, settings: Mapping[str, Any] | None = None) -> list[Phase]:
    """Stored materials of a chemical system with formation energy and energy above the hull (eV/atom), stable first.

    Raises
    ------
    InputError
        If an element has no reference by this engine with these settings.
    """
    connected()
    return app.hull(engine, settings or {}, elements)


def _how(engine: str, settings: Mapping[str, Any] | None, workers: int | None, queue: bool, time_limit: float) -> Any:
    from fermiloop.flows.driving.referencing import How

    return How(engine, dict(settings or {}), workers=workers, queue=queue, time_limit=time_limit)
