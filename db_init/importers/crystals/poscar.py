"""POSCAR and CONTCAR: VASP's structure files, as VASP 4, 5 and 6 and other people's programs write them.

https://www.vasp.at/wiki/POSCAR. Elements come from the line of symbols or from the labels of the sites, never from the
comment.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Lattice, Structure

from fermiloop.db_init.importers.crystals.elements import element, is_what, isotope_remark, plain
from fermiloop.db_init.importers.crystals.found import Crystal
from fermiloop.platform.errors import InputError

COMMENT: Final = re.compile(r"\s*[!#].*$")
FLAGS: Final = frozenset({"T", "F", ".TRUE.", ".FALSE.", ".T.", ".F."})
FRACTIONAL_HYDROGEN: Final = re.compile(r"H\d*\.\d+")  # pseudo-hydrogen that ends dangling bonds
MOST_SITES: Final = 1_000_000
MOST_DIGITS: Final = 12


@dataclass(frozen=True)
class Head:
    """What stands before the coordinates.

    Parameters
    ----------
    matrix
        (3, 3) cell vectors as rows, Å.
    scale
        (3,) factors of Cartesian coordinates.
    symbols
        Element of each site; empty where there is no line of symbols.
    n
        Number of sites.
    end
        Line after the counts.
    """

    matrix: NDArray[np.float64]
    scale: NDArray[np.float64]
    symbols: tuple[str, ...]
    n: int
    end: int


def read(text: str, what: str) -> Crystal:
    """Crystal of a POSCAR.

    Parameters
    ----------
    text
        Its content, lines ended by one character.
    what
        What to call it in a refusal, such as ``file POSCAR``.

    Raises
    ------
    InputError
        If it holds none, or says too little to know which.
    """
    lines = text.split("\n")
    head = read_head(lines, what)
    at, direct = _mode(lines, head.end, what)
    coordinates, labels = _sites(lines[at : at + head.n], head.n, what)
    _check_what_follows(lines, at + head.n, head.n, what)
    symbols = _elements(head.symbols, labels, what)
    return assemble(head, coordinates, symbols, direct=direct)


def assemble(head: Head, coordinates: NDArray[np.float64], symbols: Sequence[str], *, direct: bool) -> Crystal:
    """The crystal of a head, (n, 3) coordinates and the elements; a left-handed cell is turned."""
    matrix, places = head.matrix, coordinates if direct else coordinates * head.scale
    structure = Structure(
        Lattice(matrix), [plain(symbol) for symbol in symbols], places, coords_are_cartesian=not direct
    )
    return Crystal(right_handed(structure), isotope_remark(set(symbols)))


def right_handed(structure: Structure) -> Structure:
    """The same crystal, every atom where it was, in a right-handed cell: a left-handed one has its vectors reversed."""
    if np.linalg.det(structure.lattice.matrix) >= 0:
        return structure
    return Structure(
        Lattice(-structure.lattice.matrix),
        structure.species_and_occu,
        -structure.frac_coords,
        site_properties=structure.site_properties,
    )


def read_head(lines: Sequence[str], what: str) -> Head:
    """Comment, scale, cell, symbols and counts.

    Raises
    ------
    InputError
        If they are not there.
    """
    if len(lines) < 7:
        raise InputError(f"The {what} holds no crystal: it has {len(lines)} lines, too few for a POSCAR.")
    factors = _numbers(lines[1])
    rows = [_numbers(line)[:3] for line in lines[2:5]]
    if not factors or any(len(row) != 3 for row in rows):
        raise InputError(f"The {what} holds no crystal: lines 2 to 5 are no scale and cell vectors.")
    matrix, scale = _scaled(np.array(rows), factors, what)
    symbols, counts, end = _symbols_and_counts(lines, what)
    if symbols and len(symbols) != len(counts):
        raise InputError(f"The {what} names {len(symbols)} elements but gives {len(counts)} counts of atoms.")
    if not 0 < sum(counts) <= MOST_SITES:  # before a list of so many is made
        raise InputError(f"The {what} counts {sum(counts)} atoms, of 1 to {MOST_SITES} in a crystal.")
    per_site = tuple(symbol for symbol, count in zip(symbols, counts, strict=False) for _ in range(count))
    return Head(matrix, scale, per_site, sum(counts), end)


def _scaled(
    matrix: NDArray[np.float64], factors: list[float], what: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Cell in Å and the factors of Cartesian coordinates; a negative scale is the volume."""
    if not np.isfinite(matrix).all() or not np.isfinite(factors).all():
        raise InputError(f"The {what} has NaN or infinity in its cell.")
    volume = abs(float(np.linalg.det(matrix)))
    if volume < 1e-12:
        raise InputError(f"The {what} has cell vectors that lie in a plane.")
    if len(factors) >= 3:
        scale = np.array(factors[:3])
        if (scale <= 0).any():
            raise InputError(f"The {what} has three scales, which must be positive.")
        return matrix * scale, scale
    factor = factors[0]
    if factor == 0:
        raise InputError(f"The {what} has a scale of 0.")
    factor = factor if factor > 0 else (-factor / volume) ** (1 / 3)
    return matrix * factor, np.full(3, factor)


