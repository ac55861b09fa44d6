"""Ground states of the elements as structure types: what `element_references` relaxes.

The type is that in which an element is known at low temperature and ambient pressure, unless the Materials Project's
list of elements (CC BY 4.0) has another phase lower by more than `UNSURE`; where that has many atoms, a small allotrope
stands for it. H, N, O, F, Cl and S are molecules in a box. Cells are starting points only: Donohue, The Structures of
the Elements (1974); bond lengths: Huber and Herzberg, Constants of Diatomic Molecules (1979).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from pymatgen.core import Lattice, Structure

from fermiloop.platform.representations.prototypes import PROTOTYPES

UNSURE: Final = 0.04  # eV/atom; differences between phases below it depend on the program
VACUUM: Final = 7.0  # Å between a molecule and its next image, at the least
THIRD: Final = 1 / 3

BY_TYPE: Final[dict[str, str]] = {
    "A1": "Ne Al Ar Ca Ni Cu Kr Sr Rh Pd Ag Xe Ce Eu Yb Ir Pt Au Pb Ac Th Pa",
    "A2": "Li Na K V Cr Fe Rb Nb Mo Cs Ba Ta W",
    "A3": "He Be Mg Sc Ti Mn Co Zn Y Zr Tc Ru Cd Gd Tb Dy Ho Er Tm Lu Hf Re Os Hg Tl",
    "A3'": "La Pr Nd Pm",
    "A4": "Si Ge Sn",
    "A6": "In",
    "A7": "As Sb Bi",
    "A8": "Se Te",
    "A9": "C",
    "A11": "Ga",
    "A14": "Br I",
    "A17": "P",
    "A20": "U",
    "C19": "Sm",
    "B12": "B",
    "molecule": "H N O F Cl S",
}
TITLES: Final = {
    "A1": "face-centred cubic", "A2": "body-centred cubic", "A3": "hexagonal close packed",
    "A3'": "double hexagonal close packed", "A4": "diamond", "A6": "tetragonal, of indium",
    "A7": "rhombohedral, of arsenic", "A8": "chains, of selenium", "A9": "graphite", "A11": "orthorhombic, of gallium",
    "A14": "crystal of molecules, of iodine", "A17": "black phosphorus", "A20": "orthorhombic, of uranium",
    "C19": "nine layers, of samarium", "B12": "rhombohedral, of icosahedra", "molecule": "molecule in a box",
}  # fmt: skip
STANDS_FOR: Final = {
    "Mn": "A12, 29 atoms, antiferromagnetic", "P": "red phosphorus, 42 atoms", "S": "S8 molecules in A16, 32 atoms",
    "Se": "monoclinic, 64 atoms", "C": "other stackings of graphite", "H": "the crystal of its molecules",
    "N": "the crystal of its molecules", "O": "the crystal of its molecules", "F": "the crystal of its molecules",
    "Cl": "the crystal of its molecules",
}  # fmt: skip
"""What of low temperature a small cell stands for; other differences from the list are below `UNSURE`."""
BONDS: Final = {"H": 0.741, "N": 1.098, "O": 1.208, "F": 1.412, "Cl": 1.988}  # Å
MOMENTS: Final = {"O": 1.0}  # μB per atom: O2 is a triplet
CROWN: Final = (2.351, 0.496)  # Å; radius and half height of S8: bonds of 2.055 Å, angles of 108°

VOLUMES: Final = {
    "He": 18.0,
    "Ne": 22.2,
    "Ar": 37.5,
    "Kr": 45.1,
    "Xe": 57.6,
}  # Å³/atom, which nearly nothing holds together

# space group, (a, b, c) in Å, (α, β, γ) in degrees, site
CELLS: Final[dict[str, tuple[str, tuple[float, float, float], float, tuple[tuple[float, float, float], ...]]]] = {
    "In": ("I4/mmm", (3.25, 3.25, 4.95), 90, ((0, 0, 0),)),
    "As": ("R-3m", (3.76, 3.76, 10.55), 120, ((0, 0, 0.227),)),
    "Sb": ("R-3m", (4.31, 4.31, 11.27), 120, ((0, 0, 0.2335),)),
    "Bi": ("R-3m", (4.55, 4.55, 11.86), 120, ((0, 0, 0.234),)),
    "Se": ("P3_121", (4.37, 4.37, 4.95), 120, ((0.225, 0, THIRD),)),
    "Te": ("P3_121", (4.46, 4.46, 5.93), 120, ((0.265, 0, THIRD),)),
    "C": ("P6_3/mmc", (2.46, 2.46, 6.71), 120, ((0, 0, 0.25), (THIRD, 2 * THIRD, 0.25))),
    "Ga": ("Cmce", (4.52, 7.66, 4.53), 90, ((0, 0.154, 0.081),)),
    "Br": ("Cmce", (6.67, 4.49, 8.72), 90, ((0, 0.136, 0.117),)),
    "I": ("Cmce", (7.14, 4.69, 9.78), 90, ((0, 0.154, 0.117),)),
    "P": ("Cmce", (3.31, 10.48, 4.38), 90, ((0, 0.102, 0.081),)),
    "U": ("Cmcm", (2.85, 5.87, 4.96), 90, ((0, 0.1025, 0.25),)),
    "Sm": ("R-3m", (3.63, 3.63, 26.2), 120, ((0, 0, 0), (0, 0, 0.222))),
    "B": ("R-3m", (4.91, 4.91, 12.57), 120, ((0.1188, -0.1188, 0.8918), (0.1969, -0.1969, 0.0243))),
}


@dataclass(frozen=True)
class Start:
    """What an element begins from.

    Parameters
    ----------
    kind
        Its structure type, by the Strukturbericht where that has one.
    structure
        A primitive cell about as large as it will be; moments where it has any.
    scaled
        Whether only its volume is unknown, so that a scan finds it.
    """

    symbol: str
    kind: str
    structure: Structure
    scaled: bool

    @property
    def is_molecule(self) -> bool:
        """Whether it is a molecule in a box, whose cell says nothing."""
        return self.kind == "molecule"


KINDS: Final = {symbol: kind for kind, symbols in BY_TYPE.items() for symbol in symbols.split()}


def start_of(symbol: str, volume: float) -> Start:
    """The structure type of an element.

    Parameters
    ----------
    volume
        Å³ per atom, of types that have no other parameter.

    Raises
    ------
    KeyError
        If none is known of this element.
    """
    kind = KINDS[symbol]
    if kind == "molecule":
        return Start(symbol, kind, molecule(symbol), scaled=False)
    if kind in PROTOTYPES:
        made = PROTOTYPES[kind].build(symbol, None, VOLUMES.get(symbol, volume))
        return Start(symbol, kind, made, scaled=symbol not in VOLUMES)
    return Start(symbol, kind, _double_hexagonal(symbol, volume) if kind == "A3'" else _listed(symbol), scaled=False)


def molecule(symbol: str) -> Structure:
    """The molecule of an element along the fourfold axis of a box, with `VACUUM` about it."""
    if symbol == "S":
        radius, height = CROWN
        angles = np.arange(8) * np.pi / 4
        places = np.column_stack([radius * np.cos(angles), radius * np.sin(angles), height * (-1.0) ** np.arange(8)])
    else:
        places = np.array([[0, 0, -BONDS[symbol] / 2], [0, 0, BONDS[symbol] / 2]])
    width, height = 2 * places[:, 0].max() + VACUUM, 2 * places[:, 2].max() + VACUUM
    width += 0.5 * (symbol in BONDS)  # no atom says how wide a molecule of two is
    cell = Lattice(np.diag([width, width, height]))
    made = Structure(cell, [symbol] * len(places), places + cell.matrix.sum(axis=0) / 2, coords_are_cartesian=True)
    if symbol in MOMENTS:
        made.add_site_property("magmom", [MOMENTS[symbol]] * len(made))
    return made


def _double_hexagonal(symbol: str, volume: float) -> Structure:
    a = float(np.sqrt(2) * volume) ** THIRD
    cell = Lattice.hexagonal(a, a * 2 * np.sqrt(8 / 3))
    return Structure.from_spacegroup("P6_3/mmc", cell, [symbol] * 2, [[0, 0, 0], [THIRD, 2 * THIRD, 0.25]])


def _listed(symbol: str) -> Structure:
    group, (a, b, c), gamma, sites = CELLS[symbol]
    cell = Lattice.from_parameters(a, b, c, 90, 90, gamma)
    return Structure.from_spacegroup(group, cell, [symbol] * len(sites), sites).get_primitive_structure()
