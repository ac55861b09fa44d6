"""Settings of the engine ``flow``: which Maker, with which arguments, and where in its output the results lie."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final

import numpy as np

from fermiloop.flows.engines.protocol import refuse_unknown
from fermiloop.platform.errors import InputError
from fermiloop.platform.plugins.declaration import PLACE
from fermiloop.platform.plugins.properties import declared_property

OF_OUTPUT: Final = ("path", "unit", "factor")
OF_DOS: Final = ("energies", "densities", "fermi_level", "broadening")


@dataclass(frozen=True)
class FlowSettings:
    """What a campaign file says.

    Parameters
    ----------
    maker
        Place of a jobflow Maker, or of a callable that gives a Flow or Job for a crystal: ``"package.module:name"``.
    arguments
        JSON-ready keyword arguments of the Maker, or of the callable after the crystal.
    structure
        Path of the relaxed crystal in the flow's output; empty where the given one stays as it is.
    outputs
        Property to the path of its value in the flow's output, or to ``path`` with ``unit`` (which must be the
        property's) and ``factor`` (by which the value is multiplied).
    dos
        Paths of ``energies`` (eV, rising) and ``densities`` (states/eV/cell, or one list by spin), with ``fermi_level``
        (a path; the energies are counted from it) and ``broadening`` (eV) where needed; None without a curve.
    """

    maker: str = ""
    arguments: dict[str, Any] = field(default_factory=dict)
    structure: str = ""
    outputs: dict[str, Any] = field(default_factory=dict)
    dos: dict[str, Any] | None = None

    def science(self) -> dict[str, Any]:
        """All of it: each changes what the results are."""
        return asdict(self)


@dataclass(frozen=True)
class Output:
    """Where a property lies, and by what its value is multiplied."""

    path: str
    factor: float = 1.0


def checked(settings: Mapping[str, Any]) -> FlowSettings:
    """Settings from what a person wrote.

    Raises
    ------
    InputError
        If one is unknown or of the wrong kind, the Maker is not named, or a property is not declared.
    """
    refuse_unknown((f.name for f in fields(FlowSettings)), settings, "flow")
    found = FlowSettings(**settings)
    if not isinstance(found.maker, str) or not PLACE.fullmatch(found.maker):
        raise InputError(
            f"engine.settings.maker is {found.maker!r}; name a jobflow Maker as package.module:name, such as "
            "my_group.flows:AdsorptionMaker."
        )
    _mapping(found.arguments, "arguments")
    if strange := next(_dunder(found.arguments), None):
        raise InputError(f"engine.settings.arguments has the key {strange!r}; give plain values, no objects.")
    if not isinstance(found.structure, str):
        raise InputError(f"engine.settings.structure is {found.structure!r}, and must be a path in the output.")
    if not outputs_of(found):
        raise InputError("engine.settings.outputs is empty; name at least one property with its path in the output.")
    if found.dos is not None:
        _check_dos(found.dos)
    return found


def outputs_of(settings: FlowSettings) -> dict[str, Output]:
    """Property to where it lies.

    Raises
    ------
    InputError
        If a property is not declared, its unit is another, or its path is none.
    """
    return {name: _output(name, given) for name, given in _mapping(settings.outputs, "outputs").items()}


def _output(name: str, given: Any) -> Output:
    where = f"engine.settings.outputs.{name}"
    declared = declared_property(name)
    known = {"path": given} if isinstance(given, str) else _mapping(given, f"outputs.{name}")
    refuse = next((key for key in known if key not in OF_OUTPUT), None)
    if refuse is not None:
        raise InputError(f"{where} has the key {refuse!r}; known are {', '.join(OF_OUTPUT)}.")
    path, unit, factor = known.get("path"), known.get("unit", declared.unit), known.get("factor", 1.0)
    if not isinstance(path, str) or not path:
        raise InputError(f"{where} names no path in the output; write one such as output.energy_per_atom.")
    if unit != declared.unit:
        raise InputError(f"{where} is in {unit}, and {name} is kept in {declared.unit}; give the factor to it.")
    if isinstance(factor, bool) or not isinstance(factor, int | float) or not np.isfinite(factor):
        raise InputError(f"{where}.factor is {factor!r}, and must be a number.")
    return Output(path, float(factor))


def _check_dos(dos: Any) -> None:
    known = _mapping(dos, "dos")
    strange = next((key for key in known if key not in OF_DOS), None)
    if strange is not None:
        raise InputError(f"engine.settings.dos has the key {strange!r}; known are {', '.join(OF_DOS)}.")
    for key in ("energies", "densities"):
        if not isinstance(known.get(key), str) or not known[key]:
            raise InputError(f"engine.settings.dos.{key} is no path in the output; give both energies and densities.")
    if not isinstance(known.get("fermi_level", ""), str):
        raise InputError("engine.settings.dos.fermi_level must be a path in the output.")
    broadening = known.get("broadening", 0.0)
    if isinstance(broadening, bool) or not isinstance(broadening, int | float) or not 0 <= broadening <= 5:
        raise InputError(f"engine.settings.dos.broadening is {broadening!r}, and must be a number from 0 to 5 eV.")


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InputError(f"engine.settings.{where} is {value!r}, and must be a mapping.")
    return value


def _dunder(value: Any) -> Iterator[str]:
    """Keys by which jobflow would make objects of any class, when it reads a job."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if str(key).startswith("@"):
                yield str(key)
            yield from _dunder(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _dunder(inner)
