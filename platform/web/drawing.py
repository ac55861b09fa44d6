"""A curve that was drawn on a page, as numbers."""

from __future__ import annotations

import re
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fermiloop.platform.app.curves import MOST_POINTS
from fermiloop.platform.errors import InputError

NUMBER: Final = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")

Curve = tuple[NDArray[np.float64], NDArray[np.float64]]


def of_shapes(change: object) -> Curve | None:
    """Energies (eV) and values of the newest path drawn on a graph; None where none was.

    Parameters
    ----------
    change
        ``relayoutData`` of the graph.

    Raises
    ------
    InputError
        If it is too short to be a curve.
    """
    shapes = change.get("shapes") if isinstance(change, dict) else None
    paths = [one["path"] for one in shapes or [] if isinstance(one, dict) and isinstance(one.get("path"), str)]
    if isinstance(change, dict) and not paths:  # a drawn path that was moved afterwards
        paths = [value for key, value in change.items() if key.endswith(".path") and isinstance(value, str)]
    if not paths:
        return None
    found = [float(word) for word in NUMBER.findall(paths[-1])[: 2 * MOST_POINTS]]
    return _sorted(list(zip(found[::2], found[1::2], strict=False)), "The drawn curve")


def _sorted(rows: list[tuple[float, float]], what: str) -> Curve:
    """Rising energies; of several values at one energy the mean, as where a pen went back."""
    table = np.array(rows, dtype=float).reshape(-1, 2)
    if not np.isfinite(table).all():
        raise InputError(f"{what} holds NaN or infinity; give finite numbers alone.")
    energies, place = np.unique(table[:, 0], return_inverse=True)
    if len(energies) < 2:
        raise InputError(f"{what} has {len(energies)} energies; it needs at least 2.")
    if len(rows) > MOST_POINTS:
        raise InputError(f"{what} has more than {MOST_POINTS} points; give fewer.")
    sums = np.bincount(place, weights=table[:, 1])
    return energies, sums / np.bincount(place)
