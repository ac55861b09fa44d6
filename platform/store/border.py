"""Checks of values that come in as JSON from outside: each gives the value as it is kept, or says what is wrong."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final

from fermiloop.platform.errors import InputError
from fermiloop.platform.plugins.declaration import NAME

Check = Callable[[Any], Any]

LARGEST_WHOLE: Final = 2**63 - 1  # of a stored integer
DEEPEST: Final = 20  # levels of a mapping or a list
MOST_PARTS: Final = 100_000  # values in a mapping or a list, at all levels
LONGEST: Final = 10_000  # characters


def text(longest: int = 500) -> Check:
    """A text of at most so many characters that a database takes."""

    def check(value: Any) -> str:
        if not isinstance(value, str):
            raise InputError(f"{_short(value)} is no text")
        if len(value) > longest:
            raise InputError(f"a text of {len(value)} characters, of at most {longest}")
        if "\0" in value or not _encodable(value):
            raise InputError(f"{_short(value)} has characters that cannot be stored")
        return value

    return check


def key(prefix: str) -> Check:
    """An id that was made from content: the prefix and 16 hexadecimal digits."""

    def check(value: Any) -> str:
        if not isinstance(value, str) or not re.fullmatch(rf"{prefix}-[0-9a-f]{{16}}", value):
            raise InputError(f"{_short(value)} is no id such as {prefix}-0123456789abcdef")
        return value

    return check


def number(value: Any) -> float:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"{_short(value)} is no number")
    try:
        found = float(value)
    except OverflowError:
        found = math.inf
    if not math.isfinite(found):
        raise InputError(f"{_short(value)} is not finite")
    return found


def whole(low: int = 0, high: int = LARGEST_WHOLE) -> Check:
    """An integer within bounds, both included."""

    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise InputError(f"{_short(value)} is no whole number")
        if not low <= value <= high:
            raise InputError(f"{_short(value)} is not from {low} to {high}")
        return value

    return check


def name(value: Any) -> str:
    """A name as declarations have it, whether or not what it names is installed here."""
    if not isinstance(value, str) or not NAME.fullmatch(value):
        raise InputError(f"{_short(value)} is no name of lower case letters, digits, underscores and hyphens")
    return value


def one_of(known: type[StrEnum]) -> Check:
    """One of the words of an enumeration."""

    def check(value: Any) -> StrEnum:
        try:
            return known(value)
        except ValueError:
            raise InputError(f"{_short(value)} is none of {', '.join(known)}") from None

    return check


def plain(value: Any) -> Any:
    """JSON of any shape that is neither too deep nor too large, and holds what a database takes."""
    left = [MOST_PARTS]
    return _plain(value, DEEPEST, left)


def mapping(value: Any) -> dict[str, Any]:
    """A mapping of plain JSON."""
    if not isinstance(value, Mapping):
        raise InputError(f"{_short(value)} is no mapping")
    return dict(plain(value))


def rows(most: int) -> Check:
    """A list of at most so many mappings."""

    def check(value: Any) -> list[Mapping[str, Any]]:
        if not isinstance(value, list) or not all(isinstance(row, Mapping) for row in value):
            raise InputError(f"{_short(value)} is no list of mappings")
        if len(value) > most:
            raise InputError(f"a list of {len(value)}, of at most {most}")
        return value

    return check


def triple(value: Any) -> list[float]:
    """Three finite numbers."""
    if not isinstance(value, list) or len(value) != 3:
        raise InputError(f"{_short(value)} is no list of three numbers")
    return [number(one) for one in value]


def _plain(value: Any, depth: int, left: list[int]) -> Any:
    left[0] -= 1
    if left[0] < 0 or depth < 0:
        raise InputError(f"it is deeper than {DEEPEST} levels or holds more than {MOST_PARTS} values")
    if isinstance(value, Mapping):
        return {_name(name): _plain(inner, depth - 1, left) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner, depth - 1, left) for inner in value]
    if isinstance(value, str):
        return text(LONGEST)(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return whole(-LARGEST_WHOLE - 1)(value)
    return number(value)


def _name(name: Any) -> str:
    """Name of a field, of which the database refuses some."""
    known: str = text(LONGEST)(name)
    if known.startswith("$"):
        raise InputError(f"{_short(name)} is no name of a field")
    return known


def _encodable(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:  # half a character
        return False
    return True


def _short(value: Any) -> str:
    try:
        shown = repr(value)
    except ValueError:  # an integer of more digits than Python prints
        shown = "a number of thousands of digits"
    return (shown if len(shown) <= 60 else f"{shown[:57]}...").encode("utf-8", "replace").decode()
