"""Random places with symmetry, made by PyXtal (Fredericks et al., Comput. Phys. Commun. 261, 107810, 2021).

Atoms are put on Wyckoff positions of a random group that can hold them. The attempts are counted, not timed, so
that a seed gives the same places on every machine; PyXtal's own loops are bounded too.
"""

from __future__ import annotations

import warnings
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fermiloop.platform.search.optimisers.protocol import Start
from fermiloop.platform.search.optimisers.random_search import RandomSearch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

TRIES: Final = 12
"""Groups tried before a place without symmetry is taken."""


class RandomSymmetric(RandomSearch):
    """A new symmetric start each time; learns nothing."""

    name = "random_symmetric"

    def ask(self) -> list[Start]:
        """One symmetric start."""
        return [Start(self._space.symmetric(self._rng))]


def symmetric_crystal(
    symbols: tuple[str, ...], groups: tuple[int, ...], rng: np.random.Generator
) -> tuple[Array, Array] | None:
    """(n, 3) fractional coordinates in the order of `symbols` and a (3, 3) cell, Å; None if no group would do."""
    counts = Counter(symbols)
    species = sorted(counts)
    for _ in range(TRIES):
        group, conventional = groups[int(rng.integers(len(groups)))], bool(rng.integers(2))
        made = _made(group, species, [counts[name] for name in species], rng, conventional=conventional)
        if made is None:
            continue
        structure = made.to_pymatgen()
        if len(structure) != len(symbols):
            structure = structure.get_primitive_structure()
        if Counter(site.specie.symbol for site in structure) != counts:
            continue
        frac = np.empty((len(symbols), 3))
        for name in species:
            there = [site.frac_coords for site in structure if site.specie.symbol == name]
            frac[[i for i, symbol in enumerate(symbols) if symbol == name]] = there
        return np.mod(frac, 1.0), np.array(structure.lattice.matrix)
    return None


def _made(group: int, species: list[str], counts: list[int], rng: np.random.Generator, *, conventional: bool) -> Any:
    """A crystal of PyXtal's, None where the group cannot hold the atoms or they would not fit."""
    from pyxtal import pyxtal  # seconds to import
    from pyxtal.msg import Comp_CompatibilityError, VolumeError

    crystal = pyxtal()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            crystal.from_random(3, group, species, counts, conventional=conventional, max_count=1, random_state=rng)
    except (Comp_CompatibilityError, VolumeError, ValueError, RuntimeError, IndexError):
        return None
    return crystal if crystal.valid else None
