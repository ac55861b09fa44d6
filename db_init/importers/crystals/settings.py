"""Space groups by their names, a Hermann-Mauguin symbol in any spelling, a Hall symbol or a number, and their settings.

The 530 settings are spglib's; other cells of a group (``F 4/m m m``) come from the table of the Crystallography Open
Database that pymatgen carries.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import pymatgen.symmetry
import spglib

from fermiloop.db_init.importers.crystals.operations import Operations, parse

N_SETTINGS: Final = 530
STANDARD: Final = frozenset({"", "b", "b1", "1", "2", "H", "R"})
SUFFIX: Final = re.compile(
    r"^(.*?)\s*(?:[:(]\s*(?:origin\s*(?:choice)?\s*)?([12HRShrs][^)]*?)\s*\)?|\s([SZHR]|[hH]R))$"
)
CODES: Final = {"S": "1", "Z": "2", "HR": "H"}  # of the ICSD: origin at the site of high symmetry, at the centre
# letters before glide planes in two directions had a symbol of their own, by numbers of spglib's settings
OLD_NAMES: Final[dict[int, str]] = {
    191: "Abm2", 192: "Bma2", 193: "B2cm", 194: "C2mb", 195: "Cm2a", 196: "Ac2m",
    203: "Aba2", 204: "Bba2", 205: "B2cb", 206: "C2cb", 207: "Cc2a", 208: "Ac2a",
    304: "Cmca", 305: "Ccmb", 306: "Abma", 307: "Acam", 308: "Bbcm", 309: "Bmab",
    316: "Cmma", 317: "Cmmb", 318: "Abmm", 319: "Acmm", 320: "Bmcm", 321: "Bmam",
    322: "Ccca", 323: "Ccca", 324: "Cccb", 325: "Cccb", 326: "Abaa", 327: "Abaa",
    328: "Acaa", 329: "Acaa", 330: "Bbcb", 331: "Bbcb", 332: "Bbab", 333: "Bbab",
}  # fmt: skip


@dataclass(frozen=True)
class Setting:
    """One way of writing a space group.

    Parameters
    ----------
    number
        Of the International Tables.
    name
        Hermann-Mauguin symbol.
    choice
        Origin 1 or 2, H or R for hexagonal or rhombohedral axes, the unique axis and cell; empty where there is none.
    hall
        Number among spglib's settings, None for one of the Crystallography Open Database.
    texts
        Operations as texts, for one of the Crystallography Open Database.
    """

    number: int
    name: str
    choice: str
    hall: int | None
    texts: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Name with the choice behind a colon."""
        return f"{self.name} :{self.choice}" if self.choice in {"1", "2", "H", "R"} else self.name


@lru_cache(maxsize=64)
def operations_of(setting: Setting) -> Operations:
    """Every operation of a setting."""
    if setting.hall is None:
        return parse(list(setting.texts))
    found = spglib.get_symmetry_from_database(setting.hall)
    assert found is not None
    rotations = np.array(found["rotations"], dtype=np.float64)
    return Operations(rotations, np.array(found["translations"], dtype=np.float64), np.ones(len(rotations)))


def by_name(name: str) -> list[Setting]:
    """Settings that a Hermann-Mauguin symbol may mean; one with ``:2``, ``:H``, ``(origin choice 1)`` names its own."""
    base, choice = split_choice(name)
    found = _names()[_squeezed(base)] or _squeezed_others(base)
    return [one for one in found if not choice or one.choice.lower() == choice.lower() or _starts(one, choice)]


def split_choice(name: str) -> tuple[str, str]:
    """Hermann-Mauguin symbol, and what stands behind it."""
    match = SUFFIX.match(name.strip())
    if match is None:
        return name, ""
    choice = (match[2] or match[3]).strip().upper() if match[2] or match[3] else ""
    return match[1], CODES.get(choice, choice)


def by_hall(name: str) -> list[Setting]:
    """The setting of a Hall symbol, none where it is unknown."""
    return [one for one in _settings() if one.hall and _halls()[one.hall] == " ".join(name.lower().split())]


def by_number(number: int) -> list[Setting]:
    """Standard settings of a number of the International Tables; two where the origin or the axes are open."""
    return [one for one in _settings() if one.number == number and one.choice in STANDARD]


def _starts(setting: Setting, choice: str) -> bool:
    return choice in {"1", "2"} and setting.choice.startswith(choice)


def _squeezed(name: str) -> str:
    return re.sub(r"[\s_'\"]", "", name).lower()


@lru_cache(maxsize=1)
def _settings() -> tuple[Setting, ...]:
    found = []
    for hall in range(1, N_SETTINGS + 1):
        kind = spglib.get_spacegroup_type(hall)
        assert kind is not None
        name = kind.international.rpartition("=")[2].strip().replace("_", "")
        name = kind.international_full.replace("_", "") if 3 <= kind.number <= 15 else name
        found.append(Setting(kind.number, name, kind.choice, hall))
    return tuple(found)


@lru_cache(maxsize=1)
def _halls() -> dict[int, str]:
    kinds = ((hall, spglib.get_spacegroup_type(hall)) for hall in range(1, N_SETTINGS + 1))
    return {hall: " ".join(kind.hall_symbol.lower().split()) for hall, kind in kinds if kind is not None}


@lru_cache(maxsize=1)
def _names() -> defaultdict[str, list[Setting]]:
    """Settings by every spelling of their names."""
    found: defaultdict[str, list[Setting]] = defaultdict(list)
    for setting in _settings():
        for name in _spellings(setting):
            found[name].append(setting)
    return found


def _spellings(setting: Setting) -> set[str]:
    assert setting.hall is not None
    kind = spglib.get_spacegroup_type(setting.hall)
    assert kind is not None
    names = {kind.international_full, setting.name, OLD_NAMES.get(setting.hall, setting.name)}
    if 3 <= setting.number <= 15:  # the short name leaves the axes out along which there is no symmetry
        names.add(" ".join(part for part in kind.international_full.split() if part != "1"))
    if setting.number >= 195:  # before 1995 the bar of -3 was left out
        names |= {name.replace("-3", "3") for name in (kind.international_full, setting.name)}
    return {_squeezed(name) for name in names}


def _squeezed_others(name: str) -> list[Setting]:
    return _others()[_squeezed(name)]


@lru_cache(maxsize=1)
def _others() -> defaultdict[str, list[Setting]]:
    """Settings of the Crystallography Open Database's table, by name."""
    path = Path(pymatgen.symmetry.__file__).parent / "symm_ops.json"
    rows: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    found: defaultdict[str, list[Setting]] = defaultdict(list)
    for row in rows:
        base, choice = split_choice(row["universal_h_m"]) if ":" in row["universal_h_m"] else (row["universal_h_m"], "")
        setting = Setting(int(row["number"]), base, choice, None, tuple(row["symops"]))
        for spelling in {_squeezed(base), _squeezed(row["hermann_mauguin"])}:
            if "(" not in base:
                found[spelling].append(setting)
    return found
