"""Options of a plug-in, as a person wrote them, in the dataclass that its declaration names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from fermiloop.platform.errors import InputError
from fermiloop.platform.plugins.declaration import load


def chosen_options(
    place: str, what: str, given: Mapping[str, Any] | None, usual: Mapping[str, Any] | None = None
) -> Any:
    """The dataclass at a place with the options given, the others as usual; None where there is no dataclass.

    Parameters
    ----------
    place
        ``"package.module:Options"``; empty where the plug-in takes none.
    what
        The plug-in for people, such as ``"stage price"``.

    Raises
    ------
    InputError
        If an option is unknown or its value is not one that it takes.
    PluginError
        If the dataclass cannot be imported.
    """
    chosen = dict(given or {})
    kind = load(place) if place else None
    known = [one.name for one in fields(kind)] if kind else []
    unknown = next((name for name in chosen if name not in known), None)
    if unknown is not None:
        told = f"known are {', '.join(known)}" if known else "it takes none"
        raise InputError(f"The {what} has no option {unknown!r}; {told}.")
    try:
        return kind(**{**(usual or {}), **chosen}) if kind else None
    except (TypeError, ValueError) as error:
        raise InputError(f"The options {chosen} of the {what} cannot be used: {error}.") from None
