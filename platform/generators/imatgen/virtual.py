"""Virtual crystals: every binary crystal with two other elements put into it, both ways.

iMatGen's V-O set is made so from the binaries of the Materials Project (Noh et al., 2019: 7,472 binaries, 10,981
crystals of at most 20 atoms and 10 Å). The cell is scaled to the volume that the elements take up elsewhere; the
paper relaxes by DFT instead.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from pymatgen.core import Composition, Element, Structure

from fermiloop.platform.errors import InputError
from fermiloop.platform.predictors.potential.volumes import guess_volume
from fermiloop.platform.representations.neutrality import is_neutral_or_alloy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

VANADIUM_RANGE: Final = (2.0, 5.0)
"""Oxidation states of V in its oxides that the paper takes as valid: 2 ≤ 2y/x ≤ 5 in VxOy."""


@dataclass(frozen=True)
class VirtualSet:
    """Substituted crystals.

    Parameters
    ----------
    structures
        (n) crystals of the pair.
    parents
        (n,) row of the crystal each was made of.
    natural
        (n,) whether the more electronegative element stands where the parent had its own.
    """

    structures: tuple[Structure, ...]
    parents: NDArray[np.int64]
    natural: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.structures)


def virtual_set(
    structures: Sequence[Structure],
    pair: tuple[str, str],
    volumes: Mapping[str, float],
    max_sites: int = 20,
    max_length: float = 10.0,
) -> VirtualSet:
    """Both substitutions of a pair into each crystal of two elements, those that are small enough.

    Parameters
    ----------
    structures
        Others than binaries are passed over.
    pair
        Symbols.
    volumes
        Å³ per atom of elements; a guess from radii stands in where one is missing.
    max_sites, max_length
        Largest crystal, sites and Å, after scaling.

    Raises
    ------
    InputError
        If nothing comes of it.
    """
    low, high = by_electronegativity(pair)
    made, parents, natural = [], [], []
    for row, structure in enumerate(structures):
        if len(structure.composition) != 2 or len(structure) > max_sites:
            continue
        first, second = by_electronegativity([element.symbol for element in structure.composition.elements])
        for way in (True, False):
            to = (low, high) if way else (high, low)
            crystal = substituted(structure, dict(zip((first, second), to, strict=True)), volumes)
            if max(crystal.lattice.abc) <= max_length:
                made.append(crystal)
                parents.append(row)
                natural.append(way)
    if not made:
        raise InputError(
            f"No crystal of two elements with at most {max_sites} sites and axes of at most {max_length:g} Å is in the "
            "training set; imatgen cannot make virtual crystals from it."
        )
    return VirtualSet(tuple(made), np.array(parents, dtype=np.int64), np.array(natural, dtype=bool))


def substituted(structure: Structure, swap: Mapping[str, str], volumes: Mapping[str, float]) -> Structure:
    """A crystal with its elements exchanged, scaled by the volumes of the old and the new ones."""
    crystal = structure.copy()
    before = _volume(structure.composition, volumes)
    crystal.replace_species(dict[Any, Any](swap))
    crystal.scale_lattice(structure.volume * _volume(crystal.composition, volumes) / before)
    return crystal


def commonest_pair(structures: Sequence[Structure]) -> tuple[str, str]:
    """The commonest electropositive and the commonest electronegative element of the binaries.

    Raises
    ------
    InputError
        If there is no crystal of two elements.
    """
    pairs = [
        by_electronegativity([element.symbol for element in structure.composition.elements])
        for structure in structures
        if len(structure.composition) == 2
    ]
    if not pairs:
        raise InputError("imatgen learns from crystals of two elements, and the training set holds none.")
    first = min(Counter(pair[0] for pair in pairs).items(), key=lambda item: (-item[1], item[0]))[0]
    others = Counter(pair[1] for pair in pairs if pair[1] != first)
    return first, min(others.items(), key=lambda item: (-item[1], item[0]))[0]


def by_electronegativity(symbols: Sequence[str]) -> tuple[str, str]:
    """Two symbols, the more electropositive first; Pauling's scale, the atomic number where it has no value."""

    def key(symbol: str) -> tuple[float, int]:
        value = float(Element(symbol).X)
        return (value if np.isfinite(value) else 10.0, Element(symbol).Z)

    first, second = sorted(symbols, key=key)
    return first, second


def valid_oxidation(composition: Composition) -> bool:
    """Whether there are oxidation states for two elements: 2 to 5 of V in V-O, as published; else SMACT's.

    Metals among themselves pass, as in `representations.neutrality`.
    """
    symbols = {element.symbol for element in composition.elements}
    if symbols == {"V", "O"}:
        state = 2 * composition["O"] / composition["V"]
        return bool(VANADIUM_RANGE[0] <= state <= VANADIUM_RANGE[1])
    if len(symbols) < 2:
        return False
    return is_neutral_or_alloy(composition)


def _volume(composition: Composition, volumes: Mapping[str, float]) -> float:
    amounts = composition.get_el_amt_dict().items()
    return sum(n * volumes.get(symbol, guess_volume({symbol: 1.0})) for symbol, n in amounts)
