"""Code of an engine by its name: looked up in the catalogue, and imported when it is first asked for."""

from __future__ import annotations

from fermiloop.flows.engines.corrections import with_corrections
from fermiloop.flows.engines.protocol import EngineEntry
from fermiloop.platform.errors import PluginError, UserError
from fermiloop.platform.plugins.declaration import load
from fermiloop.platform.plugins.engines import ENGINES, chosen_engines, engine


def code_of(name: str) -> EngineEntry:
    """What an engine is asked to do.

    Raises
    ------
    UserError
        If it is not installed here, cannot be imported, or computes nothing.
    """
    declared = engine(name)
    if not declared.chosen:
        raise UserError(f"The engine {name} computes nothing here; choose one of {', '.join(chosen_engines())}.")
    try:
        found = load(declared.code)
    except PluginError as error:
        raise UserError(f"The engine {name}{_origin(name)} cannot be used: {str(error).rstrip('.')}.") from error
    if not isinstance(found, EngineEntry):
        raise UserError(
            f"The engine {name}{_origin(name)} cannot be used: {declared.code} is {type(found).__name__} and no "
            "EngineEntry."
        )
    return with_corrections(found)


def _origin(name: str) -> str:
    source = ENGINES.source(name)
    return f" of the package {source.distribution}" if source else ""
