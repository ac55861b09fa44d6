"""XDATCAR: the trajectory of a relaxation or of molecular dynamics by VASP; the last whole frame is the crystal.

https://www.vasp.at/wiki/XDATCAR. Where the cell changes, the head is written again before every frame.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fermiloop.db_init.importers.crystals.found import Crystal
from fermiloop.db_init.importers.crystals.poscar import Head, assemble, read_head
from fermiloop.platform.errors import InputError

FRAME: Final = re.compile(r"\s*(Direct|Cartesian)\s+configuration", re.IGNORECASE)


def read(text: str, what: str) -> Crystal:
    """Last whole frame of a trajectory, and in a remark that it is.

    Raises
    ------
    InputError
        If there is none.
    """
    lines = text.split("\n")
    starts = [number for number, line in enumerate(lines) if FRAME.match(line)]
    if not starts:
        raise InputError(f"The {what} holds no crystal: it has no frame of a trajectory.")
    if not read_head(lines, what).symbols:
        raise InputError(f"The {what} names no elements: put a line of symbols above the counts of atoms.")
    for number, start in reversed(list(enumerate(starts, 1))):
        head = _head(lines, starts[: number - 1], start, what)
        rows = _rows(lines[start + 1 : start + 1 + head.n])
        if len(rows) == head.n:
            direct = lines[start].strip().lower().startswith("direct")
            crystal = assemble(head, rows, head.symbols, direct=direct)
            return Crystal(crystal.structure, (*crystal.remarks, _told(number, len(starts))))
    raise InputError(f"The {what} holds no crystal: it was cut off before the end of its first frame.")


def _told(number: int, n: int) -> str:
    if n == 1:
        return "The one frame of a trajectory was taken."
    cut = "" if number == n else f", because the file was cut off after frame {number}"
    return f"Of the {n} frames of a trajectory number {number} was taken{cut}."


def _head(lines: Sequence[str], before: Sequence[int], start: int, what: str) -> Head:
    """The head that counts for a frame: the one written before it, else the first."""
    first = read_head(lines, what)
    if not before:
        return first
    between = lines[before[-1] + 1 + first.n : start]
    return read_head(between, what) if len(between) >= 7 else first


def _rows(lines: Sequence[str]) -> NDArray[np.float64]:
    rows = []
    for line in lines:
        try:
            row = [float(token) for token in line.split()[:3]]
        except ValueError:
            break
        if len(row) != 3 or not np.isfinite(row).all():
            break
        rows.append(row)
    return np.array(rows).reshape(-1, 3)
