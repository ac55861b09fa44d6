"""What the heading of a table says: the Fermi level, the units, the names of the columns."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.curve_files.levels import level_words, without_levels
from fermiloop.platform.representations.curve_files.units import units

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fermiloop.platform.representations.curve_files.levels import LevelWords

PROJECTED: Final = re.compile(r"projected dos|\bpdos\b|\bldos\b|partial (?:dos|density)|local dos", re.IGNORECASE)
TOTAL: Final = re.compile(r"\b(?:total|tot|tdos)\b", re.IGNORECASE)
NAME: Final = re.compile(r"[^\s,;|()\[\]]+(?:\s*[(\[][^)\]]*[)\]])?")
INTEGRAL: Final = re.compile(
    r"\b(?:int(?:eg(?:rated|ral)?)?\.?)[\s_-]*(?:of\s+)?(?=t?dos|states|density)", re.IGNORECASE
)
DECIMAL_COMMA: Final = re.compile(r"(?<=\d),(?=\d)")
WORDS: Final = re.compile(
    r"energ|\be\b|e-e|omega|dos|densit|states|total|\btot\b|up|down|dw|spin|\bev\b|1/ev|fermi|intens|value|angle|theta|"
    r"degree|\bha\b|hartree|\bry|vbm|\bdn\b|\bx\b|\by\b|integr",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Header:
    """What the heading lines say.

    Parameters
    ----------
    level
        What is said of the Fermi level.
    energy_unit, density_unit
        eV of the unit of energy, and of the energy in the unit of the density; None where they are not named.
    names
        What may name the columns: each line split by blanks, and by each separator that it has.
    """

    level: LevelWords
    energy_unit: float | None
    density_unit: float | None
    names: tuple[tuple[str, ...], ...]


def read_header(lines: Sequence[str]) -> Header:
    """What the heading lines of a table say.

    Parameters
    ----------
    lines
        Without the signs that mark them as comments.

    Raises
    ------
    InputError
        If it names two Fermi levels, a unit of density that is none, or one part of the states alone.
    """
    whole = DECIMAL_COMMA.sub(".", "\n".join(lines))
    _refuse(whole)
    energy, density = units("\n".join(map(without_levels, whole.split("\n"))))
    rows = [without_levels(line) for line in lines]
    return Header(level_words(whole, energy), energy, density, tuple(_names(rows)))


def is_heading(line: str) -> bool:
    """Whether a line that is marked as no comment can be the heading of a table."""
    return bool(WORDS.search(line))


def _refuse(whole: str) -> None:
    if "%" in whole or "percent" in whole.lower():
        raise InputError(f"The heading {_shown(whole)} speaks of percent, which is no unit of a density of states.")
    if PROJECTED.search(whole) and not TOTAL.search(whole):
        raise InputError("The heading says that this is a projected density of states; give the total one.")


def _names(lines: Sequence[str]) -> list[tuple[str, ...]]:
    found = []
    for line in lines:
        row = INTEGRAL.sub("integrated_", line)
        found += [
            tuple(part.strip().lower() for part in row.split(mark) if part.strip())
            for mark in ("\t", ",", ";", "|")
            if mark in row
        ]
        found.append(tuple(name.lower() for name in NAME.findall(row)))
    return found


def _shown(text: str) -> str:
    line = " ".join(text.split())
    return repr(line if len(line) <= 60 else f"{line[:59]}…")
