"""The crystals of a replay: what may be seen of them, and the answers, which may not until they are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np
from pymatgen.core import Element, Structure

from fermiloop.platform.errors import InputError
from fermiloop.platform.predictors.descriptors import structure_descriptors
from fermiloop.platform.predictors.pair_vectors import bond_vectors, mixture_vectors

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Rows = NDArray[np.int64]

PORTION: Final = 250
"""Crystals described between two reports of progress."""
N_FRACTIONS: Final = 103
N_COMPOSITION: Final = 193
"""Leading columns of the descriptors that are atomic fractions, and that follow from the composition."""
CLIP: Final = 6.0
"""Standard deviations at which a descriptor is cut off."""


@dataclass(frozen=True)
class Goal:
    """Values that count as a hit: from `low` to `high`, one of which may be infinite.

    Parameters
    ----------
    low, high
        In the unit of the values.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low < self.high or np.isinf([self.low, self.high]).all():
            raise InputError(f"A target lies between two numbers, not between {self.low} and {self.high}.")

    def holds(self, values: Array) -> NDArray[np.bool_]:
        """(n,) whether values are hits."""
        return (values >= self.low) & (values <= self.high)

    def nearness(self, values: Array) -> Array:
        """(n,) larger is better: minus the distance from the middle, or how far beyond the one finite end."""
        if np.isinf(self.low):
            return self.high - values
        return values - self.low if np.isinf(self.high) else -np.abs(values - (self.low + self.high) / 2)


@dataclass(frozen=True)
class Pool:
    """Crystals that a replay may ask for.

    Parameters
    ----------
    ids
        Names, no two alike.
    descriptors
        (n, 271) `structure_descriptors`.
    mixtures, bonds
        (n, 103) and (n, 820) `mixture_vectors`, `bond_vectors`.
    columns, prototypes
        Of each crystal its composition by columns of the periodic table, and its kind of structure: crystals alike in
        both become each other by substitution.
    values
        (n,) the answers, finite.
    hits
        (n,) which of them are hits.
    """

    ids: tuple[str, ...]
    descriptors: Array
    mixtures: Array
    bonds: Array
    columns: tuple[str, ...]
    prototypes: tuple[str, ...]
    values: Array
    hits: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.ids)

    def subset(self, rows: Rows) -> Pool:
        """The crystals asked for, in that order."""
        return Pool(
            tuple(self.ids[i] for i in rows),
            self.descriptors[rows],
            self.mixtures[rows],
            self.bonds[rows],
            tuple(self.columns[i] for i in rows),
            tuple(self.prototypes[i] for i in rows),
            self.values[rows],
            self.hits[rows],
        )

    def asked(self, goal: Goal) -> Pool:
        """The same crystals, with those hits that lie within a goal."""
        return Pool(
            self.ids, self.descriptors, self.mixtures, self.bonds, self.columns, self.prototypes, self.values,
            goal.holds(self.values),
        )  # fmt: skip

    @cached_property
    def scaled(self) -> Array:
        """(n, 271) descriptors in standard deviations of the pool: crystals are known, only answers are not."""
        width = self.descriptors.std(axis=0)
        there = np.where(width > 1e-9, width, 1.0)
        return np.clip((self.descriptors - self.descriptors.mean(axis=0)) / there, -CLIP, CLIP)

    @cached_property
    def single(self) -> NDArray[np.float32]:
        """(n, 271) descriptors as trees take them."""
        return np.ascontiguousarray(self.descriptors, dtype=np.float32)

    def components(self, first: int, last: int, n: int) -> Array:
        """(m, n) leading principal components of some columns of `scaled`."""
        part = self.scaled[:, first:last]
        part = part - part.mean(axis=0)
        directions = np.linalg.eigh(part.T @ part)[1][:, ::-1][:, :n]
        return np.asarray(part @ directions)


def make_pool(
    ids: Sequence[str],
    structures: Sequence[Structure],
    prototypes: Sequence[str],
    values: Array,
    hits: NDArray[np.bool_],
    progress: Callable[[str, float], None],
) -> Pool:
    """Describe crystals.

    Parameters
    ----------
    ids, structures, prototypes
        Of the n crystals.
    values, hits
        (n,) answers, and which of them are hits.

    Raises
    ------
    InputError
        If two ids are alike, an answer is not finite, or an element lies beyond Lr.
    """
    if len(set(ids)) != len(ids):
        raise InputError("Two crystals of a replay bear the same id; give each its own.")
    if not np.isfinite(values).all():
        raise InputError("A crystal of a replay has no finite value; leave it out.")
    described: list[tuple[Array, Array, Array]] = []
    for start in range(0, len(structures), PORTION):
        progress("describing crystals", start / len(structures))
        some = structures[start : start + PORTION]
        described.append((structure_descriptors(some), mixture_vectors(some), bond_vectors(some)))
    descriptors, mixtures, bonds = (np.concatenate(parts) for parts in zip(*described, strict=True))
    columns = tuple(_columns(structure) for structure in structures)
    return Pool(tuple(ids), descriptors, mixtures, bonds, columns, tuple(prototypes), values, hits)


def _columns(structure: Structure) -> str:
    """Composition with columns of the periodic table in place of elements: ``"1:1 17:1"`` for NaCl and KBr alike."""
    amounts = structure.composition.element_composition.reduced_composition.get_el_amt_dict().items()
    return " ".join(f"{group}:{amount:g}" for group, amount in sorted((Element(e).group, n) for e, n in amounts))
