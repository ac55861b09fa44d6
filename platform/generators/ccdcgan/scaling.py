"""Codes in fewer numbers of unit variance: what an adversarial network can learn from some hundred crystals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from fermiloop.platform.representations.crystal_graph import Codes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True)
class CodeScaling:
    """Principal components of site codes, and standardised cell codes.

    Parameters
    ----------
    site_mean
        (s,).
    axes
        (components, s) scaled so that each component has unit variance.
    back
        (s, components) inverse of `axes`.
    cell_mean, cell_std
        (c,).
    """

    site_mean: Array
    axes: Array
    back: Array
    cell_mean: Array
    cell_std: Array

    @classmethod
    def learn(cls, codes: Sequence[Codes], components: int) -> Self:
        """From the codes of the training crystals; at most `components`, and no more than there is variance in."""
        sites = np.concatenate([one.sites for one in codes])
        mean = sites.mean(axis=0)
        _, spread, axes = np.linalg.svd(sites - mean, full_matrices=False)
        deviation = spread / np.sqrt(max(len(sites), 1))
        kept = max(1, int((deviation > 1e-6).sum()))
        kept = min(components, kept)
        scale = np.maximum(deviation[:kept], 1e-6)
        cells = np.array([one.cell for one in codes])
        return cls(
            mean, axes[:kept] / scale[:, None], axes[:kept].T * scale, cells.mean(axis=0), cells.std(axis=0) + 1e-6
        )

    @property
    def components(self) -> int:
        """Numbers of a scaled site code."""
        return len(self.axes)

    def scaled(self, codes: Codes) -> Codes:
        """Codes as the networks see them."""
        sites = (codes.sites - self.site_mean) @ self.axes.T
        return Codes((codes.cell - self.cell_mean) / self.cell_std, codes.elements, codes.amounts, sites)

    def restored(self, codes: Codes) -> Codes:
        """Codes as the autoencoders know them."""
        sites = codes.sites @ self.back.T + self.site_mean
        return Codes(codes.cell * self.cell_std + self.cell_mean, codes.elements, codes.amounts, sites)

    def arrays(self) -> dict[str, NDArray[np.float64]]:
        """To save."""
        return {f"scaling/{name}": getattr(self, name) for name in self.__dataclass_fields__}

    @classmethod
    def restore(cls, arrays: Mapping[str, NDArray[np.float64]]) -> Self:
        """From what `arrays` gave."""
        return cls(**{name: np.asarray(arrays[f"scaling/{name}"]) for name in cls.__dataclass_fields__})
