"""VASP's DOSCAR: the total density of states, its Fermi level in the head of the block."""

from __future__ import annotations

import re
from typing import Final

import numpy as np

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.curve_files.reading import Reading, Wish
from fermiloop.platform.representations.curve_files.text import is_number, number

HEAD: Final = 6  # lines before the numbers
MOST_POINTS: Final = 200_000
GLUED: Final = re.compile(r"(?<=\d)-(?=\d+\.\d)")  # fields of fixed width that touch: 17.839-6.161


def is_doscar(text: str) -> bool:
    """Whether a text begins as a DOSCAR does."""
    lines = text.split("\n", HEAD + 1)[:HEAD]
    if len(lines) < HEAD:
        return False
    first, last = lines[0].split(), _fields(lines[5])
    return (
        len(first) >= 4
        and all(re.fullmatch(r"-?\d+", word) for word in first[:4])
        and len(_fields(lines[1])) >= 3
        and len(last) >= 4
        and all(map(is_number, last[:4]))
        and float(number(last[2])) == int(number(last[2]))
    )


def read_doscar(text: str, name: str, wish: Wish) -> Reading:  # noqa: ARG001 one signature for all
    """Density of states of a DOSCAR: 3 columns, or 5 where it has two spins; of spin-orbit's channels the first.

    Raises
    ------
    InputError
        If it is cut off, or its columns are none that VASP writes.
    """
    lines = text.splitlines()
    head = [number(word) for word in _fields(lines[5])[:4]]
    n, level = int(head[2]), head[3]
    if not 2 <= n <= MOST_POINTS:
        raise InputError(f"The DOSCAR says that it has {n} points, where 2 to {MOST_POINTS} are expected.")
    rows = [line.split() for line in lines[HEAD : HEAD + n]]
    if len(rows) < n or len(rows[-1]) != len(rows[0]):
        raise InputError(f"The DOSCAR says that it has {n} points, but only {len(rows)} lines follow; it was cut off.")
    wide = len(rows[0])
    if wide not in TOTAL or any(len(row) != wide for row in rows):
        raise InputError(f"The DOSCAR has {wide} columns, where energy, density and its integral are expected.")
    try:
        numbers = np.array([[number(word) for word in row] for row in rows])
    except ValueError as error:
        raise InputError(f"The DOSCAR has {str(error)[:40]!r} where a number must be.") from None
    spins, said = TOTAL[wide]
    taken = f"The Fermi level {level:g} eV of the DOSCAR was taken."
    if wish.fermi is not None:
        level, taken = wish.fermi, f"The Fermi level {wish.fermi:g} eV was taken as given."
    return Reading.of(numbers[:, 0], np.abs(numbers[:, spins]).sum(axis=1) if len(spins) > 1 else numbers[:, spins[0]],
                      level, None, (taken, *said))  # fmt: skip


TOTAL: Final = {  # columns: those that are summed, and what is said
    3: ((1,), ()),
    5: ((1, 2), ("Two spins were summed.",)),
    6: ((1,), ("Of spin-orbit's four channels the total was taken.",)),  # energy, total, three moments, integral
    9: ((1,), ("Of spin-orbit's four channels the total was taken.",)),  # energy, four channels, four integrals
}
"""How the total is had from each number of columns."""


def _fields(line: str) -> list[str]:
    return GLUED.sub(" -", line).split()
