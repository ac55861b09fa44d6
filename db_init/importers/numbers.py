"""Numbers as other people's files write them: absent in many ways, and wrong in some."""

from __future__ import annotations

import math
from typing import Any, Final

from fermiloop.platform.errors import InputError
from fermiloop.platform.plugins.properties import PROPERTIES

ABSENT: Final = frozenset({"", "na", "n/a", "nan", "none", "null", "-", "--", "-nan", "#n/a", "<na>", "?"})
SENTINEL: Final = -99999.0  # what JARVIS writes for a number that was not computed


def number(value: Any, name: str) -> float | None:
    """A value as a number, None where the source says that it has none.

    Raises
    ------
    InputError
        If it is something else.
    """
    if value is None or (isinstance(value, str) and value.strip().lower() in ABSENT):
        return None
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"The value of {name} is {str(value)[:40]!r}, which is no number.") from None
    if isinstance(value, bool) or math.isinf(found):
        raise InputError(f"The value of {name} is {value}, which is no finite number.")
    return None if math.isnan(found) or found == SENTINEL else found


def value_of(kind: str, value: Any, name: str) -> float | None:
    """A value as that of a property, None where there is none.

    Raises
    ------
    InputError
        If it is no number, or one that no crystal has.
    """
    found = number(value, name)
    low, high = PROPERTIES[kind].low, PROPERTIES[kind].high
    if found is not None and not low <= found <= high:
        raise InputError(f"The value of {name} is {found:g}, which lies outside {low:g} to {high:g}.")
    return found
