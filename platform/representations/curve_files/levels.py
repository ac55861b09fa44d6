"""What a heading says of the Fermi level: its value, or that energies are about it already."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.curve_files.text import NUMBER, number
from fermiloop.platform.representations.curve_files.units import EV_OF, UNIT

VALUE: Final = (
    rf"\s*(?:\((?P<before>{UNIT})\)|\[(?P<inside>{UNIT})\])?(?:\s*(?:\bis\b|\bat\b|=|:)+\s*|\s+)(?P<value>{NUMBER.pattern})"
    rf"(?![\w.])\s*[\[(]?(?P<after>(?:{UNIT})(?![\w/]))?"
)
FERMI: Final = r"(?<![A-Za-z])(?:e[_ ]?-?\(?f(?:ermi)?\)?|fermi(?:[ _-](?:level|energy|e))?|mu|chemical potential)"
LEVEL: Final = re.compile(FERMI + VALUE, re.IGNORECASE)
EDGE: Final = re.compile(r"(?<![A-Za-z])(?:e[_ ]?-?vbm|vbm|valence band maximum)" + VALUE, re.IGNORECASE)
AT_ZERO: Final = re.compile(
    r"(?:e[_ ]?f(?:ermi)?|fermi(?:[ _-](?:level|energy))?|vbm)\s+(?:is\s+|lies\s+)?(?:at|set to|shifted to|as)\s+"
    r"(?:0(?:\.0*)?(?![\d.])|zero\b)(?:\s*eV)?",
    re.IGNORECASE,
)
ABOUT: Final = re.compile(
    r"\be(?:nergy|nergies)?\s*[-−–]\s*(?:e[_ ]?\{?f|mu\b|fermi|e_?vbm|vbm)"
    r"|(?:relative to|with respect to|w\.?r\.?t\.?|about|above|minus|shifted (?:to|by)|referenced? to)\s+(?:the\s+)?"
    r"(?:e[_ ]?f\b|e_?fermi|fermi|vbm|valence|mid-?gap|average chemical potential)"
    r"|reference for this output is the average chemical potential",
    re.IGNORECASE,
)
ELSEWHERE: Final = re.compile(r"\b(?:vacuum|core level|absolute)\b", re.IGNORECASE)
UNCLEAR: Final = re.compile(r"fermi[^\n]*\d|\be_?f\b[^\n]*\d", re.IGNORECASE)


@dataclass(frozen=True)
class LevelWords:
    """What is said of the level.

    Parameters
    ----------
    value
        Fermi level, or else the valence edge, eV as the file counts; None where none is named.
    relative
        Whether energies are said to be about the Fermi level, or a band edge.
    elsewhere
        What else is said to lie at zero.
    rest
        The heading without the levels.
    """

    value: float | None
    relative: bool
    elsewhere: str | None
    rest: str


def level_words(heading: str, energy_unit: float | None) -> LevelWords:
    """What a heading says of the level.

    Parameters
    ----------
    heading
        All lines.
    energy_unit
        In eV; what a level without a unit is in.

    Raises
    ------
    InputError
        If it names two, or one in a way that is not understood.
    """
    said = AT_ZERO.sub(" ", heading)
    found = _values(LEVEL, said, energy_unit) or _values(EDGE, said, energy_unit)
    rest = EDGE.sub(" ", LEVEL.sub(" ", said))
    relative = said != heading or bool(ABOUT.search(rest))
    if len({round(value, 4) for value in found}) > 1:
        raise InputError(f"The heading names the Fermi levels {', '.join(f'{v:g}' for v in found)} eV; leave one.")
    if not found and not relative and UNCLEAR.search(rest):
        raise InputError("The heading speaks of a Fermi level, but not as EFermi = 5.8 eV; write it so, or give fermi.")
    elsewhere = ELSEWHERE.search(rest)
    return LevelWords(found[0] if found else None, relative, elsewhere.group(0) if elsewhere else None, rest)


def without_levels(line: str) -> str:
    """A line of a heading without the levels that it names."""
    return EDGE.sub(" ", LEVEL.sub(" ", AT_ZERO.sub(" ", line)))


def _values(pattern: re.Pattern[str], said: str, energy_unit: float | None) -> list[float]:
    found = []
    for match in pattern.finditer(said):
        unit = match["after"] or match["before"] or match["inside"]
        found.append(number(match["value"]) * (EV_OF[unit.lower()] if unit else energy_unit or 1.0))
    return found
