"""Options of the generator `command`: which programs, and how much they may take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from fermiloop.platform.errors import InputError

MOST_WORDS: Final = 100
MOST_SECONDS: Final = 604_800.0
MOST_BYTES: Final = 1_000_000_000


@dataclass(frozen=True)
class CommandOptions:
    """Programs, as lists of words; no shell reads them.

    Parameters
    ----------
    sample
        Program that proposes crystals, with its arguments; the folder comes after them.
    fit
        Program that learns from the training set; empty where there is nothing to learn.
    version
        Program that prints its version, called without a folder; its first line is kept with every crystal.
    time_limit
        Seconds of wall time that one run of `sample` or `fit` may take.
    most_bytes
        Bytes that one run may leave in its folder.
    """

    sample: tuple[str, ...] = ()
    fit: tuple[str, ...] = ()
    version: tuple[str, ...] = ()
    time_limit: float = 600.0
    most_bytes: int = 100_000_000

    def __post_init__(self) -> None:
        for name in ("sample", "fit", "version"):
            object.__setattr__(self, name, _words(name, getattr(self, name)))
        if not self.sample:
            raise InputError("The generator command needs its option sample, such as [python, propose.py].")
        if not _is_number(self.time_limit) or not 0 < self.time_limit <= MOST_SECONDS:
            raise InputError(f"The option time_limit of command is {self.time_limit!r}; give seconds, up to a week.")
        if not _is_number(self.most_bytes) or not 0 < self.most_bytes <= MOST_BYTES:
            raise InputError(f"The option most_bytes of command is {self.most_bytes!r}; give at most {MOST_BYTES}.")


def _words(name: str, given: Any) -> tuple[str, ...]:
    """The words of a program, checked."""
    fine = isinstance(given, list | tuple) and len(given) <= MOST_WORDS
    if not fine or not all(isinstance(word, str) and "\0" not in word for word in given):
        raise InputError(
            f"The option {name} of command must be a list of words, such as [python, propose.py], not {given!r:.100}."
        )
    if given and not given[0].strip():
        raise InputError(f"The option {name} of command begins with an empty word; name a program.")
    return tuple(given)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
