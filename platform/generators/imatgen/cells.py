"""A cell as six numbers: the logarithm of its metric tensor, less that of the volume that its atoms take up by rule.

The paper codes an image of the cell by an autoencoder of its own (Noh et al., 2019). Six numbers are behind that image,
so they are the code here: nothing is lost, nothing is to be trained, every six numbers are a possible cell, and since
the volume is counted from that of the composition, a crystal decoded with other atoms has a cell to match.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from pymatgen.core import Element

from fermiloop.platform.predictors.potential.volumes import guess_volume

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

NUMBERS: Final = 6
LARGEST: Final = 4.0
"""Of a logarithm when it is decoded: e⁴ Å is longer than any cell here."""
ROWS, COLUMNS = np.triu_indices(3)


def cell_codes(matrices: Array, counts: Array, pair: Sequence[str]) -> Array:
    """(n, 6) codes of cells.

    Parameters
    ----------
    matrices
        (n, 3, 3), rows a, b, c, Å.
    counts
        (n, 2) atoms of each element of the pair in the cell.
    pair
        Symbols.
    """
    values, vectors = np.linalg.eigh(matrices @ matrices.swapaxes(1, 2))
    logarithm = np.einsum("nij,nj,nkj->nik", vectors, 0.5 * np.log(values), vectors)
    logarithm -= _by_rule(counts, pair)[:, None, None] * np.eye(3)
    return np.asarray(logarithm[:, ROWS, COLUMNS])


def cells(codes: Array, counts: Array, pair: Sequence[str]) -> tuple[Array, Array]:
    """(n, 3) lengths, Å, and (n, 3) angles, degrees, of (n, 6) codes and the (n, 2) atoms of the pair in each cell."""
    logarithm = np.zeros((len(codes), 3, 3))
    logarithm[:, ROWS, COLUMNS] = logarithm[:, COLUMNS, ROWS] = codes
    values, vectors = np.linalg.eigh(logarithm + _by_rule(counts, pair)[:, None, None] * np.eye(3))
    metric = np.einsum("nij,nj,nkj->nik", vectors, np.exp(2 * np.clip(values, -LARGEST, LARGEST)), vectors)
    lengths = np.sqrt(np.diagonal(metric, axis1=1, axis2=2))
    cosines = metric / (lengths[:, :, None] * lengths[:, None])
    return lengths, np.degrees(np.arccos(np.clip(cosines[:, (1, 0, 0), (2, 2, 1)], -1, 1)))


def pair_counts(numbers: NDArray[np.int64], pair: Sequence[str]) -> Array:
    """(2,) atoms of each element of the pair among (n,) atomic numbers."""
    return np.array([(numbers == Element(symbol).Z).sum() for symbol in pair], dtype=float)


def _by_rule(counts: Array, pair: Sequence[str]) -> Array:
    """(n,) logarithm of the edge of a cube, Å, in which the atoms have the volume that their radii suggest."""
    volumes = [
        guess_volume({symbol: n for symbol, n in zip(pair, row, strict=True) if n}) * sum(row)
        for row in counts.tolist()
    ]
    return np.asarray(np.log(volumes) / 3)
