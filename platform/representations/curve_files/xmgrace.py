"""Projects of xmgrace: sets of two columns between lines that begin with ``@`` and ``&``."""

from __future__ import annotations

import re
from typing import Final

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.curve_files.columns import read_columns
from fermiloop.platform.representations.curve_files.reading import Reading, Wish
from fermiloop.platform.representations.curve_files.text import is_number, number

MARK: Final = re.compile(r"^\s*@", re.MULTILINE)
TITLE: Final = re.compile(r'@\s*(?:title|subtitle|[xy]axis\s+label|s\d+\s+legend)\s+"(?P<text>[^"]*)"')
SHOWN: Final = re.compile(r'@\s*xaxis\s+label\s+"(?P<text>[^"]*)"')
ESCAPES: Final = re.compile(r"\\(?:[a-zA-Z]|[NSB+\-0-9])")  # \sF\N: F as index


def is_xmgrace(text: str) -> bool:
    """Whether a text holds lines that speak to xmgrace."""
    return bool(MARK.search(text[:100_000]))


def read_xmgrace(text: str, name: str, wish: Wish) -> Reading:
    """Density of states of the one set of a project, or the sum of the two sets of two spins.

    Raises
    ------
    InputError
        If it has no set, or several that are not two spins of one axis.
    """
    said = [ESCAPES.sub("", match["text"]) for match in TITLE.finditer(text)]
    sets = _sets(text)
    if not sets:
        raise InputError("The xmgrace file holds no set of numbers.")
    heading = "".join(f"# {line}\n" for line in said if line.strip())
    if len(sets) == 1:
        return read_columns(heading + "\n".join(sets[0]), name, wish)
    first, second = ([line.split() for line in one] for one in sets[:2])
    if (
        len(sets) > 2
        or [row[0] for row in first] != [row[0] for row in second]
        or {len(r) for r in first + second} != {2}
    ):
        raise InputError(
            f"The xmgrace file holds {len(sets)} sets, which are not two spins of one axis; give the total."
        )
    if not _are_spins(said, second):
        raise InputError("The xmgrace file holds two sets that no legend calls spins; give the total alone.")
    rows = "\n".join(f"{x} {up} {down[1]}" for (x, up), down in zip(first, second, strict=True))
    return read_columns(f"{heading}# energy up down\n{rows}", name, wish)


def _sets(text: str) -> list[list[str]]:
    found: list[list[str]] = [[]]
    for line in text.splitlines():
        stripped = line.strip()
        if stripped.startswith("&"):
            found.append([])
        elif stripped and not stripped.startswith(("@", "#")):
            found[-1].append(stripped)
    return [one for one in found if one]


def _are_spins(said: list[str], second: list[list[str]]) -> bool:
    words = " ".join(said).lower()
    drawn_below = all(is_number(row[1]) and number(row[1]) <= 0 for row in second)
    return drawn_below or ("up" in words and ("down" in words or "dn" in words))
