"""What OUTCAR says of a run: on how many cores, whether it came to its end, and whether somebody stopped it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from monty.io import zopen
from monty.os.path import zpath

HEAD: Final = 262_144  # characters: launchers and GPU builds write before VASP does
# 4 and 5.2: "running on   8 nodes"; 5.3 to 6.1: "running on   8 total cores";
# from 6.2, GPU builds too: "running   8 mpi-ranks, with   2 threads/rank, on   1 nodes"
RUNNING: Final = re.compile(
    r"^\s*running(?:\s+on)?\s+(\d+)\s+(?:total\s+cores|cores|nodes|mpi[- ]?ranks|mpi[- ]?processes|processors)\b"
    r"(?:[ ,]+with\s+(\d+)\s+(?:openmp\s+)?threads(?:/|\s+per\s+)(?:mpi[- ]?)?rank)?",
    re.IGNORECASE | re.MULTILINE,
)
END: Final = "General timing and accounting"
STOPS: Final = ("soft stop encountered", "hard stop encountered")  # of a STOPCAR, after an ionic or electronic step
REACHED: Final = "reached required accuracy"


def cores(folder: Path) -> int:
    """Processes times threads that VASP says it ran on; 1 for a serial build and where it does not say."""
    found = RUNNING.search(_read(folder / "OUTCAR", HEAD))
    return max(1, int(found.group(1)) * int(found.group(2) or 1)) if found else 1


def is_whole(folder: Path) -> bool:
    """Whether the outputs of a folder are those of a run that came to its end."""
    return END in _read(folder / "OUTCAR") and _read(folder / "vasprun.xml").rstrip().endswith("</modeling>")


def was_stopped(folder: Path, *, relaxes: bool) -> bool:
    """Whether a STOPCAR, which custodian writes when the time is nearly up, ended a run before it was done.

    Such a run ends in order, and atomate2 takes it for a converged one. A soft stop lets an electronic loop converge.
    """
    text = _read(folder / "OUTCAR")
    soft, hard = (stop in text for stop in STOPS)
    return hard or (relaxes and soft and REACHED not in text)


def _read(path: Path, most: int = -1) -> str:
    try:
        with zopen(zpath(str(path)), "rt", encoding="utf-8", errors="replace") as lines:
            return str(lines.read(most))
    except (OSError, EOFError):  # EOFError: a compressed file that was cut off
        return ""
