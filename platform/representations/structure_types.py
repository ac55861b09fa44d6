"""All tabulated structure types: the cubic and hexagonal ones of `PROTOTYPES`, and those of more elements and systems.

`structure_types` gives them all by name, `fitting` those of some numbers of elements, crystal systems and sites, and
`prototype` a crystal of one. Cells are made from space group and Wyckoff positions when they are first asked for.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import spglib
from pymatgen.core import Lattice

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.canonical import crystal_system
from fermiloop.platform.representations.prototypes import PROTOTYPES, Prototype
from fermiloop.platform.representations.structure_type_table import ROWS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from numpy.typing import NDArray
    from pymatgen.core import Structure

    from fermiloop.platform.representations.structure_type_table import Row

    Array = NDArray[np.float64]

KNOWN: Final = {
    "A1": ("copper", 225, "Cu"),
    "A2": ("tungsten", 229, "W"),
    "A4": ("diamond", 227, "C"),
    "B1": ("rock salt", 225, "Na Cl; Mg O; Ti N"),
    "B2": ("caesium chloride", 221, "Cs Cl; Al Ni"),
    "B3": ("zincblende", 216, "Zn S; Ga As"),
    "C1": ("antifluorite", 225, "Li O; F Ca; O Zr"),
    "L1_2": ("gold copper", 221, "Cu Au; Pt Ni; Ti Pt"),
    "D0_3": ("bismuth fluoride", 225, "Fe Al; F Bi"),
    "A3": ("magnesium", 194, "Mg"),
    "B_h": ("tungsten carbide", 187, "W C; Ta N"),
    "B8_1": ("nickel arsenide", 194, "Ni As; Fe S"),
    "B4": ("wurtzite", 186, "Zn S; Al N; Zn O"),
    "C32": ("aluminium boride", 191, "B Al; B Zr"),
    "D0_19": ("tin nickel", 194, "Ni Sn; Ti Al"),
}
"""Common name, space group and compounds by slot of each of `PROTOTYPES`."""
ALL_TYPES: Final = "all"
"""What the option `structure_types` of generators says where it is more than those of `PROTOTYPES`."""
FLUORITE: Final = "fluorite"
"""C1 with the slots the other way round: the cation first, two anions second."""


@cache
def structure_types() -> dict[str, Prototype]:
    """Every structure type by its name; those of `PROTOTYPES` first, with unchanged cells."""
    known = {
        name: replace(PROTOTYPES[name], common=common, space_group=number, examples=_compounds(text))
        for name, (common, number, text) in KNOWN.items()
    }
    return known | {row.name: _made(row) for row in ROWS}


def fitting(
    n_elements: Collection[int], crystal_systems: Collection[str], max_sites: int, cubic_and_hexagonal: bool = False
) -> tuple[Prototype, ...]:
    """The structure types of some numbers of elements, in some crystal systems, of at most so many sites.

    Parameters
    ----------
    n_elements
        Numbers of distinct elements.
    crystal_systems
        Names of the crystal systems.
    max_sites
        Most sites of the primitive cell.
    cubic_and_hexagonal
        Whether only those of `PROTOTYPES` are wanted.
    """
    return tuple(
        found
        for found in structure_types().values()
        if len(found.amounts) in n_elements
        and found.crystal_system in crystal_systems
        and len(found.slots) <= max_sites
        and (found.name in PROTOTYPES or not cubic_and_hexagonal)
    )


def prototype(name: str, elements: Sequence[str], volume_per_atom: float) -> Structure:
    """The crystal of a structure type.

    Parameters
    ----------
    name
        Its name, such as ``E2_1``, or its common one, such as ``perovskite``.
    elements
        Symbols for its slots in their order, which is that of `Prototype.examples`.
    volume_per_atom
        Å³ per atom.

    Raises
    ------
    InputError
        If there is no such type.
    ValueError
        If the volume is not positive or the number of elements is not that of the slots.
    """
    if name == FLUORITE:
        return structure_types()["C1"].decorate(tuple(elements)[::-1], volume_per_atom)
    found = structure_types().get(name) or _by_common_name().get(name)
    if found is None:
        raise InputError(f"{name} is no tabulated structure type; choose one of {', '.join(structure_types())}.")
    return found.decorate(elements, volume_per_atom)


@cache
def _by_common_name() -> Mapping[str, Prototype]:
    return {found.common: found for found in structure_types().values()}


def _made(row: Row) -> Prototype:
    """The primitive cell of a row, of unit length a of its conventional cell."""
    slots, first = [], []
    for text in row.sites.split(";"):
        slot, *place = text.split()
        slots.append(slot)
        first.append([float(Fraction(part)) for part in place])
    matrix = _conventional(row)
    owners, sites = _orbits(row.space_group, np.array(first))
    names = sorted(set(slots))
    numbers = [names.index(slots[owner]) + 1 for owner in owners]
    given: Any = (matrix, sites, numbers)
    found: Any = spglib.standardize_cell(given, to_primitive=True, symprec=1e-4)
    cell, frac, kinds = found
    order = np.argsort(kinds, kind="stable")
    return Prototype(
        row.name,
        crystal_system(row.space_group),
        _rows(cell),
        "".join(names[kinds[i] - 1] for i in order),
        _rows(frac[order]),
        row.common,
        row.space_group,
        _compounds(row.examples),
    )


def _compounds(text: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(part.split()) for part in text.split(";"))


def _conventional(row: Row) -> Array:
    """Rows a, b, c of the conventional cell with a = 1."""
    system = crystal_system(row.space_group)
    b, c, beta, gamma = 1.0, 1.0, 90.0, 90.0
    if system in ("orthorhombic", "monoclinic"):
        b, c = row.shape[:2]
    elif row.shape:
        (c,) = row.shape
    if system == "monoclinic":
        beta = row.shape[2]
    if system in ("trigonal", "hexagonal"):
        gamma = 120.0
    return np.array(Lattice.from_parameters(1.0, b, c, 90.0, beta, gamma).matrix)


def _orbits(space_group: int, first: Array) -> tuple[list[int], Array]:
    """Every site of the conventional cell, and which of the first ones it comes from."""
    operations = spglib.get_symmetry_from_database(_hall_number(space_group))
    assert operations is not None
    owners: list[int] = []
    sites: list[Array] = []
    for owner, site in enumerate(first):
        images = (operations["rotations"] @ site + operations["translations"]) % 1.0
        _, places = np.unique(np.round(images, 3) % 1.0, axis=0, return_index=True)
        owners += [owner] * len(places)
        sites += list(images[np.sort(places)])
    return owners, np.array(sites)


@cache
def _hall_number(space_group: int) -> int:
    """The standard setting: the second origin, hexagonal axes, or the first that is listed."""
    of_it = _settings()[space_group]
    return next((hall for hall, choice in of_it if choice in ("2", "H")), of_it[0][0])


@cache
def _settings() -> dict[int, list[tuple[int, str]]]:
    """Hall numbers and choices of the setting by space group."""
    found: dict[int, list[tuple[int, str]]] = {}
    for hall in range(1, 531):
        kind = spglib.get_spacegroup_type(hall)
        assert kind is not None
        found.setdefault(int(kind.number), []).append((hall, str(kind.choice)))
    return found


def _rows(matrix: Array) -> tuple[tuple[float, float, float], ...]:
    return tuple((float(x), float(y), float(z)) for x, y, z in matrix)
