"""Prototypes learned from crystals: which sites there are, and what has sat on them.

Crystals of one anonymous formula, one space group and the same Wyckoff letters are one prototype; two of them that
differ by the choice of the origin alone are found by `StructureMatcher` and joined. A slot is a set of sites that
one element fills; slots are ordered by amount, then by the electronegativity of the element.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import spglib
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Element, Lattice, Structure

from fermiloop.platform.errors import InputError
from fermiloop.platform.predictors.potential.volumes import guess_volume
from fermiloop.platform.representations.canonical import crystal_system
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.representations.structure_types import ALL_TYPES, structure_types

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

TABLES: Final = ("cubic_hexagonal", ALL_TYPES)
"""Which tabulated structure types are decorated: `PROTOTYPES`, or all."""
TOLERANCE: Final = 0.05
"""Å of spglib's search."""
PAINT: Final = ("Li", "F", "Ti", "Se", "Pb", "O", "Ru", "Gd")
"""Elements that stand for slots where prototypes are compared."""
PLAIN: Final = ("Li", "F")
"""Elements of a tabulated prototype without an example."""
CELL_TOLERANCE: Final = (0.2, 0.3, 5.0)
"""Of `StructureMatcher`: lengths, sites, degrees."""


@dataclass(frozen=True)
class Template:
    """A prototype to be decorated.

    Parameters
    ----------
    name
        Strukturbericht name, or anonymous formula, space group and Wyckoff letters of each slot.
    system
        Crystal system.
    cell
        Rows a, b, c of the primitive cell at 1 Å³ per atom.
    frac
        Fractional coordinates of the sites.
    slots
        Slot of each site.
    count
        Known crystals of it; 0 for a tabulated one that was not seen.
    log_radii, negativities
        Means over the known occupants of each slot, ln(Å) and Pauling units; empty where none is known.
    packing
        Volume over that of the elements, mean over the known crystals.
    exchangeable
        Pairs of slots whose elements may be swapped without making another crystal.
    examples
        Compounds of a tabulated one, an element for each slot; what its occupants are like where none was seen.
    """

    name: str
    system: str
    cell: tuple[tuple[float, ...], ...]
    frac: tuple[tuple[float, ...], ...]
    slots: tuple[int, ...]
    count: int = 0
    log_radii: tuple[float, ...] = ()
    negativities: tuple[float, ...] = ()
    packing: float = 1.0
    exchangeable: tuple[tuple[int, int], ...] = ()
    examples: tuple[tuple[str, ...], ...] = ()

    @property
    def occupants(self) -> tuple[tuple[tuple[float, ...], tuple[float, ...]], ...]:
        """Logarithms of radii and electronegativities by slot: the means of those known, or those of each example."""
        if self.count:
            return ((self.log_radii, self.negativities),)
        return tuple((tuple(map(log_radius, one)), tuple(map(negativity, one))) for one in self.examples)

    @property
    def amounts(self) -> tuple[int, ...]:
        """Sites of each slot."""
        return tuple(self.slots.count(slot) for slot in range(max(self.slots) + 1))

    def build(self, symbols: Sequence[str], volume_per_atom: float) -> Structure:
        """The crystal with an element in each slot, at a volume in Å³ per atom."""
        lattice = Lattice(np.array(self.cell) * volume_per_atom ** (1 / 3))
        return Structure(lattice, [symbols[slot] for slot in self.slots], self.frac)

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Template:
        """From what `dataclasses.asdict` and JSON made of one."""
        plain = dict(config)
        for name in ("cell", "frac", "exchangeable", "examples"):
            plain[name] = tuple(tuple(row) for row in plain.get(name, ()))
        for name in ("slots", "log_radii", "negativities"):
            plain[name] = tuple(plain[name])
        return cls(**plain)


@dataclass(frozen=True)
class _Seen:
    """One crystal: its place in the data, its prototype, its elements in the order of the slots, Å³ per atom."""

    place: int
    name: str
    symbols: tuple[str, ...]
    volume: float


@dataclass(frozen=True)
class _Group:
    """Crystals of one prototype, and its cell from the first of them."""

    template: Template
    members: tuple[_Seen, ...]


