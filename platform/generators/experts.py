"""What single experts make of curves and compositions; see `factorised` for what becomes of their scores."""

from __future__ import annotations

from collections import Counter
from math import comb
from typing import TYPE_CHECKING, Final

import numpy as np

from fermiloop.platform.generators.row_array import RowArray
from fermiloop.platform.predictors.dos_process import Inputs
from fermiloop.platform.representations.composition import ratio_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fermiloop.platform.generators.samples import Samples
    from fermiloop.platform.predictors.dos_process import DosProcess
    from fermiloop.platform.representations.composition import Row

    Array = NDArray[np.float64]

PORTION: Final = 20_000
"""Compositions predicted at once, which bounds the memory."""


def forward_scores(process: DosProcess, asked: Samples, rows: RowArray) -> Array:
    """(k, m) log-likelihood of each curve under each composition in the curve's crystal system."""
    scores = np.zeros((len(asked), len(rows)))
    for start in range(0, len(rows), PORTION):
        part = slice(start, start + PORTION)
        fractions = rows.subset(np.arange(len(rows))[part]).fractions()
        for system in sorted(set(asked.systems.tolist())):
            here = np.flatnonzero(asked.systems == system)
            inputs = Inputs(fractions, np.full(len(fractions), system), np.zeros((len(fractions), 0)))
            scores[here, part] = process.log_likelihood(asked.curves[here], *process.predict(inputs))
    return scores


def log_prior(rows: RowArray, known: Sequence[Row]) -> Array:
    """(m,) log probability of a composition: that of its ratio, even among all compositions that share it."""
    seen = Counter(ratio_of(row) for row in known)
    ratios, place = rows.ratios()
    shares = [(seen[ratio] + 0.5) / max(comb(len(rows.elements), len(ratio)), 1) for ratio in ratios]
    return np.asarray(np.log(shares)[place] - np.log(len(known)))


def retrieval(known: Samples, asked: Samples, rows: RowArray) -> Array:
    """(k, m) similarity to the nearest known curve of a composition, 0 where there is none."""
    scores = np.zeros((len(asked), len(rows)))
    cosines = unit(asked.curves) @ unit(known.curves).T
    order = np.argsort(rows.keys)
    keys = RowArray.of(known.rows, rows.elements).keys
    first = np.searchsorted(rows.keys[order], keys, side="left")
    last = np.searchsorted(rows.keys[order], keys, side="right")
    for i, (low, high) in enumerate(zip(first.tolist(), last.tolist(), strict=True)):
        for place in order[low:high].tolist():
            scores[:, place] = np.maximum(scores[:, place], cosines[:, i])
    return scores


def unit(curves: Array) -> Array:
    """Curves of unit Euclidean length."""
    return np.asarray(curves / np.linalg.norm(curves, axis=-1, keepdims=True))
