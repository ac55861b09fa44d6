"""What installed packages add, and what of it cannot be used, for the administrator of an installation."""

from __future__ import annotations

import pkgutil
from dataclasses import dataclass, fields
from importlib import import_module
from typing import Any

from fermiloop.platform import plugins
from fermiloop.platform.errors import PluginError
from fermiloop.platform.plugins.catalogue import Broken, Catalogue
from fermiloop.platform.plugins.declaration import PLACE, Declaration, load


@dataclass(frozen=True)
class Found:
    """An entry of an installed package.

    Parameters
    ----------
    kind
        Such as ``"generators"``.
    fault
        Why it cannot be used, empty where it can.
    """

    kind: str
    name: str
    package: str
    version: str
    title: str
    fault: str = ""


def catalogues() -> dict[str, Catalogue[Any]]:
    """All catalogues by their kind: those that the modules of this package hold."""
    modules = [import_module(f"{plugins.__name__}.{one.name}") for one in pkgutil.iter_modules(plugins.__path__)]
    found = [one for module in modules for one in vars(module).values() if isinstance(one, Catalogue)]
    return {one.group.partition(".")[2]: one for one in sorted(found, key=lambda one: one.group)}


def examine() -> list[Found]:
    """Every entry of installed packages, by kind and name; the code of each is imported once to see that it can be."""
    rows = []
    for kind, catalogue in catalogues().items():
        for name, declared in catalogue.items():
            source = catalogue.source(name)
            if source is not None:
                rows.append(
                    Found(kind, name, source.distribution, source.version, declared.title, code_fault(declared))
                )
        rows += [_broken(kind, one) for one in catalogue.broken]
    return rows


def code_fault(declared: Declaration) -> str:
    """Why what a declaration names cannot be imported, empty where it can."""
    for field in fields(declared):
        place = getattr(declared, field.name)
        if "words" not in field.metadata and isinstance(place, str) and PLACE.fullmatch(place):
            try:
                load(place)
            except PluginError as error:
                return str(error)
    return ""


def _broken(kind: str, one: Broken) -> Found:
    return Found(kind, one.name, one.distribution, one.version, "", one.reason)
