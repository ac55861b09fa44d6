"""Options that take several words: ``--elements Pd Ni`` is read as ``--elements Pd --elements Ni``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

SYMBOL: Final = r"[A-Z][a-z]?"
# option to the words that belong to it: what looks otherwise is an argument of the command
LISTS: Final = {
    "--elements": re.compile(rf",?{SYMBOL}(,{SYMBOL})*,?|,"),
    "--settings": re.compile(r"[A-Za-z_]\w*=.*"),
    "--columns": re.compile(r",?[a-z][a-z_]*(,[a-z][a-z_]*)*,?|,"),
}


def spread(arguments: Sequence[str]) -> list[str]:
    """Arguments with the option repeated before each further word of its list.

    Words are taken as far as they look like those of the list, so that in ``export --elements Pd Ni pd.json``
    the file stays an argument.
    """
    found: list[str] = []
    words: re.Pattern[str] | None = None
    option, place = "", 0
    for argument in arguments:
        if argument in LISTS:
            option, words, place = argument, LISTS[argument], 0
        elif words is not None:
            place += 1
            if place > 1 and words.fullmatch(argument):
                found.append(option)
            elif place > 1 or not words.fullmatch(argument):
                words = None
        found.append(argument)
    return found
