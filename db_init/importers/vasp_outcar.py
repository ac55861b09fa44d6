"""What an OUTCAR says that its vasprun.xml does not: the total moment, and whether a relaxation was stopped."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

# of collinear spins one number, of others three components, of which pymatgen reads the first
MOMENT: Final = re.compile(r"number of electron\s+\S+\s+magnetization\s+(\S.*)")
STOPPED: Final = "stop encountered"  # soft or hard: somebody, or custodian when the time was nearly up, wrote a STOPCAR
REACHED: Final = "reached required accuracy"


@dataclass(frozen=True)
class Said:
    """What an OUTCAR says.

    Parameters
    ----------
    moment
        Size of the total moment at its end, μB per cell; None where it gives none.
    stopped
        Whether a STOPCAR ended a relaxation before it converged.
    """

    moment: float | None
    stopped: bool


def read(lines: Iterable[str]) -> Said:
    """What the lines of an OUTCAR say."""
    last, stopped, reached = None, False, False
    for line in lines:
        if "magnetization" in line and (match := MOMENT.search(line)):
            last = match[1]
        stopped |= STOPPED in line
        reached |= REACHED in line
    return Said(_size(last), stopped and not reached)


def _size(text: str | None) -> float | None:
    try:
        parts = [float(word) for word in (text or "").split()]
    except ValueError:  # stars, where a number has no room
        return None
    return float(np.linalg.norm(parts)) if len(parts) in {1, 3} else None
