"""Reference energies of the elements and hulls of chemical systems, by any engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from fermiloop.platform.app import computing
from fermiloop.platform.app.progress import Progress, silent
from fermiloop.platform.errors import InputError

if TYPE_CHECKING:
    from fermiloop.flows.campaigns.elements import Reference
    from fermiloop.flows.campaigns.hulls import Phase
    from fermiloop.flows.campaigns.oxygen import Fitted
    from fermiloop.flows.driving.referencing import Built, How


def settings_from_network(engine: str, pairs: str | Iterable[str]) -> dict[str, Any]:
    """Settings out of texts such as ``cutoff=600``, or of one line of them, that came over the network.

    Raises
    ------
    InputError
        If one is not of that form.
    SpecError
        If they name code to run, or a file of this machine.
    """
    found = computing.settings_of_line(pairs) if isinstance(pairs, str) else computing.settings_of(pairs)
    computing.refuse_programs(engine, found)
    return found


def from_network(engine: str, settings: Mapping[str, Any], time_limit: float = computing.TIME_LIMIT) -> How:
    """How what is asked for over the network is computed: it is queued.

    Raises
    ------
    SpecError
        If the settings name code to run, or a file of this machine.
    """
    from fermiloop.flows.driving.referencing import How

    computing.refuse_programs(engine, settings)
    return How(engine, dict(settings), queue=True, time_limit=time_limit)


def build(how: How, elements: Iterable[str] | None = None, progress: Progress = silent) -> Built:
    """Compute the ground states of these elements, or of all that the engine computes; see `How` for who computes.

    Raises
    ------
    InputError
        If an element is unknown or refused by the engine, or a setting is wrong; nothing is queued then.
    UserError
        If the engine is not installed here.
    StoppedError
        If the keyboard or a signal ended it.
    """
    from fermiloop.flows.driving import referencing

    if not how.queue:
        computing.check_engine(how.engine)
    return referencing.references(None if elements is None else symbols(elements), how, progress)


def known(engine: str, settings: Mapping[str, Any], elements: Iterable[str] | None = None) -> list[Reference]:
    """Reference of each of these elements, or of all whose ground state is shipped; those without one too.

    Raises
    ------
    InputError
        If a symbol is no element, or a setting is wrong.
    """
    from fermiloop.db_init.element_references import shipped
    from fermiloop.flows.campaigns import elements as of_method

    method = of_method.method(engine, settings)
    return of_method.references(shipped() if elements is None else symbols(elements), method.id)


def fit_oxygen(engine: str, settings: Mapping[str, Any]) -> Fitted:
    """The correction of oxygen's reference, from stored oxides by the Method and their measured enthalpies.

    Raises
    ------
    InputError
        If a setting is wrong or corrects already, or too few oxides are there.
    """
    from fermiloop.flows.campaigns import oxygen

    return oxygen.fit(engine, settings)


def is_used(engine: str) -> bool:
    """Whether the store holds an energy by an engine with its usual settings."""
    from fermiloop.flows.campaigns import elements as of_method
    from fermiloop.platform.store import labels, methods

    return bool(methods.of_engine(engine)) and labels.count(of_method.method(engine, {}).id) > 0


def build_hull(how: How, elements: Iterable[str], limit: int, progress: Progress = silent) -> Built:
    """Compute stored materials of these elements, the nearest to the hull by any Method first, and the elements.

    Raises
    ------
    InputError, UserError, StoppedError
        As `build` does.
    """
    from fermiloop.flows.driving import referencing

    if not how.queue:
        computing.check_engine(how.engine)
    return referencing.phases(symbols(elements), limit, how, progress)


def hull(engine: str, settings: Mapping[str, Any], elements: Iterable[str]) -> list[Phase]:
    """Stored materials of these elements by a Method with formation energy and energy above the hull, stable first.

    Raises
    ------
    InputError
        If a symbol is no element, a setting is wrong, or an element has no reference by the Method: with the command
        that computes it.
    """
    from fermiloop.flows.campaigns import elements as of_method
    from fermiloop.flows.campaigns import hulls

    wanted, method = symbols(elements), of_method.method(engine, settings)
    if lacking := of_method.lacking(wanted, method.id):
        raise InputError(
            f"{', '.join(lacking)} has no reference energy by {engine} with these settings, so there is no hull; "
            f"compute it: {of_method.command(lacking, engine, settings)}."
        )
    return hulls.phases(wanted, method.id)


def symbols(given: Iterable[str]) -> list[str]:
    """Symbols of elements, once each.

    Raises
    ------
    InputError
        If one is no element, or there is none.
    """
    from pymatgen.core import Element

    found = list(dict.fromkeys(given))
    if wrong := [one for one in found if not Element.is_valid_symbol(one)]:
        raise InputError(f"{wrong[0]} is no element; write symbols, such as Al Ni.")
    if not found:
        raise InputError("No element was named; write symbols, such as Al Ni.")
    return found
