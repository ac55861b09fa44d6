"""Our own properties: all that are declared here are known by name, in this order."""

from __future__ import annotations

from typing import Final

from fermiloop.platform.plugins.properties import PropertyDeclaration
from fermiloop.schemas.vocabulary import Property, Unit

# bounds: a number beyond is in another unit, or damaged
ENERGY_PER_ATOM: Final = PropertyDeclaration(
    name=str(Property.ENERGY_PER_ATOM),
    title="energy",
    unit=str(Unit.EV_PER_ATOM),
    description="energy about the program's own zero",
    scale=0.1,
    aim=(-10.0, 0.0),
    same=1e-3,
    lower_counts=True,
)
FORMATION_ENERGY_PER_ATOM: Final = PropertyDeclaration(
    name=str(Property.FORMATION_ENERGY_PER_ATOM),
    title="formation energy",
    unit=str(Unit.EV_PER_ATOM),
    description="formation energy",
    low=-50.0,
    high=50.0,
    scale=0.1,
    aim=(-3.0, 0.5),
    same=1e-3,
    lower_counts=True,
)
ENERGY_ABOVE_HULL: Final = PropertyDeclaration(
    name=str(Property.ENERGY_ABOVE_HULL),
    title="above hull",
    unit=str(Unit.EV_PER_ATOM),
    description="energy above the convex hull",
    low=-50.0,
    high=50.0,
    scale=0.1,
    aim=(0.0, 0.5),
    same=1e-3,
    lower_counts=True,
)
BAND_GAP: Final = PropertyDeclaration(
    name=str(Property.BAND_GAP),
    title="band gap",
    unit=str(Unit.EV),
    description="band gap, 0 of a metal",
    low=0.0,
    high=50.0,
    scale=0.5,
    aim=(0.0, 8.0),
    same=0.02,
)
FERMI_LEVEL: Final = PropertyDeclaration(
    name=str(Property.FERMI_LEVEL),
    title="Fermi level",
    unit=str(Unit.EV),
    description="computed Fermi level of a material, about the program's own zero",
    learned=False,  # its zero is another one in every crystal
    same=0.1,
)
MAGNETIC_MOMENT: Final = PropertyDeclaration(
    name=str(Property.MAGNETIC_MOMENT),
    title="magnetic moment",
    unit=str(Unit.MU_B_PER_CELL),
    description="magnetic moment of the stored cell",
    aim=(0.0, 10.0),
    same=0.05,
)
BULK_MODULUS: Final = PropertyDeclaration(
    name=str(Property.BULK_MODULUS),
    title="bulk modulus",
    unit=str(Unit.GPA),
    description="bulk modulus",
    low=-5000.0,
    high=5000.0,
    scale=10.0,
    aim=(0.0, 500.0),
    same=1.0,
)
SHEAR_MODULUS: Final = PropertyDeclaration(
    name=str(Property.SHEAR_MODULUS),
    title="shear modulus",
    unit=str(Unit.GPA),
    description="shear modulus",
    low=-5000.0,
    high=5000.0,
    scale=10.0,
    aim=(0.0, 500.0),
    same=1.0,
)
HYDROGEN_INTERSTITIAL_ENERGY: Final = PropertyDeclaration(
    name=str(Property.HYDROGEN_INTERSTITIAL_ENERGY),
    title="interstitial hydrogen",
    unit=str(Unit.EV_PER_HYDROGEN),
    description="energy of hydrogen of the molecule in the best interstitial site, negative where it is bound",
    low=-10.0,
    high=20.0,
    scale=0.1,
    aim=(-1.0, 2.0),
    same=0.02,
)
DOS_SIMILARITY: Final = PropertyDeclaration(
    name=str(Property.DOS_SIMILARITY),
    title="DOS similarity",
    description="cosine similarity of the density of states to that of a target",
    targetable=False,
    learned=False,
    of_material=False,
)
