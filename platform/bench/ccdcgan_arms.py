"""Candidates of a binary system: by the network with its constraint and without, and by what needs no training.

All of them have no more sites than the network may make, and what lies on top of each other is left out by the same
test. Random crystals have the amounts of a crystal of the training set and any space group; substituted ones are
crystals of the training set with both elements changed within their columns. The volumes of both are by rule, from
lengths of bonds.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Lattice, Structure

from fermiloop.platform.generators.acceptance import fault
from fermiloop.platform.generators.protocol import Space, Target
from fermiloop.platform.predictors.potential.volumes import volume_by_bonds
from fermiloop.platform.search.optimisers.random_symmetric import symmetric_crystal
from fermiloop.platform.search.substitution import swaps

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from fermiloop.platform.generators.ccdcgan.generator import Ccdcgan

    System = tuple[str, str]

RANDOM: Final = "random symmetric"
SUBSTITUTED: Final = "substitution"
GROUPS: Final = tuple(range(2, 231))
CROWDED: Final = 4
"""Times as many random crystals are drawn as are wanted, at most."""
EVERY: Final = (
    "triclinic", "monoclinic", "orthorhombic", "tetragonal", "trigonal", "hexagonal", "cubic",
)  # fmt: skip


def candidates(
    networks: Mapping[str, Ccdcgan], learned: Sequence[Structure], system: System, most_sites: int, n: int, seed: int
) -> dict[str, list[Structure]]:
    """At most `n` crystals of a system, unlike each other, by each way.

    Parameters
    ----------
    networks
        Trained, by their names.
    learned
        The training set.
    system
        Two symbols.
    most_sites
        Of a cell.
    seed
        Of what is random; each system and way draws on its own.
    """
    space = Space(system, (2, 2), EVERY, most_sites)
    made = {
        name: [proposal.structure for proposal in network.sample(Target(), space, n, _rng(seed, system, name))]
        for name, network in networks.items()
    }
    made[RANDOM] = _some(random_crystals(learned, system, most_sites, _rng(seed, system, RANDOM)), n, CROWDED * n)
    made[SUBSTITUTED] = _some(substituted(learned, system, most_sites, _rng(seed, system, SUBSTITUTED)), n)
    return {name: unlike(crystals) for name, crystals in made.items()}


def random_crystals(
    learned: Sequence[Structure], system: System, most_sites: int, rng: np.random.Generator
) -> Iterator[Structure]:
    """Random symmetric crystals without end, some of them impossible."""
    small = [one for one in learned if len(one) <= most_sites and len(one.composition) == 2]
    while True:
        amounts = list(small[int(rng.integers(len(small)))].composition.values())
        first, second = rng.permutation(system).tolist()
        symbols = (first,) * round(amounts[0]) + (second,) * round(amounts[1])
        found = symmetric_crystal(symbols, GROUPS, rng)
        if found is not None:
            yield by_rule(Structure(Lattice(found[1]), list(symbols), found[0]))


def substituted(
    learned: Sequence[Structure], system: System, most_sites: int, rng: np.random.Generator
) -> Iterator[Structure]:
    """Crystals of the training set whose elements stand in the columns of those of the system, with these in place."""
    for place in rng.permutation(len(learned)):
        parent = learned[int(place)]
        if len(parent) > most_sites or len(parent.composition) != 2:
            continue
        for swap in swaps(list(parent.symbol_set), system, 2):
            child = parent.copy()
            child.replace_species(dict[Any, Any](swap))
            yield by_rule(child)


def by_rule(structure: Structure) -> Structure:
    """The crystal at its volume from lengths of bonds."""
    structure.scale_lattice(volume_by_bonds(structure) * len(structure))
    return structure


def unlike(structures: Sequence[Structure]) -> list[Structure]:
    """The first of each group of crystals that match."""
    matcher, kept = StructureMatcher(), list[Structure]()
    for one in structures:
        formula = one.composition.reduced_formula
        if not any(matcher.fit(one, other) for other in kept if other.composition.reduced_formula == formula):
            kept.append(one)
    return kept


def _some(drawn: Iterator[Structure], n: int, most: int | None = None) -> list[Structure]:
    """The first `n` possible crystals, of `most` at most."""
    found: list[Structure] = []
    for place, one in enumerate(drawn):
        if len(found) == n or place == most:
            break
        if fault(one) is None:
            found.append(one)
    return found


def _rng(seed: int, system: System, name: str) -> np.random.Generator:
    return np.random.default_rng([seed, zlib.crc32(f"{'-'.join(system)} {name}".encode())])
