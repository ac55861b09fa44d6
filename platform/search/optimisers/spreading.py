"""Atoms on top of each other pushed apart, free of charge: no oracle is asked."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

PASSES: Final = 40
NEIGHBOURS: Final = np.array(list(product((-1.0, 0.0, 1.0), repeat=3)))
"""(27, 3) a cell and those around it."""


def spread(sites: Array, floors: Array) -> Array:
    """(n, 3) Cartesian sites, no two of them closer than the (n, n) floors if that was reached in some passes."""
    sites = sites.copy()
    first, second = np.triu_indices(len(sites), 1)
    floor = floors[first, second]
    for _ in range(PASSES):
        between = sites[first] - sites[second]
        lengths = np.sqrt(np.einsum("ij,ij->i", between, between)) + 1e-9
        missing = np.maximum(floor - lengths, 0)
        if not missing.any():
            break
        push = (0.55 * missing / lengths)[:, None] * between
        np.add.at(sites, first, push)
        np.add.at(sites, second, -push)
    return sites


def spread_periodic(frac: Array, cell: Array, floors: Array) -> Array:
    """(n, 3) fractional coordinates with sites pushed apart as by `spread`, nearest images counted."""
    frac = frac.copy()
    first, second = np.triu_indices(len(frac), 1)
    floor = floors[first, second]
    inverse = np.linalg.inv(cell)
    for _ in range(PASSES if len(first) else 0):
        between, lengths = nearest(frac[first] - frac[second], cell)
        missing = np.maximum(floor - lengths, 0)
        if not missing.any():
            break
        push = (0.55 * missing / (lengths + 1e-9))[:, None] * between @ inverse
        np.add.at(frac, first, push)
        np.add.at(frac, second, -push)
    return np.asarray(np.mod(frac, 1.0))


def nearest(between: Array, cell: Array) -> tuple[Array, Array]:
    """Shortest image of (m, 3) fractional differences: (m, 3) Cartesian vectors and (m,) lengths."""
    between = between - np.round(between)
    every = (between[:, None] + NEIGHBOURS[None]) @ cell  # (m, 27, 3)
    squared = np.einsum("msi,msi->ms", every, every)
    place = squared.argmin(axis=1)
    rows = np.arange(len(between))
    return every[rows, place], np.sqrt(squared[rows, place])