def _symbols_and_counts(lines: Sequence[str], what: str) -> tuple[list[str], list[int], int]:
    """Symbols (none in a file of VASP 4), counts, and the line after them; long lists go over several lines."""
    at, names = 5, list[str]()
    while at < len(lines) and not _is_counts(lines[at]):
        tokens = COMMENT.sub("", lines[at]).split()
        if not tokens or len(names) > 1000:
            break
        names += tokens
        at += 1
    if at >= len(lines) or not _is_counts(lines[at]):
        raise InputError(f"The {what} holds no crystal: line {at + 1} is no list of element symbols or counts.")
    symbols = [symbol_of(name, what) for name in names]
    counts = _counts(lines[at])
    at += 1
    while len(counts) < len(symbols) and at < len(lines) and _is_counts(lines[at]):
        counts += _counts(lines[at])
        at += 1
    return symbols, counts, at


def _counts(line: str) -> list[int]:
    """Whole numbers of a line; Python reads none of thousands of digits."""
    tokens = COMMENT.sub("", line).split()
    return [int(token) if len(token) <= MOST_DIGITS else 10**MOST_DIGITS for token in tokens]


def _is_counts(line: str) -> bool:
    tokens = COMMENT.sub("", line).split()
    return bool(tokens) and all(token.isdecimal() for token in tokens)


def symbol_of(name: str, what: str) -> str:
    """Element of a name in the line of symbols: ``Fe``, ``Fe_pv``, ``Fe_sv/0d4b8a6e``.

    Raises
    ------
    InputError
        If it names none.
    """
    if FRACTIONAL_HYDROGEN.fullmatch(name.partition("_")[0].partition("/")[0]):
        raise InputError(f"The {what} holds {name}: a hydrogen of fractional charge is no element.")
    bare = re.split(r"[_/.]", name, maxsplit=1)[0]
    symbol = element(bare)
    if symbol is None:
        raise InputError(f"The {what} names {name[:20]!r}, which {is_what(bare)}.")
    return symbol


def _mode(lines: Sequence[str], at: int, what: str) -> tuple[int, bool]:
    """First line of coordinates, and whether they are fractional."""
    word = lines[at].strip() if at < len(lines) else ""
    if word[:1] in {"s", "S"}:
        at += 1
        word = lines[at].strip() if at < len(lines) else ""
    if word[:1] in {"c", "C", "k", "K"}:
        return at + 1, False
    if word[:1] in {"d", "D", "f", "F"}:
        return at + 1, True
    raise InputError(f"The {what} does not say Direct or Cartesian in line {at + 1}, but {word[:30]!r}.")


def _sites(lines: Sequence[str], n: int, what: str) -> tuple[NDArray[np.float64], list[str | None]]:
    """(n, 3) coordinates and the label of each site, where it has one."""
    rows, labels = [], list[str | None]()
    for line in lines:
        row = _numbers(line)[:3]
        if len(row) != 3:
            break
        rows.append(row)
        labels.append(_label(line))
    if len(rows) < n:
        raise InputError(f"The {what} counts {n} atoms but lists the coordinates of {len(rows)}.")
    found = np.array(rows)
    if not np.isfinite(found).all():
        raise InputError(f"The {what} has NaN or infinity in its coordinates.")
    return found, labels


def _label(line: str) -> str | None:
    """The word beside the coordinates that may name an element; flags and comments are none."""
    words = COMMENT.sub("", line).split()[3:]
    flags = [word.upper() in FLAGS for word in words]
    if len(words) >= 3 and all(flags[:3]):
        words = words[3:]
    elif len(words) >= 2 and all(flags):
        words = []
    return words[0] if words else None


def _named(label: str | None) -> str | None:
    """Element of a label such as Na, Na1 or Na_pv."""
    found = re.fullmatch(r"([A-Za-z]{1,2})(?:[_\d/].*)?", label or "")
    return element(found[1]) if found else None


def _elements(symbols: tuple[str, ...], labels: list[str | None], what: str) -> tuple[str, ...]:
    """Element of each site by the line of symbols, else by the labels."""
    if symbols:
        for number, (symbol, label) in enumerate(zip(symbols, labels, strict=True), 1):
            named = _named(label)
            if named not in {None, symbol, "T"} and label is not None and label.startswith(named or ""):
                raise InputError(f"The {what} has {symbol} as atom {number} by its counts but {named} by its label.")
        return symbols
    named_all = tuple(named for label in labels if (named := _named(label)) is not None)
    if len(named_all) < len(labels):
        raise InputError(
            f"The {what} names no elements, as VASP 4 wrote it, and its comment does not count: "
            "put a line of element symbols above the line of counts."
        )
    return named_all


def _check_what_follows(lines: Sequence[str], at: int, n: int, what: str) -> None:
    """Refuse coordinates beyond the count; velocities come after an empty line and are passed over."""
    if at < len(lines) and lines[at].strip() and len(_numbers(lines[at])) >= 3:
        raise InputError(f"The {what} counts {n} atoms but lists more coordinates.")


def _numbers(line: str) -> list[float]:
    """Numbers that a line begins with, as Fortran writes them; NaN and infinity count as such."""
    found = []
    for token in line.split():
        try:
            found.append(float(token.replace("d", "e").replace("D", "e") if token[:1] in "+-.0123456789" else token))
        except ValueError:
            break
    return found if all(not math.isnan(x) for x in found) else [x if math.isfinite(x) else math.nan for x in found]
