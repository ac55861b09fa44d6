"""A declaration: the name of something that can be plugged in, what it is, and where its code lies.

A declaration is light: plain data, and the place of the code as text, ``"package.module:attribute"``. What is
heavy (torch, ASE, atomate2) is imported when the code is first asked for, so that a campaign file, ``--help`` or a
page costs no engine.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

from fermiloop.platform.errors import PluginError

NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,39}")
WORDS: Final = {"words": True}
"""Metadata of a field that looks like a place of code and is none."""
PLACE: Final = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


@dataclass(frozen=True)
class Declaration:
    """What all kinds of declarations have in common.

    Parameters
    ----------
    name
        As campaign files, commands and pages write it: lower case letters, digits, underscores and hyphens.
    title
        What it is, in one line.
    """

    name: str
    title: str

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise PluginError(
                f"{self.name!r} is no name: take lower case letters, digits, underscores and hyphens, at most 40."
            )
        if not self.title.strip():
            raise PluginError(f"The declaration of {self.name} says nothing: give it a title of one line.")


@dataclass(frozen=True)
class CodeDeclaration(Declaration):
    """A declaration of one piece of code.

    Parameters
    ----------
    load
        Place of it.
    """

    load: str

    def __post_init__(self) -> None:
        super().__post_init__()
        check_place(self.load)

    def code(self) -> Any:
        """What lies there.

        Raises
        ------
        PluginError
            If it cannot be imported.
        """
        return load(self.load)


def check_place(place: str) -> None:
    """Refuse a text that is no place of code; nothing is imported.

    Raises
    ------
    PluginError
        If it is not written as ``"package.module:attribute"``.
    """
    if not PLACE.fullmatch(place):
        raise PluginError(f"{place!r} is no place of code: write package.module:attribute.")


def load(place: str) -> Any:
    """What lies at ``"package.module:attribute"``.

    Raises
    ------
    PluginError
        If the text is no place, the module cannot be imported, or it has no such attribute.
    """
    check_place(place)
    module, _, attribute = place.partition(":")
    try:
        found: Any = import_module(module)
    except (Exception, SystemExit) as error:  # of somebody else's package: anything may come
        raise PluginError(f"{module} cannot be imported ({type(error).__name__}: {error}).") from error
    for part in attribute.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            raise PluginError(f"{module} has no {attribute}.") from None
        except (Exception, SystemExit) as error:  # of a module that imports what it offers when it is asked for
            raise PluginError(f"{module} does not give {attribute} ({type(error).__name__}: {error}).") from error
    return found
