"""Crystals as surrogates see them: described once, scaled by those that are known and those that are asked about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from fermiloop.platform.predictors.descriptors import structure_descriptors
from fermiloop.platform.predictors.pair_vectors import bond_vectors, mixture_vectors
from fermiloop.platform.representations.memory import Memory

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from pymatgen.core import Structure

    Array = NDArray[np.float64]

N_FRACTIONS: Final = 103
N_COMPOSITION: Final = 193
"""Leading columns of the descriptors that are atomic fractions, and that follow from the composition."""
N_DESCRIPTORS: Final = 271
N_MIXTURE: Final = 103
CLIP: Final = 6.0
"""Standard deviations at which a descriptor is cut off."""
REMEMBERED: Final = 12_000
"""Crystals whose descriptions are kept, about 10 kB each: the same ones are asked about again and again."""


@dataclass(frozen=True)
class Described:
    """Crystals as rows of numbers.

    Parameters
    ----------
    descriptors
        (n, 271) `structure_descriptors`.
    mixtures, bonds
        (n, 103) and (n, 820) `mixture_vectors`, `bond_vectors`.
    """

    descriptors: Array
    mixtures: Array
    bonds: Array

    def __len__(self) -> int:
        return len(self.descriptors)

    def subset(self, rows: NDArray[np.int64]) -> Described:
        """The rows asked for, in that order."""
        return Described(self.descriptors[rows], self.mixtures[rows], self.bonds[rows])


def describe(
    structures: Sequence[Structure], progress: Callable[[str, float], None] = lambda _what, _share: None
) -> Described:
    """Describe crystals; those described lately are remembered.

    Raises
    ------
    InputError
        If an element lies beyond Lr.
    """
    whole = MEMORY.rows(structures, lambda share: progress("describing crystals", share)).reshape(len(structures), -1)
    edge = N_DESCRIPTORS + N_MIXTURE
    return Described(whole[:, :N_DESCRIPTORS], whole[:, N_DESCRIPTORS:edge], whole[:, edge:])


def _all(structures: Sequence[Structure]) -> Array:
    return np.hstack([structure_descriptors(structures), mixture_vectors(structures), bond_vectors(structures)])


MEMORY: Final = Memory(_all, REMEMBERED)


@dataclass(frozen=True)
class Scales:
    """Means and widths of descriptors, and the principal directions of those beyond the atomic fractions.

    Parameters
    ----------
    middle, width
        (271,)
    centre
        (168,) mean of the scaled descriptors beyond the fractions.
    directions
        (168, 60) of greatest variance first.
    """

    middle: Array
    width: Array
    centre: Array
    directions: Array

    @classmethod
    def of(cls, descriptors: Array, n: int = 60) -> Scales:
        """Scales of (m, 271) descriptors."""
        middle, width = descriptors.mean(axis=0), descriptors.std(axis=0)
        width = np.where(width > 1e-9, width, 1.0)
        part = np.clip((descriptors - middle) / width, -CLIP, CLIP)[:, N_FRACTIONS:]
        centre = part.mean(axis=0)
        part = part - centre
        directions = np.linalg.eigh(part.T @ part)[1][:, ::-1][:, :n]
        # the sign of a direction is the library's whim, and inner products and distances do not see it
        return cls(middle, width, centre, np.ascontiguousarray(directions))

    def components(self, described: Described, n: int) -> Array:
        """(m, n) leading principal components."""
        part = np.clip((described.descriptors - self.middle) / self.width, -CLIP, CLIP)[:, N_FRACTIONS:]
        return np.asarray((part - self.centre) @ self.directions[:, :n])

    def state(self) -> dict[str, Array]:
        """Its arrays by name."""
        return {
            "middle": self.middle,
            "width": self.width,
            "centre": self.centre,
            "directions": self.directions,
        }
