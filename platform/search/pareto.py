"""Several objectives at once: fronts, hypervolume and what a point adds to it. All objectives are minimised.

Non-dominated sorting as in NSGA-II (Deb et al., IEEE Trans. Evol. Comput. 6, 182, 2002); hypervolume by slicing along
the last objective (Zitzler and Thiele, 1998).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from fermiloop.platform.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

PORTION: Final = 4096  # points at a time, for memory


def ranks(values: ArrayLike) -> NDArray[np.int64]:
    """(n,) number of the front of each row of (n, k) values, 0 for those that none dominates.

    Raises
    ------
    InputError
        If a value is not a number.
    """
    table = _table(values)
    no_worse = (table[:, None] <= table[None]).all(axis=-1)
    better = no_worse & (table[:, None] < table[None]).any(axis=-1)  # [i, j]: i dominates j
    found = np.full(len(table), -1, dtype=np.int64)
    front = 0
    while (found < 0).any():
        left = found < 0
        free = left & ~(better & left[:, None]).any(axis=0)
        found[free] = front
        front += 1
    return found


def hypervolume(values: ArrayLike, reference: ArrayLike) -> float:
    """Volume that the rows of (n, 2 or 3) values dominate up to a reference point.

    Raises
    ------
    InputError
        If there are not two or three objectives, or a value is not a number.
    """
    table, corner = _table(values), np.asarray(reference, dtype=float)
    if table.shape[1] not in {2, 3} or corner.shape != (table.shape[1],):
        raise InputError(f"A hypervolume needs 2 or 3 objectives and as long a reference, not {table.shape[1]}.")
    inside = table[(table < corner).all(axis=1)]
    if table.shape[1] == 2:
        return _area(inside, corner)
    heights = np.unique(inside[:, 2])
    edges = np.append(heights[1:], corner[2])
    slabs = [
        (top - bottom) * _area(inside[inside[:, 2] <= bottom, :2], corner[:2])
        for bottom, top in zip(heights, edges[: len(heights)], strict=True)
    ]
    return float(sum(slabs))


def improvements(points: ArrayLike, front: ArrayLike, reference: ArrayLike) -> Array:
    """(n,) hypervolume that each of (n, k) points alone would add to that of the (m, k) rows of a front.

    The space below the reference is cut into boxes by the coordinates of the front; a point adds its share of those
    boxes that no row dominates.

    Raises
    ------
    InputError
        If there are not two or three objectives, or a value is not a number.
    """
    table, corner = _table(points), np.asarray(reference, dtype=float)
    rows = _table(np.asarray(front, dtype=float).reshape(-1, table.shape[1]))
    if table.shape[1] not in {2, 3} or corner.shape != (table.shape[1],):
        raise InputError(f"A hypervolume needs 2 or 3 objectives and as long a reference, not {table.shape[1]}.")
    rows = rows[(rows < corner).all(axis=1)]
    rows = rows[ranks(rows) == 0] if len(rows) else rows
    edges = [np.append(np.unique(rows[:, axis]), corner[axis]) for axis in range(len(corner))]
    free = _free_boxes(rows, edges)
    found = np.zeros(len(table))
    for start in range(0, len(table), PORTION):
        part = table[start : start + PORTION]
        shares = [_shares(part[:, axis], edge) for axis, edge in enumerate(edges)]
        inner = np.einsum("na,a...->n...", shares[0], free)
        for share in shares[1:]:
            inner = np.einsum("na,na...->n...", share, inner)
        found[start : start + PORTION] = inner
    return found


def _free_boxes(rows: Array, edges: list[Array]) -> Array:
    """1 for each box between edges, the lowest one without an end, that no row dominates, else 0."""
    lower = np.meshgrid(*(np.append(-np.inf, edge[:-1]) for edge in edges), indexing="ij")
    corners = np.stack(lower, axis=-1)
    covered = np.zeros(corners.shape[:-1], dtype=bool)
    for row in rows:
        covered |= (corners >= row).all(axis=-1)
    return (~covered).astype(float)


def _shares(values: Array, edge: Array) -> Array:
    """(n, boxes) how much of each box along one axis lies above values."""
    lower = np.append(-np.inf, edge[:-1])
    return np.maximum(edge - np.maximum(lower, values[:, None]), 0.0)


def _area(rows: Array, corner: Array) -> float:
    """Area that (n, 2) rows dominate, all of them below the corner."""
    total, lowest = 0.0, float(corner[1])
    for x, y in rows[np.lexsort((rows[:, 1], rows[:, 0]))]:
        if y < lowest:
            total += (float(corner[0]) - float(x)) * (lowest - float(y))
            lowest = float(y)
    return total


def _table(values: ArrayLike) -> Array:
    table = np.asarray(values, dtype=float)
    if table.ndim != 2 or np.isnan(table).any():
        raise InputError(f"Objectives are a table of numbers, one row a candidate, not of shape {table.shape} or NaN.")
    return table
