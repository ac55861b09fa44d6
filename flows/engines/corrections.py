"""Corrections of the elements' references: a setting of every engine, and part of its Method.

PBE binds O2 and other molecules wrongly, so that formation energies of all their compounds are off by about as much per
atom (Wang, Maxisch and Ceder, Phys. Rev. B 73, 195107, 2006). A correction is added to the energy of the element where
it is a reference; nothing is corrected unless the setting says so, and corrected energies share no hull with others.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from pymatgen.core import Element, Structure

from fermiloop.flows.engines.protocol import EngineEntry, MethodRecord
from fermiloop.platform.errors import InputError
from fermiloop.platform.plugins.engines import CORRECTIONS

if TYPE_CHECKING:
    from jobflow import Flow

LARGEST: Final = 2.0  # eV per atom
Flows = Callable[[str, Structure, Mapping[str, Any], float], "Flow"]


def with_corrections(entry: EngineEntry) -> EngineEntry:
    """The same engine with the setting `reference_corrections`, which changes the Method and no calculation."""

    def method(settings: Mapping[str, Any]) -> MethodRecord:
        record = entry.method(_own(settings))
        found = checked(settings.get(CORRECTIONS))
        return replace(record, settings={**record.settings, CORRECTIONS: found}) if found else record

    def refuses(structure: Structure, settings: Mapping[str, Any]) -> str | None:
        return entry.refuses(structure, _own(settings))

    def refuses_to_relax(structure: Structure, settings: Mapping[str, Any]) -> str | None:
        return entry.refuses_to_relax(structure, _own(settings))

    def dos_range(settings: Mapping[str, Any]) -> tuple[float, float] | None:
        return entry.dos_range(_own(settings))

    static = None if entry.static is None else _bare(entry.static)
    return replace(
        entry,
        method=method,
        flow=_bare(entry.flow),
        static=static,
        refuses=refuses,
        refuses_to_relax=refuses_to_relax,
        dos_range=dos_range,
    )


def _bare(flow: Flows) -> Flows:
    """A flow that is given the settings without the corrections."""

    def made(calculation: str, structure: Structure, settings: Mapping[str, Any], time_limit: float) -> Flow:
        return flow(calculation, structure, _own(settings), time_limit)

    return made


def checked(given: Any) -> dict[str, float]:
    """Corrections as a Method keeps them: eV per atom by element, sorted, without zeros.

    Raises
    ------
    InputError
        If it is no mapping of elements to eV per atom.
    """
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise InputError(
            f"The setting reference_corrections is {given!r}; write eV per atom by element, such as {{O: 0.4}}, which "
            "is added to the energy of O2 as the reference."
        )
    return {symbol: value for symbol in sorted(map(str, given)) if (value := _number(symbol, given[symbol]))}


def _number(symbol: str, value: Any) -> float:
    if not Element.is_valid_symbol(symbol):
        raise InputError(f"The setting reference_corrections names {symbol!r}, which is no element.")
    if isinstance(value, bool) or not isinstance(value, float | int) or not math.isfinite(value):
        raise InputError(f"The setting reference_corrections gives {symbol} {value!r}; write eV per atom, such as 0.4.")
    if abs(value) > LARGEST:
        raise InputError(
            f"The setting reference_corrections gives {symbol} {value:g} eV per atom; write one within {LARGEST:g}, "
            "such as 0.4."
        )
    return float(value)


def _own(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if name != CORRECTIONS}
