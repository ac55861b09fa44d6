"""Tables of text: Quantum ESPRESSO, FHI-aims, vaspkit, sumo, postw90, CSV and plain columns."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import numpy as np

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.curve_files.channels import energies_and_total
from fermiloop.platform.representations.curve_files.header import is_heading, read_header
from fermiloop.platform.representations.curve_files.reading import NOT_NAMED, Reading, Wish
from fermiloop.platform.representations.curve_files.text import is_number, number

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fermiloop.platform.representations.curve_files.header import Header

MOST_ROWS: Final = 200_000
MOST_HEADINGS: Final = 3  # lines that are marked as no comment
COMMENT: Final = re.compile(r"[#!]+")
COMMA: Final = re.compile(r"[-+]?\d+,\d+(?:[eEdD][-+]?\d+)?")
SEPARATORS: Final = re.compile(r"[\s,;|]+")
ABSOLUTE_NAMES: Final = re.compile(r"-dos\.dat$", re.IGNORECASE)  # postw90 counts energies as the program before it
SYMMETRIC: Final = 1.5  # steps


def read_columns(text: str, name: str, wish: Wish) -> Reading:
    """Density of states of a table.

    Raises
    ------
    InputError
        If it is none, its heading says nothing that is known, or which energy is the Fermi level is open.
    """
    headings, columns = table(text)
    header = read_header(headings)
    unit = header.energy_unit or 1.0
    energies, total, said = energies_and_total(columns, header, wish)
    remarks = list(said)
    if unit != 1.0 or header.density_unit not in (None, 1.0):
        remarks.append("Units of the heading were converted to eV and states/eV.")
    energies = energies * unit
    level, how = _level(energies, header, name, wish)
    return Reading.of(energies, total / (header.density_unit or unit), level, None, (*remarks, *how))


def table(text: str) -> tuple[list[str], NDArray[np.float64]]:
    """Heading lines and the (n, k) numbers of a table.

    Raises
    ------
    InputError
        If a line is neither, or lines have different numbers of columns.
    """
    headings: list[str] = []
    rows: list[tuple[int, list[str]]] = []
    lines = text.replace("\x1a", "").replace("−", "-").replace('"', "").splitlines()
    commas = _decimal_commas(lines)
    for place, line in enumerate(lines, start=1):
        content, *comment = COMMENT.split(line, maxsplit=1)
        if commas:
            content = re.sub(r"(?<=\d),(?=\d)", ".", content)
        words = [word for word in SEPARATORS.split(content) if word]
        if comment and comment[0].strip() and not words and not rows:
            headings.append(comment[0].strip())
        if not words:
            continue
        if not rows and not is_number(words[0]):
            headings.append(_heading(line, place, headings))
            continue
        rows.append((place, words))
        if len(rows) > MOST_ROWS:
            raise InputError(f"The table has more than {MOST_ROWS} lines; give fewer points.")
    if not rows:
        raise InputError("The file holds no numbers; it needs two columns, such as energy and density of states.")
    return headings, _numbers(rows)


def _decimal_commas(lines: list[str]) -> bool:
    """Whether numbers have commas for points: then something else separates them."""
    rows = [words for line in lines if (words := re.split(r"[\s;|]+", line.strip())) and words[0][:1] in "+-0123456789"]
    rows = [[word for word in row if word] for row in rows[:200]]
    rows = [row for row in rows if row]
    whole = [word for row in rows for word in row]
    return (
        bool(rows)
        and all(len(row) > 1 for row in rows)
        and any(map(COMMA.fullmatch, whole))
        and all(COMMA.fullmatch(word) or re.fullmatch(r"[-+]?\d+", word) for word in whole)
    )


def _heading(line: str, place: int, before: list[str]) -> str:
    if line.lstrip().startswith("%"):
        raise InputError(f"Line {place}, {line.strip()[:40]!r}, begins with a percent sign; mark comments by #.")
    if not is_heading(line) or (len(before) >= MOST_HEADINGS and not line.lstrip().startswith(("#", "!"))):
        raise InputError(f"Line {place}, {line.strip()[:40]!r}, is neither numbers nor a heading of a curve.")
    return line.strip()


def _numbers(rows: list[tuple[int, list[str]]]) -> NDArray[np.float64]:
    wide = len(rows[0][1])
    if wide < 2:
        raise InputError(f"Line {rows[0][0]} has {wide} columns; it needs 2 at least, such as energy and density.")
    out = np.empty((len(rows), wide))
    for i, (place, words) in enumerate(rows):
        wrong = next((word for word in words if not is_number(word) and set(word) != {"*"}), None)
        if wrong is not None:
            raise InputError(f"Line {place} has {wrong[:40]!r} where a number must be.")
        if len(words) != wide:
            raise InputError(f"Line {place} has {len(words)} columns, but the lines before have {wide}.")
        for j, word in enumerate(words):
            if set(word) == {"*"}:
                raise InputError(f"Line {place} has {word[:20]!r}: the program had no room for the number.")
            out[i, j] = number(word)
    return out


def _level(energies: NDArray[np.float64], header: Header, name: str, wish: Wish) -> tuple[float, tuple[str, ...]]:
    """Fermi level as the energies count, and what is to be said of it."""
    if wish.fermi is not None:
        return wish.fermi, (f"The Fermi level {wish.fermi:g} eV was taken as given.",)
    if header.level.relative:
        return 0.0, ("The heading says that energies are about the Fermi level.",)
    if header.level.elsewhere is not None:
        raise InputError(
            f"The heading says that energies are counted otherwise ({header.level.elsewhere.lower()}), and names no "
            "Fermi level; give it (fermi: -5.1, --fermi), or the file about the Fermi level."
        )
    if header.level.value is None:
        if ABSOLUTE_NAMES.search(name):
            raise InputError(
                f"{name} looks like a file of postw90, whose energies are not about the Fermi level and which names "
                "none; give it in eV (fermi: 7.3, --fermi 7.3; fermi: 0 if it was subtracted already)."
            )
        return 0.0, (NOT_NAMED,)
    _check_level(energies, header.level.value)
    return header.level.value, (f"The Fermi level {header.level.value:g} eV of the heading was taken.",)


def _check_level(energies: NDArray[np.float64], level: float) -> None:
    lo, hi = float(np.min(energies)), float(np.max(energies))
    if not lo < level < hi:
        raise InputError(
            f"The heading names the Fermi level {level:g} eV, but the energies go from {lo:g} to {hi:g} eV; if it was "
            "subtracted already, say so (fermi: 0)."
        )
    step = (hi - lo) / max(len(energies) - 1, 1)
    if abs(lo + hi) < SYMMETRIC * step and abs(level) > 2 * step:
        raise InputError(
            f"The heading names the Fermi level {level:g} eV, but the energies lie evenly about 0, as where it was "
            f"subtracted already; say which holds (fermi: 0 or fermi: {level:g})."
        )
