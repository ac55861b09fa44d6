"""How near known crystals come to a target already: what parents are chosen by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fermiloop.platform.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from fermiloop.platform.generators.protocol import Target
    from fermiloop.platform.representations.spectrum import SpectrumGrid

    Array = NDArray[np.float64]


def nearness(grid: SpectrumGrid, curves: Array, labels: Mapping[str, Array], target: Target) -> Array:
    """(n,) the least of all that a target asks for, in 0 to 1.

    A curve counts by its cosine similarity inside the target's window, a condition or objective of a property by
    1 / (1 + d), d the distance from the value aimed at in scales (`Condition.aside`): of several that count, the
    nearest is the best parent. What a crystal does not have, a curve or a label, counts as 0.

    Parameters
    ----------
    grid, curves
        (n, grid.n) curves of any area; rows of NaN where there is none.
    labels
        Property name to (n,) values, NaN where unlabelled.
    target
        What is looked for.

    Raises
    ------
    InputError
        If the target asks for nothing.
    """
    parts = []
    if target.curve is not None:
        there = np.isfinite(curves).all(axis=1)
        similar = np.zeros(len(curves))
        similar[there] = target.similarity(np.maximum(curves[there], 0), grid)
        parts.append(similar)
    for window in target.windows:
        values = labels.get(window.property, np.full(len(curves), np.nan))
        parts.append(np.nan_to_num(1 / (1 + window.aside(values))))
    if not parts:
        raise InputError("The target has neither a curve nor a condition; add target.dos or target.properties.")
    return np.asarray(np.min(parts, axis=0))
