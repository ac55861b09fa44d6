"""Compounds that iMatGen has to find again, what it may learn from then, and what simpler methods propose.

Of each group as many compounds, at random, each of a composition and a prototype of its own; whatever shares a
composition or a prototype with any of them is not learned from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from ase.data import covalent_radii
from pymatgen.core import Element, Lattice, Structure

from fermiloop.platform.bench.crystal_data import select
from fermiloop.platform.bench.imatgen import real_and_rest
from fermiloop.platform.bench.splits import prototypes, without
from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.imatgen.virtual import by_electronegativity, substituted
from fermiloop.platform.predictors.potential.volumes import guess_volume
from fermiloop.platform.representations.voxels import ImageCodec
from fermiloop.platform.search.optimisers.crystal_space import CrystalOptions, CrystalSpace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fermiloop.platform.representations.training import TrainingSet

VANADIUM: Final = "V-O"
OXIDES: Final = "other oxides"
OTHERS: Final = "other binaries"
GROUPS: Final = (VANADIUM, OXIDES, OTHERS)


@dataclass(frozen=True)
class Sought:
    """A compound to be found.

    Parameters
    ----------
    id
        Of the crystal in its file.
    group
        One of `GROUPS`.
    structure
        The crystal.
    """

    id: str
    group: str
    structure: Structure

    @property
    def pair(self) -> tuple[str, str]:
        """Its elements, the more electropositive first."""
        return by_electronegativity(self.structure.symbol_set)

    def as_pair(self, pair: tuple[str, str], volumes: Mapping[str, float]) -> Structure:
        """The crystal with another pair put into it, at the volume of these elements."""
        if self.pair == pair:
            return self.structure
        return substituted(self.structure, dict(zip(self.pair, pair, strict=True)), volumes)

    def back(self, crystal: Structure, pair: tuple[str, str], volumes: Mapping[str, float]) -> Structure:
        """A crystal of another pair with the own elements put into it."""
        return crystal if self.pair == pair else substituted(crystal, dict(zip(pair, self.pair, strict=True)), volumes)


def seek(crystals: TrainingSet, per_group: int, seed: int) -> tuple[TrainingSet, TrainingSet, list[Sought]]:
    """What is learned from, the compounds to be found as a set, and the same one by one.

    Parameters
    ----------
    crystals
        Of a file; V-O among them.
    per_group
        Compounds of each group at most.
    seed
        Of the random draws.

    Raises
    ------
    InputError
        If the file holds no V-O crystal that fits, or too few others.
    """
    real, rest = real_and_rest(select(crystals, n_elements=2, max_sites=20))
    if not len(real):
        raise InputError("The rediscovery bench needs V-O crystals in its file.")
    pool = without(select(rest, max_length=10.0), real)
    found = [Sought(name, VANADIUM, one) for name, one in zip(real.ids, real.structures, strict=True)][:per_group]
    oxides = _unlike(pool, per_group, seed, lambda one: "O" in one.symbol_set)
    others = _unlike(without(pool, pool.subset(oxides)), per_group, seed, lambda one: "O" not in one.symbol_set, pool)
    for group, rows in ((OXIDES, oxides), (OTHERS, others)):
        found += [Sought(pool.ids[i], group, pool.structures[i]) for i in rows]
    asked = pool.subset([*oxides, *others])
    train = without(pool, asked)
    if len(train) < 2:
        raise InputError(f"Only {len(train)} crystals are unlike the compounds to be found; give a larger file.")
    return train, asked, found


def random_crystal(structure: Structure, rng: np.random.Generator, volume: float) -> Structure:
    """Random symmetric places and cell for the atoms of a crystal, at a volume in Å³."""
    symbols = tuple(site.specie.symbol for site in structure)
    radii = np.array([covalent_radii[Element(symbol).Z] for symbol in symbols])
    point = CrystalSpace(symbols, radii, volume, CrystalOptions()).symmetric(rng)
    return Structure(Lattice(np.asarray(point.cell)), symbols, point.sites)


def nearest_substituted(sought: Sought, known: Sequence[Structure], volumes: Mapping[str, float]) -> Structure | None:
    """The known crystal of the same amounts whose elements are most alike, with the elements sought in it.

    Likeness is by Mendeleev number, as modified by Pettifor; None where there is no such crystal.
    """
    amounts = _amounts(sought.structure, sought.pair)
    best, least = None, np.inf
    for one in known:
        pair = by_electronegativity(one.symbol_set)
        for way in (pair, pair[::-1]):
            away = sum(abs(_place(a) - _place(b)) for a, b in zip(sought.pair, way, strict=True))
            if _amounts(one, way) == amounts and away < least:
                best, least = (one, way), away
    return None if best is None else substituted(best[0], dict(zip(best[1], sought.pair, strict=True)), volumes)


def volume_by_rule(structure: Structure, volumes: Mapping[str, float]) -> float:
    """Å³ of the atoms of a crystal."""
    amounts = structure.composition.get_el_amt_dict().items()
    return sum(n * volumes.get(symbol, guess_volume({symbol: 1.0})) for symbol, n in amounts)


def _unlike(
    data: TrainingSet, n: int, seed: int, wanted: Callable[[Structure], bool], whole: TrainingSet | None = None
) -> list[int]:
    """Rows of `whole` (`data` itself by default): random crystals of `data`, no two of a formula or prototype."""
    codec, names, kinds, found = ImageCodec(), set[str](), set[str](), list[int]()
    place = {name: i for i, name in enumerate((whole or data).ids)}
    labels = prototypes(data)
    for i in np.random.default_rng(seed).permutation(len(data)).tolist():
        structure = data.structures[i]
        name = structure.composition.reduced_formula
        if len(found) == n or not wanted(structure) or name in names or labels[i] in kinds:
            continue
        try:
            codec.boxed_positions(structure)
        except InputError:
            continue
        names.add(name)
        kinds.add(labels[i])
        found.append(place[data.ids[i]])
    return found


def _amounts(structure: Structure, pair: tuple[str, ...]) -> tuple[float, ...]:
    reduced = structure.composition.reduced_composition
    return tuple(float(reduced[symbol]) for symbol in pair)


def _place(symbol: str) -> float:
    return float(Element(symbol).mendeleev_no or 0)
