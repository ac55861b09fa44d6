"""From the output of a flow to results: paths, units and the curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Structure

from fermiloop.flows.engines.curve import DosGrid, on_grid
from fermiloop.flows.engines.flow.settings import FlowSettings, outputs_of
from fermiloop.flows.engines.steps.geometry import plain
from fermiloop.platform.errors import EngineError

OWN: Final = {"band_gap": "gap", "magnetic_moment": "magnetic_moment", "fermi_level": "fermi_level"}
"""Properties that all engines tell by a name of their own."""
SHOWN: Final = 8  # names that a reason lists
EVEN: Final = 1e-3  # of a step, by which the points of a curve may lie off an even grid


def output_of(found: Any, given: Structure, settings: FlowSettings) -> dict[str, Any]:
    """What is recorded of a flow's output, JSON-ready, as `protocol.results_of` reads it.

    Raises
    ------
    EngineError
        If something is not where it should be, or is no number.
    """
    structure = _structure(found, given, settings.structure)
    values = {name: one.factor * _number(found, one.path) for name, one in outputs_of(settings).items()}
    energy = values.pop("energy_per_atom", None)
    told: dict[str, Any] = {"structure": plain(structure)}
    if energy is not None:
        told["energy"] = energy * len(structure)
    told |= {own: values.pop(name) for name, own in OWN.items() if name in values}
    if settings.dos is not None:
        told |= _curve(found, settings.dos)
    return {**told, "properties": values}


def at(found: Any, path: str) -> Any:
    """What lies at a path such as ``results.0.energy``: attributes, keys and places of lists.

    Raises
    ------
    EngineError
        If nothing does, with what is there in its place.
    """
    here, gone = found, "the output"
    for part in path.split("."):
        inner = _part(here, part)
        if inner is None:
            raise EngineError(f"the flow gives nothing at {path}: {gone} {_holds(here, part)}")
        here, gone = inner, part
    return here


def _part(here: Any, part: str) -> Any:
    if isinstance(here, Mapping):
        return next((value for key, value in here.items() if _key(key) == part), None)
    if part.isdecimal():
        return here[int(part)] if _is_list(here) and int(part) < len(here) else None
    return None if part.startswith("_") else getattr(here, part, None)


def _is_list(here: Any) -> bool:
    return isinstance(here, Sequence | np.ndarray) and not isinstance(here, str)


def _key(key: Any) -> str:
    return str(key.value if isinstance(key, Enum) else key)


def _holds(here: Any, part: str) -> str:
    if isinstance(here, Mapping):
        names = [_key(key) for key in here]
    elif _is_list(here):
        return f"is a list of {len(here)} and has no {part}"
    else:
        fields = getattr(type(here), "model_fields", None) or getattr(here, "__dict__", {})
        names = list(map(str, fields))
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    told = f", but {', '.join(names[:SHOWN])}{more}" if names else ""
    return f"has no {part}{told}" if names else f"is {type(here).__name__} and has no {part}"


def _number(found: Any, path: str) -> float:
    value = at(found, path)
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not np.isfinite(value):
        said = repr(value)
        raise EngineError(f"the flow gives {said[:60]} at {path}, which is no finite number")
    return float(value)


def _structure(found: Any, given: Structure, path: str) -> Structure:
    if not path:
        return given
    value = at(found, path)
    try:
        return value if isinstance(value, Structure) else Structure.from_dict(value)
    except Exception as error:
        raise EngineError(f"the flow gives {type(value).__name__} at {path}, which is no crystal") from error


def _curve(found: Any, dos: Mapping[str, Any]) -> dict[str, Any]:
    energies = _array(found, str(dos["energies"]))
    given = at(found, str(dos["densities"]))
    spins = list(given.values()) if isinstance(given, Mapping) else [given]
    density = np.sum([_as_array(one, str(dos["densities"])) for one in spins], axis=0)
    zero = _number(found, str(dos["fermi_level"])) if dos.get("fermi_level") else 0.0
    if energies.shape != density.shape:
        raise EngineError(f"the flow gives {len(energies)} energies and {len(density)} densities of states")
    if broadening := float(dos.get("broadening", 0.0)):
        grid = DosGrid(dos_broadening=broadening)
        energies, density = grid.energies, on_grid(energies, density, zero, grid)
    else:
        energies = energies - zero
        steps = np.diff(energies)
        if not len(steps) or steps.min() <= 0 or np.ptp(steps) > EVEN * steps.mean():
            raise EngineError("the energies of the density of states do not rise evenly; give dos.broadening as well")
    return {"energies": energies.tolist(), "density": [round(float(y), 5) for y in density]}


def _array(found: Any, path: str) -> NDArray[np.float64]:
    return _as_array(at(found, path), path)


def _as_array(value: Any, path: str) -> NDArray[np.float64]:
    try:
        array = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        raise EngineError(f"the flow gives {type(value).__name__} at {path}, which is no list of numbers") from None
    if array.ndim != 1 or not len(array) or not np.isfinite(array).all():
        raise EngineError(f"the flow gives no list of finite numbers at {path}")
    return array
