"""Asking: crystals are checked, all of them before anything is queued, planned, and put into the queue.

A crystal is one calculation, whatever cell it comes in; what was computed is not paid again. It is computed in its
canonical primitive cell, unless moments stand at its sites, which no other cell may be able to hold.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fireworks import LaunchPad
from pymatgen.core import Structure

from fermiloop.flows.engines.lookup import code_of
from fermiloop.flows.engines.protocol import EngineEntry
from fermiloop.flows.engines.steps import isolation
from fermiloop.flows.evaluations.evaluate import TIME_LIMIT, EvaluateMaker
from fermiloop.flows.queue.documents import fireworks
from fermiloop.flows.queue.documents.rows import OF_NONE
from fermiloop.flows.queue.launchpad import add_flow, launchpad
from fermiloop.platform.errors import InputError, UserError
from fermiloop.platform.representations.canonical import canonical
from fermiloop.platform.store import calculations, methods
from fermiloop.schemas.fields import structure_fault
from fermiloop.schemas.method import Method
from fermiloop.schemas.vocabulary import OPEN_CALCULATIONS

EVALUATION_KEY: Final = "fermiloop_handed_over"
MOST_NAMED: Final = 5  # refusals that are told in full


@dataclass(frozen=True)
class Given:
    """A crystal that was handed over.

    Parameters
    ----------
    structure
        In whatever cell.
    name
        For people: the name of its file, an id.
    """

    structure: Structure
    name: str

    @property
    def told(self) -> str:
        """Formula, and where it came from."""
        formula = self.structure.composition.reduced_formula
        return formula if self.name == formula else f"{formula} ({self.name})"


def check(given: Sequence[Given], engine: str, settings: Mapping[str, Any], *, relax: bool = True) -> Method:
    """The Method that would compute these crystals; nothing is stored.

    Raises
    ------
    InputError
        If a setting is wrong, the engine computes none without relaxing it, or it refuses one of the crystals: all
        that are refused, in one sentence with the remedy.
    UserError
        If the engine is not installed here.
    """
    code = code_of(engine)
    record = code.method(settings)
    if not relax and code.static is None:
        raise InputError(f"The engine {engine} computes no crystal without relaxing it; leave --no-relax out.")
    if not given:
        raise InputError("No crystal was handed over; name a structure file, a folder of them, or a stored material.")
    faults = [f"{one.told}: {fault}" for one in given if (fault := structure_fault(one.structure))]
    if faults:
        raise InputError(f"Nothing was queued, for {_listed(faults)} is no crystal; leave it out.")
    _refuse(given, code, engine, settings, relax=relax)
    return Method.make(record.engine, record.functional, record.settings, record.code_versions)


def check_engine(engine: str) -> None:
    """Refuse an engine that cannot run on this machine.

    Raises
    ------
    UserError
        With what to do about it.
    """
    availability = code_of(engine).available()
    if not availability.ready:
        raise UserError(f"The engine {engine} cannot run here: {availability.detail}.")


def launch(
    given: Sequence[Given],
    engine: str,
    settings: Mapping[str, Any],
    *,
    relax: bool = True,
    time_limit: float = TIME_LIMIT,
) -> list[str]:
    """Check, plan and queue these crystals; ids of their calculations, in the order of the crystals.

    What was computed, failed, or is in the queue is not queued again: the same crystal by the same Method, relaxed or
    not, is the same calculation, of whatever campaign. One that failed, or lacks a property, is tried again by other
    settings that are not in the Method, such as more steps.

    Parameters
    ----------
    relax
        Whether cell and positions are relaxed first.
    time_limit
        Seconds that each step may take.

    Raises
    ------
    InputError, UserError
        As `check` does; nothing is queued then.
    """
    method = check(given, engine, settings, relax=relax)
    methods.save(method.engine, method.functional, dict(method.settings), dict(method.code_versions))
    ids = []
    for one in given:
        cell = known_cell(one.structure, method.id, relaxed=relax) or cell_of(one.structure)
        made = calculations.plan(None, cell, engine=engine, method=method.id, settings=dict(settings), relaxed=relax)
        if calculations.change_settings(made, dict(settings)):
            isolation.forget_failure(made)
            isolation.forget_lacking(made)
        calculations.hand_over(made, one.name, time_limit)
        ids.append(made)
    queue(ids)
    return ids


def queue(ids: Iterable[str]) -> int:
    """Put calculations that have not ended into the queue, unless they are there; how many were put there."""
    pad = launchpad()
    try:
        waiting = calculations.of_ids(ids)
        return sum(add(pad, one.id) for one in waiting if one.state in OPEN_CALCULATIONS)
    finally:
        pad.connection.close()


def add(pad: LaunchPad, calculation_id: str) -> bool:
    """Put a calculation into the queue, unless it is there by itself; whether it was put there.

    A campaign's evaluation of it may wait for as long as the campaign is paused, so it does not count.
    """
    category = OF_NONE + calculations.get(calculation_id).method
    if fireworks.is_queued(pad, calculation_id, category):
        return False
    add_flow(pad, EvaluateMaker().make(calculation_id), category, {EVALUATION_KEY: calculation_id})
    return True


def cell_of(structure: Structure) -> Structure:
    """The cell that a crystal is computed in."""
    return structure if "magmom" in structure.site_properties else canonical(structure).structure


def cells_of(structure: Structure) -> list[Structure]:
    """The cells that a crystal may have been computed in: as written, and canonical where it has a symmetry."""
    with contextlib.suppress(InputError):
        return [structure, cell_of(structure)]
    return [structure]


def known_cell(structure: Structure, method: str, *, relaxed: bool = True) -> Structure | None:
    """The cell of a crystal, as written or canonical, of which a calculation by a Method is stored; None without one.

    Campaigns compute candidates in the cells that their generators wrote.
    """
    cells = cells_of(structure)
    ids = [calculations.id_of(cell, method, relaxed=relaxed) for cell in cells]
    there = {str(one.id) for one in calculations.of_ids(ids)}
    return next((cell for cell, one in zip(cells, ids, strict=True) if one in there), None)


def _refuse(
    given: Sequence[Given], code: EngineEntry, engine: str, settings: Mapping[str, Any], *, relax: bool
) -> None:
    refused = [(one.told, told) for one in given if (told := code.refusal(one.structure, settings, relax=relax))]
    if refused:
        reasons = "; ".join(dict.fromkeys(reason for _, reason in refused))
        raise InputError(
            f"Nothing was queued, for the engine {engine} does not compute {_listed([told for told, _ in refused])}: "
            f"{reasons}; change its settings, or leave "
            f"{'them' if len(refused) > 1 else 'it'} out."
        )


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more
