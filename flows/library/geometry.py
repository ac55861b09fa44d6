"""Geometry of the library's crystals by CHGNet, and how far they lie above their elements by it."""

from __future__ import annotations

from functools import cache
from typing import Final

from pymatgen.core import Lattice, Structure

from fermiloop.flows.library.entries import ELEMENTAL, Entry, amounts
from fermiloop.platform.predictors.potential.chgnet import ChgnetPotential
from fermiloop.platform.predictors.potential.relaxing import relax
from fermiloop.platform.predictors.potential.volumes import equilibrium_volume, guess_volume
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.representations.structure_types import structure_types

MAX_FORMATION: Final = 0.25  # eV per atom by CHGNet
VOLUME_ALONE: Final = frozenset(
    {name for name, one in PROTOTYPES.items() if one.crystal_system == "cubic"}
    | {"C1_b", "L2_1", "X_a", "E2_1", "D0_9"}
)
"""Structure types without a free parameter of shape or site."""
BONDS: Final = {"N": 1.10, "O": 1.21, "F": 1.41}  # Å, of the free molecules
BOX: Final = 5.0  # Å, between molecules: within reach of the potential's graph, beyond that of any bond


def cheap_geometry(entry: Entry) -> tuple[str, Structure, float]:
    """Lowest structure type of an entry by CHGNet, its geometry, and its energy in eV per atom.

    Where symmetry fixes everything but the volume, that alone is found; others are relaxed as well, unless they lie so
    high above the elements that relaxing could not help.
    """
    candidates = [(*scaled(name, entry.elements), name) for name in entry.prototypes]
    structure, energy, name = min(candidates, key=lambda row: row[1])
    hopeless = len(entry.elements) > 1 and formation_energy(structure, energy) > 2 * MAX_FORMATION
    if name in VOLUME_ALONE or hopeless:
        return name, structure, energy
    relaxed = relax(ChgnetPotential(), structure, fmax=0.03, steps=60)
    return name, relaxed.structure, relaxed.energy_per_atom


def scaled(prototype: str, elements: tuple[str, ...]) -> tuple[Structure, float]:
    """A decorated structure type at its CHGNet volume, and its energy in eV per atom."""
    made = structure_types()[prototype]
    guess = guess_volume(amounts(prototype, elements))
    volume, energy = equilibrium_volume(ChgnetPotential(), lambda v: made.decorate(elements, v), guess)
    return made.decorate(elements, volume), energy


def formation_energy(structure: Structure, energy_per_atom: float) -> float:
    """CHGNet formation energy in eV per atom against the lowest elemental crystals or molecules."""
    fractions = structure.composition.fractional_composition.items()
    return energy_per_atom - sum(fraction * elemental_energy(element.symbol) for element, fraction in fractions)


@cache
def elemental_energy(element: str) -> float:
    """CHGNet energy of the lowest elemental form, eV per atom."""
    if element in BONDS:
        return ChgnetPotential().energies([molecule(element, BOX)])[0]
    if element == "B":
        return relax(ChgnetPotential(), alpha_boron()).energy_per_atom
    return min(cheap_geometry(Entry((element,), (name,)))[2] for name in ELEMENTAL)


def molecule(element: str, box: float) -> Structure:
    """N2, O2 or F2 in a cube of edge `box` (Å); oxygen with the moments of its triplet."""
    half = BONDS[element] / 2
    sites = [[box / 2, box / 2, box / 2 + sign * half] for sign in (-1, 1)]
    made = Structure(Lattice.cubic(box), [element, element], sites, coords_are_cartesian=True)
    if element == "O":
        made.add_site_property("magmom", [1.0, 1.0])
    return made


def alpha_boron() -> Structure:
    """B12 in the cell of Decker and Kasper, Acta Cryst. 12, 503 (1959)."""
    lattice = Lattice.hexagonal(4.908, 12.567)
    sites = [[0.1189, -0.1189, -0.1088], [0.1968, -0.1968, 0.0241]]
    return Structure.from_spacegroup("R-3m", lattice, ["B", "B"], sites).get_primitive_structure()
