"""Crystals as the classes and numbers that the structured network rebuilds, and back.

Elements get slots by electronegativity, sites are sorted by slot and coordinates, lengths are logarithms of those per
atom, so that one crystal has one code.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from pymatgen.core import Element

from fermiloop.platform.representations.crystals import CrystalBatch, wrap
from fermiloop.platform.representations.element_bins import N_ELEMENTS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Ints = NDArray[np.int64]

ANGLE: Final = 30.0  # degrees
ROUND: Final = 3  # decimals of coordinates that sites are sorted by
LOG_LENGTH: Final = (-1.0, 3.0)  # of Å per atom^(1/3): decoded cells stay finite
ANGLES: Final = (10.0, 170.0)  # degrees


@dataclass(frozen=True)
class Codes:
    """Crystals as a network takes them.

    Parameters
    ----------
    elements
        (n, max_elements) atomic numbers, 0 = none.
    slots
        (n, max_sites) slot of each site; max_elements where it is empty.
    frac
        (n, max_sites, 3).
    lattice
        (n, 6) standardised log lengths and angles.
    """

    elements: Ints
    slots: Ints
    frac: NDArray[np.float32]
    lattice: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.elements)


@dataclass(frozen=True)
class CrystalCodec:
    """Crystals to codes and back.

    Parameters
    ----------
    max_elements, max_sites
        Slots and sites.
    mean, spread
        (6,) of log lengths and angles of the training crystals.
    """

    max_elements: int
    max_sites: int
    mean: Array
    spread: Array

    @classmethod
    def learn(cls, crystals: CrystalBatch, max_elements: int, max_sites: int) -> CrystalCodec:
        """Mean and spread of the cells."""
        cells = _cells(crystals)
        return cls(max_elements, max_sites, cells.mean(axis=0), np.maximum(cells.std(axis=0), 0.05))

    def encode(self, crystals: CrystalBatch) -> Codes:
        """Codes of crystals of at most so many sites and elements."""
        n, empty = len(crystals), self.max_elements
        rank = _ranks()[crystals.numbers]
        elements = np.zeros((n, self.max_elements), dtype=np.int64)
        slots = np.full((n, self.max_sites), empty, dtype=np.int64)
        frac = np.zeros((n, self.max_sites, 3), dtype=np.float32)
        for i in range(n):
            there = np.flatnonzero(crystals.numbers[i])
            order, first, slot = np.unique(rank[i, there], return_index=True, return_inverse=True)
            elements[i, : len(order)] = crystals.numbers[i, there[first]]
            places = crystals.frac[i, there]
            x, y, z = wrap(np.round(places, ROUND)).T
            sites = np.lexsort((z, y, x, slot))
            slots[i, : len(there)] = slot[sites]
            frac[i, : len(there)] = places[sites]
        lattice = (_cells(crystals) - self.mean) / self.spread
        return Codes(elements, slots, frac, lattice.astype(np.float32))

    def decode(self, codes: Codes) -> CrystalBatch:
        """Crystals of codes; a site of a slot without an element is empty."""
        padded = np.concatenate([codes.elements, np.zeros((len(codes), 1), dtype=np.int64)], axis=1)
        numbers = np.take_along_axis(padded, codes.slots, axis=1)
        frac = np.where((numbers > 0)[..., None], wrap(codes.frac), 0.0)
        cells = codes.lattice.astype(float) * self.spread + self.mean
        atoms = np.maximum((numbers > 0).sum(axis=1, keepdims=True), 1)
        lengths = np.exp(np.clip(cells[:, :3], *LOG_LENGTH)) * atoms ** (1 / 3)
        return CrystalBatch(numbers, frac, lengths, np.clip(cells[:, 3:] * ANGLE, *ANGLES))

    def config(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "max_elements": self.max_elements,
            "max_sites": self.max_sites,
            "mean": self.mean.tolist(),
            "spread": self.spread.tolist(),
        }

    @classmethod
    def restore(cls, config: dict[str, Any]) -> CrystalCodec:
        """Of what `config` gave."""
        return cls(config["max_elements"], config["max_sites"], np.array(config["mean"]), np.array(config["spread"]))


def _cells(crystals: CrystalBatch) -> Array:
    per_atom = crystals.lengths / np.maximum(crystals.n_sites, 1)[:, None] ** (1 / 3)
    return np.concatenate([np.log(per_atom), crystals.angles / ANGLE], axis=1)


@cache
def _ranks() -> Ints:
    """(104,) place of each atomic number in the order of electronegativity; no atom comes last."""
    known = [Element.from_Z(number).data.get("X") for number in range(1, N_ELEMENTS + 1)]
    values = np.array([5.0 if x is None or not np.isfinite(x) else x for x in known])
    order = np.argsort(values, kind="stable")
    ranks = np.empty(N_ELEMENTS + 1, dtype=np.int64)
    ranks[order + 1] = np.arange(N_ELEMENTS)
    ranks[0] = N_ELEMENTS
    return ranks
