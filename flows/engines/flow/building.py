"""From the name of a Maker to its flow for one crystal, and to what tells one version of it from another."""

from __future__ import annotations

import hashlib
import importlib.metadata
import inspect
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jobflow import Flow, Job, Maker
from pymatgen.core import Structure

from fermiloop.flows.engines.flow.settings import FlowSettings
from fermiloop.platform.errors import EngineError, InputError, PluginError
from fermiloop.platform.plugins.declaration import load

Make = Callable[[Structure], Any]


def maker_of(settings: FlowSettings) -> Make:
    """What makes the flow of a crystal, its arguments filled in.

    Raises
    ------
    InputError
        If it cannot be imported, is neither Maker nor callable, or does not take the arguments.
    """
    place, arguments = settings.maker, dict(settings.arguments)
    try:
        found = load(place)
    except PluginError as error:
        raise InputError(f"The maker {place} cannot be used: {str(error).rstrip('.')}.") from error
    if isinstance(found, type):
        return _of_class(place, found, arguments)
    if isinstance(found, Maker):
        if arguments:
            raise InputError(f"The maker {place} is made already; name its class to give it arguments.")
        return _method(found)
    if not callable(found):
        raise InputError(f"The maker {place} is {type(found).__name__}, neither a jobflow Maker nor a callable.")
    _bind(place, found, (None,), arguments)
    return lambda structure: found(structure, **arguments)


def flow_of(settings: FlowSettings, structure: Structure) -> Flow | Job:
    """The flow for a crystal.

    Raises
    ------
    EngineError
        If the Maker gives something else.
    """
    made = maker_of(settings)(structure)
    if not isinstance(made, Flow | Job):
        raise EngineError(f"{settings.maker} gives {type(made).__name__} for a crystal, neither a Flow nor a Job")
    if made.output is None:
        raise EngineError(f"{settings.maker} gives a flow without an output; say which with Flow(jobs, output=...)")
    return made


def origin_of(place: str) -> dict[str, str]:
    """What tells one version of a Maker from another: its package's version, or the hash of its file."""
    module = place.partition(":")[0]
    packages = importlib.metadata.packages_distributions().get(module.partition(".")[0], [])
    if packages:
        return {name: importlib.metadata.version(name) for name in sorted(set(packages))}
    source = getattr(sys.modules.get(module), "__file__", None)
    if source is None or not Path(source).is_file():
        return {module: "unknown"}
    return {module: f"sha256:{hashlib.sha256(Path(source).read_bytes()).hexdigest()[:16]}"}


def _of_class(place: str, found: type, arguments: Mapping[str, Any]) -> Make:
    if not callable(getattr(found, "make", None)):
        raise InputError(f"The maker {place} has no method make; name a jobflow Maker.")
    _bind(place, found, (), arguments)
    try:
        return _method(found(**arguments))
    except Exception as error:  # of somebody else's package: anything may come
        raise InputError(f"The maker {place} refuses its arguments: {type(error).__name__}: {error}.") from error


def _method(maker: Any) -> Make:
    made: Make = maker.make
    return made


def _bind(place: str, found: Callable[..., Any], given: tuple[Any, ...], arguments: Mapping[str, Any]) -> None:
    try:
        signature = inspect.signature(found)
    except (TypeError, ValueError):
        return
    try:
        signature.bind(*given, **arguments)
    except TypeError as error:
        known = ", ".join(list(signature.parameters)[len(given) :]) or "none"
        raise InputError(f"The maker {place} does not take these arguments ({error}); known are {known}.") from None
