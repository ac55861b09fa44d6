"""What stands for the elements in formation energies and hulls by a Method, and how one that lacks it gets it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pymatgen.core import Element

from fermiloop.db_init.element_references import ElementReference, shipped
from fermiloop.flows.engines.lookup import code_of
from fermiloop.platform.plugins.engines import ENERGY
from fermiloop.platform.plugins.engines import engine as declared
from fermiloop.platform.representations.canonical import HANDS, canonical
from fermiloop.platform.representations.molecules import is_molecule
from fermiloop.platform.store import labels, materials
from fermiloop.schemas.material import Material
from fermiloop.schemas.method import Method
from fermiloop.schemas.vocabulary import Origin


@dataclass(frozen=True)
class Reference:
    """The lowest energy of an element by a Method.

    Parameters
    ----------
    energy_per_atom
        eV, with the correction of the Method where it has one; None where there is none.
    material, phase
        Id and structure type of the crystal, or molecule in a box, whose energy it is.
    stands_for
        The ground state in whose place the shipped crystal was taken; None where that is the ground state itself.
    ground_state
        Whether the shipped ground state was computed too; where not, the energy may be far above it. None where there
        is no energy, or none is shipped.
    """

    element: str
    energy_per_atom: float | None = None
    material: str | None = None
    phase: str | None = None
    stands_for: str | None = None
    ground_state: bool | None = None


def method(engine: str, settings: Mapping[str, Any]) -> Method:
    """The Method of an engine with these settings; nothing is stored.

    Raises
    ------
    InputError
        If a setting is wrong.
    UserError
        If the engine is not installed here.
    """
    record = code_of(engine).method(settings)
    return Method.make(record.engine, record.functional, record.settings, record.code_versions)


def references(symbols: Iterable[str], method: str) -> list[Reference]:
    """Reference of each of these elements, by atomic number; without an energy where there is none by the Method."""
    wanted = sorted(set(symbols), key=lambda symbol: Element(symbol).Z)
    computed: dict[str, list[tuple[float, str]]] = {symbol: [] for symbol in wanted}
    for amounts, energy, key in labels.hull_entries(wanted, method):
        if len(amounts) == 1:
            (symbol,) = amounts
            computed[symbol].append((energy, key))
    found = materials.get_many(key for crystals in computed.values() for _, key in crystals)
    return [_reference(symbol, sorted(computed[symbol]), found) for symbol in wanted]


def lacking(symbols: Iterable[str], method: str) -> list[str]:
    """Those of these elements that have no reference by a Method, sorted."""
    return sorted(one.element for one in references(symbols, method) if one.energy_per_atom is None)


def to_compute(symbols: Iterable[str], method: str) -> list[str]:
    """Those of these elements that have no reference by a Method, or one above a ground state not computed, sorted."""
    found = references(symbols, method)
    return sorted(one.element for one in found if one.energy_per_atom is None or one.ground_state is False)


def above_ground_state(symbols: Iterable[str], method: str) -> list[Reference]:
    """References by a Method that has not computed the ground state of the element."""
    return [one for one in references(symbols, method) if one.ground_state is False]


def refused(symbols: Iterable[str], engine: str, settings: Mapping[str, Any]) -> dict[str, str]:
    """Of the elements whose ground state is shipped those that an engine does not compute, with the reason.

    Raises
    ------
    InputError
        If a setting is wrong.
    UserError
        If the engine is not installed here.
    """
    code, known = code_of(engine), shipped()
    code.method(settings)  # what refuses a crystal takes settings that are right
    reasons = {one: code.refusal(known[one].structure, settings) for one in symbols if one in known}
    return {one: reason for one, reason in reasons.items() if reason}


def without_energies(engine: str, settings: Mapping[str, Any]) -> str | None:
    """That an engine, as it is set, gives no energies, so that nothing can be its reference; None where it does."""
    if ENERGY in declared(engine).properties(settings):
        return None
    return f"The engine {engine} gives no {ENERGY} with these settings, so it has no references and no hull"


def command(symbols: Iterable[str], engine: str, settings: Mapping[str, Any]) -> str:
    """What is typed so that these elements get a reference."""
    by = _by(engine, settings)
    return shlex.join(["fermiloop", "references", "build", *by, "--elements", *sorted(symbols)])


def compute_command(what: str, engine: str, settings: Mapping[str, Any]) -> str:
    """What is typed so that a crystal is computed."""
    return shlex.join(["fermiloop", "compute", what, *_by(engine, settings)])


def _by(engine: str, settings: Mapping[str, Any]) -> list[str]:
    """Words of a command that name an engine and its settings."""
    given = [f"{name}={json.dumps(value)}" for name, value in settings.items()]
    return ["--engine", engine, *(word for one in given for word in ("--settings", one))]


def save_shipped(symbols: Iterable[str]) -> None:
    """Save the shipped ground states of those elements of which the store holds no crystal."""
    known = shipped()
    for symbol in symbols:
        if symbol in known and not materials.of_formulas([known[symbol].structure.composition.reduced_formula]):
            one = known[symbol]
            materials.save(one.structure, origin=Origin.SEED, source=one.source, prototype=one.kind)


def _reference(symbol: str, computed: list[tuple[float, str]], found: Mapping[str, Material]) -> Reference:
    """Of all crystals of an element that were computed, the lowest first."""
    if not computed:
        return Reference(symbol)
    (energy, key), one = computed[0], shipped().get(symbol)
    if one is None:
        return Reference(symbol, energy, key, str(found[key].prototype))
    if _is(found[key], one):
        return Reference(symbol, energy, key, one.title, one.stands_for, ground_state=True)
    among = any(_is(found[other], one) for _, other in computed[1:])
    return Reference(symbol, energy, key, str(found[key].prototype), ground_state=among)


def _is(material: Material, one: ElementReference) -> bool:
    """Whether a material is the shipped ground state, in whatever cell a program has relaxed it to."""
    if one.is_molecule:
        return is_molecule(material.to_structure())
    number, sites, symmetry = _cell(one.element)
    if (HANDS.get(material.space_group, material.space_group), material.n_sites) != (number, sites):
        return False
    return canonical(material.to_structure()).symmetry == symmetry


@cache
def _cell(element: str) -> tuple[int, int, str]:
    """Space group, hands taken as one, sites, and space group with orbits of a shipped ground state."""
    form = canonical(shipped()[element].structure)
    return HANDS.get(form.space_group, form.space_group), len(form.symbols), form.symmetry