def check_table(name: str) -> None:
    """Refuse what is none of `TABLES`.

    Raises
    ------
    InputError
        If it is none.
    """
    if name not in TABLES:
        raise InputError(f"{name} is no table of structure types; choose one of {', '.join(TABLES)}.")


def learn_templates(
    structures: Sequence[Structure],
    volumes: Mapping[str, float],
    most: int,
    tell: Callable[[float], None],
    all_types: bool = False,
) -> tuple[list[Template], set[tuple[str, tuple[str, ...]]]]:
    """Prototypes of crystals, the most frequent first, and then the tabulated ones that were not among them.

    Parameters
    ----------
    structures
        Ordered crystals.
    volumes
        Å³ per atom of each element.
    most
        Learned prototypes to keep.
    tell
        Told the share that is done.
    all_types
        Whether all tabulated structure types join, with what their compounds are like, or `PROTOTYPES` alone.

    Returns
    -------
    The prototypes, and name and elements of every decoration that was seen.
    """
    groups: dict[str, list[_Seen]] = defaultdict(list)
    for i, structure in enumerate(structures):
        seen = _analyse(i, structure)
        if seen is not None:
            groups[seen.name].append(seen)
        tell((i + 1) / len(structures))
    frequent = sorted(groups.values(), key=lambda group: (-len(group), group[0].name))[: 2 * most]
    joined = _joined([_Group(_template(structures[seen[0].place], seen[0]), tuple(seen)) for seen in frequent])[:most]
    templates = [_summed(group, volumes) for group in joined]
    known = {(group.template.name, seen.symbols) for group in joined for seen in group.members}
    return templates + _tabulated(templates, all_types), known


def log_radius(symbol: str) -> float:
    """Logarithm of the atomic radius in Å."""
    return _scales(symbol)[0]


def negativity(symbol: str) -> float:
    """Pauling's electronegativity."""
    return _scales(symbol)[1]


@cache
def _scales(symbol: str) -> tuple[float, float]:
    data = Element(symbol).data  # the properties warn where there is no value
    radius = next(
        (data[k] for k in ("Atomic radius", "Atomic radius calculated") if isinstance(data.get(k), int | float)), 1.4
    )
    value = data.get("X")
    noble = {"He": 4.2, "Ne": 4.5, "Ar": 3.2}.get(symbol, 1.7)  # none tabulated
    return float(np.log(radius)), float(value) if isinstance(value, int | float) else noble


def _analyse(place: int, structure: Structure) -> _Seen | None:
    """The prototype of one crystal; None where spglib finds no symmetry."""
    data = spglib.get_symmetry_dataset(_plain(structure), symprec=TOLERANCE)
    if data is None:
        return None
    species = [site.specie.symbol for site in structure]
    symbols = _slot_order(species)
    orbits = {int(o): (species[i], data.wyckoffs[i]) for i, o in enumerate(data.crystallographic_orbits)}
    letters = ["".join(sorted(letter for owner, letter in orbits.values() if owner == s)) for s in symbols]
    name = "/".join([structure.composition.anonymized_formula, str(data.number), *letters])
    return _Seen(place, name, tuple(symbols), structure.volume / len(structure))


def _plain(structure: Structure) -> Any:
    """Cell, sites and atomic numbers as spglib takes them."""
    return structure.lattice.matrix, structure.frac_coords, structure.atomic_numbers


def _slot_order(species: Sequence[str]) -> list[str]:
    return sorted(set(species), key=lambda symbol: (species.count(symbol), negativity(symbol), symbol))


def _template(structure: Structure, seen: _Seen) -> Template:
    """The primitive cell of a crystal, made symmetric, without its size and elements."""
    primitive: Any = spglib.standardize_cell(_plain(structure), to_primitive=True, symprec=TOLERANCE)
    matrix, frac, numbers = primitive
    volume = abs(float(np.linalg.det(matrix))) / len(numbers)
    slots = tuple(seen.symbols.index(Element.from_Z(int(number)).symbol) for number in numbers)
    system = crystal_system(int(seen.name.split("/")[1]))
    return Template(seen.name, system, _rows(matrix / volume ** (1 / 3)), _rows(frac), slots)


