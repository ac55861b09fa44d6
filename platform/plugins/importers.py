"""Importers by name: what a source of each looks like, what it may be told, and where its code lies."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from fermiloop.platform.errors import PluginError
from fermiloop.platform.plugins.catalogue import Catalogue
from fermiloop.platform.plugins.declaration import WORDS, CodeDeclaration, check_place
from fermiloop.platform.plugins.declaration import load as code_at


@dataclass(frozen=True)
class ImporterDeclaration(CodeDeclaration):
    """What an importer takes, without its code.

    Parameters
    ----------
    load
        Place of ``load(what, progress, options) -> LoadReport``; `what` is the group of the pattern, `options` a
        `LoadOptions`.
    pattern
        Regular expression of the whole source, with one group, such as ``"oqmd:(.*)"``.
    written
        How a person writes a source of it, such as ``"oqmd:FILE"``; empty where no list shows it.
    takes
        Fields of `LoadOptions` that it takes.
    is_file
        Whether it is known by the name or the content of a file, rather than by a word of its own: then those of
        installed packages are asked before ours.
    holds
        Place of ``holds(what) -> bool``, which looks into what the pattern matches where a name says too little;
        empty where the pattern is enough.
    """

    pattern: str
    written: str = field(default="", metadata=WORDS)
    takes: frozenset[str] = frozenset()
    is_file: bool = False
    holds: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.holds:
            check_place(self.holds)
        try:
            groups = re.compile(self.pattern).groups
        except re.error as error:
            raise PluginError(f"The pattern of {self.name} is no regular expression: {error}.") from None
        if groups != 1:
            raise PluginError(f"The pattern of {self.name} has {groups} groups; give it one, for what is loaded.")

    def what(self, source: str) -> str | None:
        """What of a source is loaded, None where it is none of this importer."""
        found = re.fullmatch(self.pattern, source, re.DOTALL)
        if not found:
            return None
        what = str(found[1])
        return what if not self.holds or code_at(self.holds)(what) else None


IMPORTERS: Final = Catalogue(
    "importers",
    ImporterDeclaration,
    ("fermiloop.db_init.importers.declarations",),
)


def in_order() -> list[ImporterDeclaration]:
    """All of them, in the order in which a source is shown to them: those known by a word first, ours of files last."""
    rank = {True: {True: 3, False: 2}, False: {True: 0, False: 1}}  # by is_file, by whether it is ours
    return sorted(IMPORTERS.values(), key=lambda one: rank[one.is_file][IMPORTERS.source(one.name) is None])
