"""Space groups of crystals that a file gives none for, by spglib, kept for the next run.

The tolerance is the Materials Project's: it gives back the numbers that the files do give.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import spglib

if TYPE_CHECKING:
    from pymatgen.core import Structure

TOLERANCE: Final = 0.1  # Å
KEPT_FROM: Final = 500
"""Computed space groups from which on they are kept in the cache: fewer are quicker computed again than looked up."""


def space_group(structure: Structure) -> int:
    """Number of the space group; 1 where spglib finds none."""
    cell: Any = (structure.lattice.matrix, structure.frac_coords, structure.atomic_numbers)
    try:
        found = spglib.get_symmetry_dataset(cell, symprec=TOLERANCE)
    except spglib.SpglibError:  # atoms on top of each other
        return 1
    return 1 if found is None else int(found.number)


def cache_folder() -> Path:
    """What benches keep of one user for their next run."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fermiloop"


def cache_file() -> Path:
    """In the user's cache folder, one for each version of spglib."""
    return cache_folder() / f"space_groups-{spglib.__version__}-{TOLERANCE}.json"


class SpaceGroups:
    """Looks space groups up, and computes those that it has not seen.

    Parameters
    ----------
    file
        Of what was found before; a file that cannot be read is as good as none.
    """

    def __init__(self, file: Path) -> None:
        self._file, self._new = file, 0
        self._known: dict[str, int] = {}
        with contextlib.suppress(OSError, ValueError):
            read = json.loads(file.read_text(encoding="utf-8"))
            self._known = {str(key): int(number) for key, number in read.items()} if isinstance(read, dict) else {}

    def of(self, structure: Structure) -> int:
        """Number of the space group of a crystal."""
        key = _key(structure)
        if key not in self._known:
            self._known[key] = space_group(structure)
            self._new += 1
        return self._known[key]

    def keep(self) -> None:
        """Write what was found, if it was much; a folder that cannot be written to costs the time of the next run."""
        if self._new < KEPT_FROM:
            return
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            part = self._file.with_suffix(f".{os.getpid()}")
            part.write_text(json.dumps(self._known), encoding="utf-8")
            part.replace(self._file)


def _key(structure: Structure) -> str:
    """Of the cell as it is written, to 1e-6 Å."""
    numbers = np.concatenate([structure.lattice.matrix.ravel(), structure.frac_coords.ravel()])
    text = np.round(numbers, 6).tobytes() + np.array(structure.atomic_numbers, dtype=np.int64).tobytes()
    return hashlib.sha256(text).hexdigest()[:24]