def _rows(matrix: Array) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(float(x) for x in row) for row in matrix)


def _painted(template: Template, swap: tuple[int, int] | None = None) -> Structure:
    paint = list(PAINT[: len(template.amounts)])
    if swap:
        paint[swap[0]], paint[swap[1]] = paint[swap[1]], paint[swap[0]]
    return template.build(paint, 15.0)


def _same(a: Structure, b: Structure) -> bool:
    length, site, angle = CELL_TOLERANCE
    return bool(StructureMatcher(ltol=length, stol=site, angle_tol=angle, primitive_cell=False).fit(a, b))


def _joined(groups: list[_Group]) -> list[_Group]:
    """Groups of one formula and space group whose crystals are the same by another origin, in the first of them."""
    kept: list[_Group] = []
    places: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for group in groups:
        template = group.template
        key = (*template.name.split("/")[:2], str(template.amounts))
        if len(template.amounts) > len(PAINT):
            continue
        for place in places[key]:
            if _same(_painted(kept[place].template), _painted(template)):
                kept[place] = replace(kept[place], members=kept[place].members + group.members)
                break
        else:
            places[key].append(len(kept))
            kept.append(group)
    return sorted(kept, key=lambda group: (-len(group.members), group.template.name))


def _summed(group: _Group, volumes: Mapping[str, float]) -> Template:
    """The prototype with the means of its occupants."""
    members, amounts = group.members, group.template.amounts
    radii = np.mean([[log_radius(symbol) for symbol in seen.symbols] for seen in members], axis=0)
    values = np.mean([[negativity(symbol) for symbol in seen.symbols] for seen in members], axis=0)
    return replace(
        group.template,
        count=len(members),
        log_radii=tuple(radii.tolist()),
        negativities=tuple(values.tolist()),
        packing=float(np.mean([seen.volume / volume_of(seen.symbols, amounts, volumes) for seen in members])),
        exchangeable=_exchangeable(group.template),
    )


@cache
def _exchangeable(template: Template) -> tuple[tuple[int, int], ...]:
    amounts, plain = template.amounts, _painted(template)
    return tuple(
        (i, j)
        for i, j in combinations(range(len(amounts)), 2)
        if amounts[i] == amounts[j] and _same(plain, _painted(template, (i, j)))
    )


def _tabulated(learned: Sequence[Template], all_types: bool) -> list[Template]:
    """The prototypes of the table that none of the learned ones is."""
    made = []
    for group, template in _table(all_types):
        like = [other for other in learned if (other.amounts, other.name.split("/")[1]) == (template.amounts, group)]
        if not any(_same(_painted(other), _painted(template)) for other in like):
            made.append(template)
    return made


def tabulated_types() -> tuple[Template, ...]:
    """Every tabulated structure type."""
    return tuple(template for _, template in _table(all_types=True))


@cache
def _table(all_types: bool) -> tuple[tuple[str, Template], ...]:
    """Space group and template of every prototype of a table."""
    made = []
    for prototype in (structure_types() if all_types else PROTOTYPES).values():
        elements = prototype.example or PLAIN[: len(prototype.amounts)]
        crystal = prototype.decorate(elements, 15.0)
        seen = _analyse(0, crystal)
        assert seen is not None
        order = [elements.index(symbol) for symbol in seen.symbols]
        examples = tuple(tuple(one[i] for i in order) for one in prototype.examples)
        template = replace(_template(crystal, seen), name=prototype.name, examples=examples)
        made.append((seen.name.split("/")[1], replace(template, exchangeable=_exchangeable(template))))
    return tuple(made)


def volume_of(symbols: Sequence[str], amounts: Sequence[int], volumes: Mapping[str, float]) -> float:
    """Å³ per atom of the elements, added up by amount."""
    total = sum(n * volumes.get(s, guess_volume({s: 1.0})) for s, n in zip(symbols, amounts, strict=True))
    return total / sum(amounts)
