"""Symmetry operations as texts and as arrays, and the atoms that they make of one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from fermiloop.platform.errors import InputError

TERM: Final = re.compile(r"([+-]?)(?:(\d*\.?\d+)(?:/(\d+))?)?\*?([xyz]?)")
GRID: Final = 24  # translations of space groups are multiples of a 24th
OFF_GRID: Final = 2e-3  # by which a decimal fraction may be rounded
SAME: Final = 0.1  # Å; images that are closer are one atom in a special position
DIGITS: Final = 6  # of a fraction; far below `SAME`
METRIC: Final = 0.05  # relative, by which an operation may change the cell


@dataclass(frozen=True)
class Operations:
    """Symmetry operations in fractional coordinates.

    Parameters
    ----------
    rotations
        (m, 3, 3).
    translations
        (m, 3).
    reversals
        (m,) +1, or -1 with reversal of time.
    """

    rotations: NDArray[np.float64]
    translations: NDArray[np.float64]
    reversals: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.rotations)

    def times(self, other: Operations) -> Operations:
        """Every operation of this followed by every one of the other."""
        rotations = np.einsum("aij,bjk->abik", other.rotations, self.rotations).reshape(-1, 3, 3)
        moved = np.einsum("aij,bj->abi", other.rotations, self.translations) + other.translations[:, None]
        reversals = np.outer(other.reversals, self.reversals).reshape(-1)
        return Operations(rotations, moved.reshape(-1, 3) % 1.0, reversals)


IDENTITY: Final = Operations(np.eye(3)[None], np.zeros((1, 3)), np.ones(1))


def parse(texts: list[str]) -> Operations:
    """Operations written as ``x,y+1/2,-z`` or, with reversal of time, ``x,y,z,-1``.

    Raises
    ------
    InputError
        If one of them is something else.
    """
    parsed = [_operation(text) for text in texts]
    rotations, translations, reversals = zip(*parsed, strict=True)
    return Operations(np.array(rotations), np.array(translations), np.array(reversals))


@lru_cache(maxsize=20_000)
def _operation(text: str) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    parts = "".join(text.lower().split()).strip("'\"").split(",")
    if len(parts) not in {3, 4}:
        raise InputError(f"{text[:40]!r} is no symmetry operation.")
    rows = [_row(part, text) for part in parts[:3]]
    rotation = np.array([row[:3] for row in rows])
    if abs(abs(np.linalg.det(rotation)) - 1) > 1e-6:
        raise InputError(f"{text[:40]!r} is no symmetry operation: it changes the volume.")
    reversal = 1.0
    if len(parts) == 4:
        if parts[3] not in {"1", "+1", "-1"}:
            raise InputError(f"{text[:40]!r} is no symmetry operation.")
        reversal = float(parts[3])
    return rotation, np.array([row[3] for row in rows]) % 1.0, reversal


def _row(part: str, text: str) -> list[float]:
    """Factors of x, y, z and the translation of one component."""
    found, at = [0.0] * 4, 0
    while at < len(part):
        match = TERM.match(part, at)
        if match is None or match.end() == at or not (match[2] or match[4]):
            raise InputError(f"{text[:40]!r} is no symmetry operation.")
        value = float(match[2] or 1) / float(match[3] or 1) * (-1 if match[1] == "-" else 1)
        if match[4]:
            found["xyz".index(match[4])] += value
        else:
            nearest = round(value * GRID) / GRID
            found[3] += nearest if abs(nearest - value) < OFF_GRID else value
        at = match.end()
    if not part:
        raise InputError(f"{text[:40]!r} is no symmetry operation.")
    return found


def fit(operations: Operations, matrix: NDArray[np.float64], tolerance: float = METRIC) -> bool:
    """Whether operations leave a cell, (3, 3) vectors as rows, as it is."""
    metric = matrix @ matrix.T
    changed = np.einsum("aji,jk,akl->ail", operations.rotations, metric, operations.rotations)
    return bool(np.abs(changed - metric).max() <= tolerance * np.trace(metric) / 3)


def orbit(
    place: NDArray[np.float64], operations: Operations, matrix: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.intp], NDArray[np.intp]]:
    """The atoms that operations make of one.

    A place that rounding moved off a special position, 0.333 for 1/3, is brought onto it.

    Parameters
    ----------
    place
        (3,) fractional.
    operations
        Of the space group, all of them.
    matrix
        (3, 3) cell vectors as rows, Å.

    Returns
    -------
    places, makers, keepers
        (k, 3) fractional coordinates in [0, 1); (k,) which operation makes each; which operations keep the atom where
        it is.
    """
    if len(operations) == 1:
        return np.mod(place, 1.0)[None], np.zeros(1, dtype=np.intp), np.zeros(1, dtype=np.intp)
    images = operations.rotations @ place + operations.translations
    shifts = images - place
    near = shifts - np.round(shifts)
    keepers = np.flatnonzero(np.linalg.norm(near @ matrix, axis=1) < SAME)
    centre = place + near[keepers].mean(axis=0) if keepers.size else place
    images = operations.rotations @ centre + operations.translations
    makers = _distinct(images, matrix)
    found = np.mod(images[makers], 1.0)
    found[found > 1.0 - 1e-9] = 0.0
    return found, makers, keepers


def _distinct(images: NDArray[np.float64], matrix: NDArray[np.float64]) -> NDArray[np.intp]:
    """Numbers of the images that are no repeats of earlier ones.

    Every pair is not looked at: a supercell in the symmetry of its small cell lists thousands of operations.
    """
    places = np.mod(np.round(images, DIGITS), 1.0)  # most repeats of a special position are exact
    _, own = np.unique(places, axis=0, return_index=True)
    own = np.sort(own)
    reach = SAME * float(np.linalg.norm(np.linalg.inv(matrix), 2))  # in fractions, of any direction
    pairs = own[cKDTree(places[own], boxsize=1.0).query_pairs(reach, output_type="ndarray")]
    difference = images[pairs[:, 0]] - images[pairs[:, 1]]
    apart = np.linalg.norm((difference - np.round(difference)) @ matrix, axis=1)
    return np.setdiff1d(own, pairs[apart < SAME].max(axis=1, initial=-1))
