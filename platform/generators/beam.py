"""Beam search over compositions: elements one after another, each set with every ratio of its size.

Three of 80 elements in ten ratios are a million compositions, four a hundred million: a table of them cannot be
scored for every curve. The search scores every element, keeps the best `width`, adds every further element to them,
scores these pairs by their best ratio, keeps the best `width` pairs, and so on (Lowerre, The HARPY Speech Recognition
System, 1976). It costs `width` · n_elements · n_ratios scores for each element more, whatever the number of
compositions. With a width of at least the number of sets at every size but the last it is an enumeration.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.row_array import RowArray, filled, orderings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from fermiloop.platform.generators.row_array import Ratios

    Array = NDArray[np.float64]
    Places = NDArray[np.int64]

WIDTH: Final = 100
"""Of a beam: every single element of the periodic table, so that pairs are never pruned."""


def beam_search(
    score: Callable[[RowArray], Array],
    elements: tuple[int, ...],
    allowed: Sequence[int],
    ratios: Ratios,
    most: int,
    width: int = WIDTH,
) -> list[tuple[RowArray, Array]]:
    """Compositions of 1 to `most` elements with their scores, one entry for each number of elements with a ratio.

    Parameters
    ----------
    score
        Gives (m,) scores of m compositions, higher first.
    elements
        Atomic numbers that the compositions point into, ascending.
    allowed
        Places of those among them that may occur.
    ratios
        By number of elements. Sets of a size that has none are scored in equal amounts and not returned.
    most
        Elements of the largest compositions.
    width
        Sets of elements kept at each size.

    Raises
    ------
    InputError
        If the width is below 1.
    """
    if width < 1:
        raise InputError(f"A beam must be at least 1 wide, not {width}.")
    alone = np.unique(np.asarray(allowed, dtype=np.int64))
    sets, found = np.zeros((1, 0), dtype=np.int64), []
    for size in range(1, most + 1):
        sets = extended(sets, alone)
        if not len(sets):
            break
        amounts = orderings(ratios.get(size) or [(1,) * size])
        rows = filled(elements, sets, amounts)
        scores = score(rows)
        if ratios.get(size):
            found.append((rows, scores))
        best = scores.reshape(len(sets), len(amounts)).max(axis=1)
        sets = sets[np.sort(np.argsort(-best, kind="stable")[:width])]
    return found


def extended(sets: Places, alone: Places) -> Places:
    """(m, k + 1) every set of k elements with every further one, each once and ascending."""
    grown = np.hstack([np.repeat(sets, len(alone), axis=0), np.tile(alone, len(sets))[:, None]])
    grown = np.sort(grown, axis=1)
    return np.unique(grown[(np.diff(grown, axis=1) > 0).all(axis=1)], axis=0)
