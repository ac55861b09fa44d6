"""What the heading of a table says: the Fermi level, the unit, what lies at zero, the names of the columns."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.curve_files.text import NUMBER, number

if TYPE_CHECKING:
    from collections.abc import Sequence

HARTREE: Final = 27.211386245988  # eV
EV_OF: Final = {"ev": 1.0, "mev": 1e-3, "ha": HARTREE, "hartree": HARTREE, "hartrees": HARTREE, "a.u.": HARTREE,
                "au": HARTREE, "eh": HARTREE, "ry": HARTREE / 2, "ryd": HARTREE / 2, "rydberg": HARTREE / 2,
                "rydbergs": HARTREE / 2}  # fmt: skip
UNIT: Final = r"meV|eV|Ha(?:rtrees?)?|Ry(?:d(?:bergs?)?)?|a\.u\.|au|Eh"
LEVEL: Final = re.compile(
    rf"(?:e[_ ]?-?\(?f(?:ermi)?\)?|fermi(?:[ _-](?:level|energy|e))?|mu|chemical potential)"
    rf"\s*(?:\((?P<before>{UNIT})\)|\[(?P<inside>{UNIT})\])?\s*(?:is|=|:)+\s*(?P<value>{NUMBER.pattern})"
    rf"\s*[\[(]?(?P<after>(?:{UNIT})(?![\w/]))?",
    re.IGNORECASE,
)
PER: Final = re.compile(rf"(?:/|per\s+)\s*({UNIT})(?!\w)|({UNIT})\s*(?:\^|\*\*)?\s*[({{]?-1", re.IGNORECASE)
PLAIN: Final = re.compile(rf"(?<![\w/])({UNIT})(?![\w^*])", re.IGNORECASE)
ABOUT: Final = re.compile(
    r"e(?:nergy|nergies)?\s*[-−–]\s*(?:e[_ ]?\{?f|mu|fermi|e_?vbm|vbm)"
    r"|(?:relative to|with respect to|w\.?r\.?t\.?|about|above|minus|shifted (?:to|by)|referenced? to)\s+(?:the\s+)?"
    r"(?:e[_ ]?f\b|e_?fermi|fermi|vbm|valence|mid-?gap|average chemical potential)"
    r"|(?:e[_ ]?f(?:ermi)?|fermi(?: level| energy)?)\s+(?:is\s+|lies\s+)?(?:at|set to|shifted to|as)\s+"
    r"(?:0(?:\.0*)?|zero)\b"
    r"|reference for this output is the average chemical potential",
    re.IGNORECASE,
)
ELSEWHERE: Final = re.compile(r"\b(?:vacuum|core level|absolute)\b", re.IGNORECASE)
PROJECTED: Final = re.compile(r"projected dos|\bpdos\b|\bldos\b|partial (?:dos|density)|local dos", re.IGNORECASE)
NAME: Final = re.compile(r"[^\s,;|()\[\]]+(?:\s*[(\[][^)\]]*[)\]])?")
INTEGRAL: Final = re.compile(
    r"\b(?:int(?:eg(?:rated|ral)?)?\.?)[\s_-]*(?:of\s+)?(?=t?dos|states|density)", re.IGNORECASE
)
WORDS: Final = re.compile(
    r"energ|\be\b|e-e|omega|dos|densit|states|total|\btot\b|up|down|dw|spin|\bev\b|1/ev|fermi|intens|value|angle|theta|"
    r"degree|\bha\b|hartree|\bry|vbm|\bdn\b|\bx\b|\by\b|int",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Header:
    """What the heading lines say.

    Parameters
    ----------
    level
        Fermi level, eV as the file counts; None where none is named.
    relative
        Whether energies are said to be about the Fermi level, or a band edge.
    elsewhere
        What lies at zero, where that is neither a program's own zero nor the Fermi level.
    energy_unit, density_unit
        eV of the unit of energy, and of the energy in the unit of the density; None where they are not named.
    names
        Columns of the last line that may name them, split by blanks, and by the separator.
    """

    level: float | None
    relative: bool
    elsewhere: str | None
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
    whole = "\n".join(lines)
    _refuse(whole)
    relative = bool(ABOUT.search(whole))
    elsewhere = ELSEWHERE.search(whole)
    energy, density = _units(whole)
    # a level that the words about zero name is what was subtracted already
    level = _level(whole, energy)
    rows = [LEVEL.sub(" ", line) for line in lines]
    return Header(level, relative, elsewhere.group(0) if elsewhere else None, energy, density, tuple(_names(rows)))


def _refuse(whole: str) -> None:
    if "%" in whole:
        raise InputError(f"The heading {_shown(whole)} has a percent sign, which is no unit of a density of states.")
    if PROJECTED.search(whole):
        raise InputError("The heading says that this is a projected density of states; give the total one.")


def _level(whole: str, energy: float | None) -> float | None:
    found = []
    for match in LEVEL.finditer(whole):
        unit = match["after"] or match["before"] or match["inside"]
        found.append(number(match["value"]) * (EV_OF[unit.lower()] if unit else energy or 1.0))
    if len({round(value, 4) for value in found}) > 1:
        raise InputError(f"The heading names the Fermi levels {', '.join(f'{v:g}' for v in found)} eV; leave one.")
    return found[0] if found else None


def _units(whole: str) -> tuple[float | None, float | None]:
    """Units of the energy and of the energy in the density's, in eV."""
    per = PER.search(whole)
    plain = PLAIN.search(LEVEL.sub(" ", PER.sub(" ", whole)))
    density = EV_OF[(per.group(1) or per.group(2)).lower()] if per else None
    return (EV_OF[plain.group(1).lower()] if plain else None), density


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


def is_heading(line: str) -> bool:
    """Whether a line that is marked as no comment can be the heading of a table."""
    return bool(WORDS.search(line))


def _shown(text: str) -> str:
    line = " ".join(text.split())
    return repr(line if len(line) <= 60 else f"{line[:59]}…")
