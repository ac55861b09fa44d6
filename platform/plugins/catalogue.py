"""Catalogues: the declarations of one kind by name, ours first, then those of installed packages by entry points.

A package that is installed declares what it adds under the group ``fermiloop.<kind>`` of its entry points; nothing else
is needed. One that is broken is left out with its reason, and hurts nobody else: `Catalogue.broken` names it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pkgutil import iter_modules
from typing import Final, Generic, TypeVar

from fermiloop.platform.errors import PluginError
from fermiloop.platform.plugins.declaration import Declaration, load

D = TypeVar("D", bound=Declaration)
OURS: Final = "fermiloop"


@dataclass(frozen=True)
class Source:
    """The package that an entry comes from."""

    distribution: str
    version: str


@dataclass(frozen=True)
class Broken:
    """An entry that cannot be used, and why."""

    group: str
    name: str
    distribution: str
    reason: str
    version: str = ""


class Catalogue(Mapping[str, D], Generic[D]):
    """Declarations of one kind by name.

    Parameters
    ----------
    kind
        Last part of the group of entry points, such as ``"generators"``.
    declared
        The class that every declaration must be of.
    own
        Modules of our own declarations, in the order that lists show: all that a module defines are taken.
        ``package.*.module`` stands for that module of every sub-package, in the order of their names.
    """

    def __init__(self, kind: str, declared: type[D], own: Sequence[str]) -> None:
        self.group: Final = f"fermiloop.{kind}"
        self._declared = declared
        self._own = tuple(own)
        self._lock = threading.RLock()
        self._found: dict[str, D] | None = None
        self._reading: dict[str, D] | None = None
        self._sources: dict[str, Source] = {}
        self._broken: list[Broken] = []

    def __getitem__(self, name: str) -> D:
        return self._entries()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries())

    def __len__(self) -> int:
        return len(self._entries())

    @property
    def broken(self) -> tuple[Broken, ...]:
        """Entries of installed packages that cannot be used."""
        self._entries()
        return tuple(self._broken)

    def source(self, name: str) -> Source | None:
        """Package and version that an entry comes from; None for our own.

        Raises
        ------
        KeyError
            If there is no entry of that name.
        """
        self._entries()[name]
        return self._sources.get(name)

    def fault(self, name: str) -> str | None:
        """Why an entry of an installed package cannot be used, None where no such entry is broken."""
        found = next((one for one in self.broken if one.name == name), None)
        if found is None:
            return None
        return f"the package {found.distribution} adds it, but it cannot be used: {found.reason.rstrip('.')}"

    def missing(self, name: str, what: str) -> str:
        """A sentence on a name that is not here: what is wrong with its package, or what there is.

        Parameters
        ----------
        what
            Kind of name, such as ``"generator"``.
        """
        fault = self.fault(name)
        return f"{name} is no {what}; {fault or 'choose one of ' + ', '.join(self)}."

    def reload(self) -> None:
        """Look again for installed packages at the next use."""
        with self._lock:
            self._found = None

    def _entries(self) -> dict[str, D]:
        found = self._found
        if found is None:
            with self._lock:
                if self._reading is not None:  # a declaration that is being imported looks at the others
                    return self._reading
                found = self._read() if self._found is None else self._found
                self._found = found
        return found

    def _read(self) -> dict[str, D]:
        self._sources, self._broken, self._reading = {}, [], {}
        try:
            return self._filled(self._reading)
        finally:
            self._reading = None

    def _filled(self, found: dict[str, D]) -> dict[str, D]:
        for module in _modules(self._own):  # what is wrong in one is a fault of ours, and not passed over
            for declaration in vars(import_module(module)).values():
                if isinstance(declaration, self._declared):
                    found[declaration.name] = declaration
        for entry in sorted(entry_points(group=self.group), key=lambda one: (one.name, _distribution(one))):
            try:
                found[entry.name] = self._declaration(entry, found)
            except PluginError as error:
                self._broken.append(Broken(self.group, entry.name, _distribution(entry), str(error), _version(entry)))
            else:
                self._sources[entry.name] = Source(_distribution(entry), _version(entry))
        return found

    def _declaration(self, entry: EntryPoint, found: Mapping[str, D]) -> D:
        if entry.name in found:
            taken = self._sources.get(entry.name)
            raise PluginError(f"the name {entry.name} is taken by {taken.distribution if taken else OURS}")
        declaration = load(entry.value)
        if not isinstance(declaration, self._declared):
            raise PluginError(f"{entry.value} is {type(declaration).__name__} and no {self._declared.__name__}")
        if declaration.name != entry.name:
            raise PluginError(f"its entry point is named {entry.name}, its declaration {declaration.name}")
        return declaration


def _modules(places: Sequence[str]) -> Iterator[str]:
    """Modules that places name, none twice."""
    seen = set()
    for place in places:
        package, star, module = place.partition(".*.")
        inner = iter_modules(import_module(package).__path__) if star else ()
        names = sorted(f"{package}.{one.name}.{module}" for one in inner if one.ispkg) if star else [place]
        for name in names:
            if name not in seen and (not star or find_spec(name)):
                seen.add(name)
                yield name


def _distribution(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else "unknown package"


def _version(entry: EntryPoint) -> str:
    return entry.dist.version if entry.dist is not None else ""
