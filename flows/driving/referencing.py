"""Reference energies of the elements, and the known phases of a chemical system, by any engine.

What is handed over goes through the evaluation flow of all crystals: the same queue, record and lineage.
What was computed before is not computed again, so that a repeat goes on where this was stopped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pymatgen.core import Structure

from fermiloop.db_init.element_references import of_elements, shipped
from fermiloop.db_init.importers.report import Progress, silent
from fermiloop.flows.campaigns import elements, hulls
from fermiloop.flows.driving import computing
from fermiloop.flows.evaluations import asking, outcomes
from fermiloop.flows.evaluations.asking import Given
from fermiloop.flows.evaluations.outcomes import Outcome
from fermiloop.platform.errors import InputError
from fermiloop.platform.plugins.engines import CORRECTIONS
from fermiloop.platform.store import calculations, labels, materials, methods
from fermiloop.schemas.calculation import Calculation
from fermiloop.schemas.method import Method
from fermiloop.schemas.vocabulary import CalculationState, Property

TIME_LIMIT: Final = 3600.0  # s of a step


@dataclass(frozen=True)
class How:
    """By which engine, and who computes.

    Parameters
    ----------
    workers
        How many of this command; None computes in this process.
    queue
        Whether to leave it to workers elsewhere and return at once.
    time_limit
        Seconds that each step may take.
    """

    engine: str
    settings: Mapping[str, Any]
    workers: int | None = None
    queue: bool = False
    time_limit: float = TIME_LIMIT


@dataclass(frozen=True)
class Built:
    """What was computed.

    Parameters
    ----------
    method
        Id of the Method.
    outcomes
        One a crystal that was handed over.
    refused
        Elements that the engine does not compute, with the reason.
    restated
        How many formation energies and energies above the hull of stored materials are new; none before all have
        ended.
    """

    method: str
    outcomes: list[Outcome]
    refused: dict[str, str]
    restated: int


def references(symbols: Iterable[str] | None, how: How, progress: Progress = silent) -> Built:
    """Compute the shipped ground states of these elements, or of all that the engine computes.

    Raises
    ------
    InputError
        If an element that is named has no shipped ground state or is refused by the engine, a setting is wrong, or the
        engine gives no energies.
    UserError
        If the engine is not installed here.
    """
    _refuse_without_energies(how)
    wanted = list(shipped()) if symbols is None else [one.element for one in of_elements(symbols)]
    refused = elements.refused(wanted, how.engine, how.settings) if symbols is None else {}
    wanted = [one for one in wanted if one not in refused]
    return _built(_ground_states(wanted, how), frozenset(wanted), refused, how, progress)


def phases(symbols: Iterable[str], limit: int, how: How, progress: Progress = silent) -> Built:
    """Compute the stored materials of a chemical system that lie lowest by any Method, and its elements.

    Raises
    ------
    InputError, UserError
        As `references` does.
    """
    system = frozenset(one.element for one in of_elements(symbols))
    _refuse_without_energies(how)
    method = asking.check(_of_elements(system), how.engine, how.settings)
    if CORRECTIONS in how.settings:
        take_over(how)  # before it is asked what is to be computed
    given = _not_computed(hulls.to_compute(system, method.id), {method.id, _plain(how).id}, how.settings, limit)
    return _built([*_of_elements(elements.to_compute(system, method.id)), *given], system, {}, how, progress)


def _not_computed(ids: list[str], by: set[str], settings: Mapping[str, Any], limit: int) -> list[Given]:
    """The first of these materials that were not computed by these Methods: some relaxed to another material then.

    Those that failed by the same settings are not tried again: they come beside the limit, to be told.
    """
    found: list[Given] = []
    fresh = 0
    for start in range(0, len(ids), max(limit, 1)):
        some = ids[start : start + limit]
        crystals = materials.as_computed(some)
        states = _states(crystals, by, settings)
        for key in some:
            if fresh < limit and key in crystals and states[key] is not CalculationState.COMPLETED:
                found.append(Given(crystals[key], key))
                fresh += states[key] is None
        if fresh >= limit:
            break
    return found


def _states(
    crystals: Mapping[str, Structure], by: set[str], settings: Mapping[str, Any]
) -> dict[str, CalculationState | None]:
    """Completed where one of these Methods has computed a crystal, failed where it did by these settings, else None."""
    cells = {key: asking.cells_of(crystal) for key, crystal in crystals.items()}
    planned = {key: {calculations.id_of(cell, one) for one in by for cell in two} for key, two in cells.items()}
    rows = calculations.of_ids(one for mine in planned.values() for one in mine)
    over = {str(one.id): one.state for one in rows if _is_over(one, settings)}
    states = {key: {over[one] for one in mine if one in over} for key, mine in planned.items()}
    ranked = (CalculationState.COMPLETED, CalculationState.FAILED)
    return {key: next((one for one in ranked if one in found), None) for key, found in states.items()}


def _is_over(calculation: Calculation, settings: Mapping[str, Any]) -> bool:
    """Whether it was computed, or failed and would be asked for by the settings that it failed with."""
    failed = calculation.state is CalculationState.FAILED and dict(calculation.settings) == dict(settings)
    return failed or calculation.state is CalculationState.COMPLETED


def _built(given: list[Given], symbols: frozenset[str], refused: dict[str, str], how: How, progress: Progress) -> Built:
    method = _saved(how)
    ids = asking.launch(given, how.engine, how.settings, time_limit=how.time_limit) if given else []
    found = outcomes.outcomes(ids) if how.queue or not ids else computing.run(ids, how.workers, progress)
    if not all(one.ended for one in found):
        return Built(method, found, refused, 0)  # left to other workers; asked again once they have ended
    return Built(method, found, refused, hulls.restate(symbols, method))


def _refuse_without_energies(how: How) -> None:
    if told := elements.without_energies(how.engine, how.settings):
        raise InputError(f"{told}; choose another engine, or settings by which it gives one.")


def _ground_states(symbols: Iterable[str], how: How) -> list[Given]:
    """Crystals to compute; with corrections those whose ground states' energies were not taken over."""
    if CORRECTIONS in how.settings:
        method = _saved(how)
        take_over(how)
        symbols = elements.to_compute(symbols, method)
    return _of_elements(symbols)


def _of_elements(symbols: Iterable[str]) -> list[Given]:
    return [Given(one.structure, f"reference of {one.element}") for one in of_elements(symbols)]


def take_over(how: How) -> int:
    """Give the corrected Method the energies of the one without corrections, which are the same; how many."""
    target = _saved(how)
    source = _plain(how)
    ids = labels.materials_with(Property.ENERGY_PER_ATOM, source.id)
    known = labels.values(ids, Property.ENERGY_PER_ATOM, target)
    energies = labels.values(ids, Property.ENERGY_PER_ATOM, source.id)
    new = {key: value for key, value in energies.items() if key not in known}
    for key, value in new.items():
        labels.save(key, Property.ENERGY_PER_ATOM, value, method=target)
    return len(new)


def _plain(how: How) -> Method:
    """The Method without corrections."""
    return elements.method(how.engine, {name: value for name, value in how.settings.items() if name != CORRECTIONS})


def _saved(how: How) -> str:
    made = elements.method(how.engine, how.settings)
    return methods.save(made.engine, made.functional, dict(made.settings), dict(made.code_versions))
