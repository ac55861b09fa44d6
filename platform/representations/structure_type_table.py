"""The common structure types by space group and Wyckoff positions: the data that `structure_types` reads.

One row a type: its name, a common name, the number of the space group, the shape of the conventional cell, one site
of every orbit, and compounds of it by slot. The name is the Strukturbericht's where there is one, and that of the
compound otherwise. The shape is what the crystal system leaves free: c/a, or b/a and c/a, or these and the angle
beta. Sites are in the standard setting of the International Tables (second origin, hexagonal axes, unique axis b)
with free parameters of the first compound named.

Source of the parameters: textbook values, as in Wyckoff, Crystal Structures (1963) and Pearson, Crystal Chemistry and
Physics of Metals and Alloys (1972); the same types are listed by the AFLOW Library of Crystallographic Prototypes
(Mehl et al., Comput. Mater. Sci. 136, S1, 2017). Garnets are not here: their primitive cell has 80 sites.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Row(NamedTuple):
    """One structure type; sites and examples are separated by semicolons.

    A site is a slot and its fractional coordinates, an example an element for each slot.
    """

    name: str
    common: str
    space_group: int
    shape: tuple[float, ...]
    sites: str
    examples: str


ELEMENTS: Final = (
    Row("A5", "beta-tin", 141, (0.5456,), "A 0 3/4 1/8", "Sn"),
    Row("A7", "alpha-arsenic", 166, (2.805,), "A 0 0 0.227", "As"),
    Row("A8", "gamma-selenium", 152, (1.136,), "A 0.2254 0 1/3", "Se"),
    Row("A9", "graphite", 194, (2.726,), "A 0 0 1/4; A 1/3 2/3 1/4", "C"),
    Row("A_h", "simple cubic", 221, (), "A 0 0 0", "Po"),
)
EQUAL_AMOUNTS: Final = (
    Row("B10", "litharge", 129, (1.264,), "A 1/4 1/4 0.2375; B 3/4 1/4 0", "Pb O"),
    Row("B17", "cooperite", 131, (1.76,), "A 0 1/2 0; B 0 0 1/4", "Pt S"),
    Row("B20", "iron silicide", 198, (), "A 0.137 0.137 0.137; B 0.842 0.842 0.842", "Fe Si"),
    Row("B26", "tenorite", 15, (0.7307, 1.095, 99.54), "A 1/4 1/4 0; B 0 0.4184 1/4", "Cu O"),
    Row("B27", "iron boride", 62, (0.536, 0.7375), "A 0.18 1/4 0.125; B 0.036 1/4 0.61", "Fe B"),
    Row("B32", "sodium thallide", 227, (), "A 1/8 1/8 1/8; B 3/8 3/8 3/8", "Na Tl"),
    Row("B33", "chromium boride", 63, (2.647, 0.9875), "A 0 0.146 1/4; B 0 0.44 1/4", "Cr B"),
    Row("B_k", "boron nitride", 194, (2.66,), "A 1/3 2/3 1/4; B 1/3 2/3 3/4", "B N"),
    Row("L1_0", "copper gold", 123, (1.308,), "A 0 0 0; B 1/2 1/2 1/2", "Au Cu; Al Ti; Fe Pt"),
)
ONE_TO_TWO: Final = (
    Row("C2", "pyrite", 205, (), "A 0 0 0; B 0.386 0.386 0.386", "Fe S"),
    Row("C3", "cuprite", 224, (), "A 0 0 0; B 1/4 1/4 1/4", "Cu O"),
    Row("C4", "rutile", 136, (0.644,), "A 0 0 0; B 0.305 0.305 0", "Ti O; Mg F; V O"),
    Row("C5", "anatase", 141, (2.513,), "A 0 1/4 3/8; B 0 1/4 0.1669", "Ti O"),
    Row("C6", "cadmium iodide", 164, (1.61,), "A 0 0 0; B 1/3 2/3 0.25", "Cd I; Mg Cl; Ti S"),
    Row("C7", "molybdenite", 194, (3.89,), "A 1/3 2/3 1/4; B 1/3 2/3 0.621", "Mo S; W Se"),
    Row("C8", "alpha-quartz", 154, (1.1,), "A 0.4697 0 2/3; B 0.4133 0.2672 0.7855", "Si O"),
    Row("C9", "beta-cristobalite", 227, (), "A 1/8 1/8 1/8; B 0 0 0", "Si O"),
    Row("C11_b", "molybdenum silicide", 139, (2.45,), "A 0 0 0; B 0 0 0.3353", "Mo Si"),
    Row("C14", "hexagonal Laves phase", 194, (1.633,), "A 1/3 2/3 0.062; B 0 0 0; B 0.83 0.66 1/4", "Mg Zn; Ti Fe"),
    Row("C15", "cubic Laves phase", 227, (), "A 1/8 1/8 1/8; B 1/2 1/2 1/2", "Mg Cu; Zr Co"),
    Row("C16", "copper aluminide", 140, (0.804,), "A 0.1581 0.6581 0; B 0 0 1/4", "Al Cu"),
    Row("C18", "marcasite", 58, (1.2205, 0.7619), "A 0 0 0; B 0.2 0.3783 0", "Fe S"),
    Row("C19", "cadmium chloride", 166, (4.55,), "A 0 0 0; B 0 0 0.2519", "Cd Cl"),
    Row(
        "C22", "iron phosphide", 189, (0.589,),
        "A 0.2569 0 0; A 0.5946 0 1/2; B 1/3 2/3 0; B 0 0 1/2", "Fe P",
    ),
    Row("C38", "copper antimonide", 129, (1.524,), "A 3/4 1/4 0; A 1/4 1/4 0.27; B 1/4 1/4 0.7", "Cu Sb"),
    Row(
        "C43", "baddeleyite", 14, (1.01, 1.032, 99.2),
        "A 0.2758 0.0411 0.2082; B 0.0703 0.3359 0.3406; B 0.4423 0.7451 0.4789", "Zr O",
    ),
)  # fmt: skip
OTHER_BINARIES: Final = (
    Row("A15", "chromium silicide", 223, (), "A 1/4 0 1/2; B 0 0 0", "Cr Si; Nb Sn"),
    Row("D0_2", "skutterudite", 204, (), "A 1/4 1/4 1/4; B 0 0.335 0.151", "Co As"),
    Row("D0_9", "rhenium oxide", 221, (), "A 0 0 0; B 1/2 0 0", "Re O; Al F"),
    Row(
        "D0_11", "cementite", 62, (1.3246, 0.8892),
        "A 0.036 1/4 0.852; A 0.186 0.063 0.328; B 0.89 1/4 0.45", "Fe C",
    ),
    Row("D0_12", "iron fluoride", 167, (2.566,), "A 0 0 0; B 0.412 0 1/4", "Fe F; Al F; V F"),
    Row("D0_22", "titanium aluminide", 139, (2.234,), "A 0 0 1/2; A 0 1/2 1/4; B 0 0 0", "Al Ti; Al V"),
    Row(
        "D0_23", "zirconium aluminide", 139, (4.315,),
        "A 0 1/2 0; A 0 1/2 1/4; A 0 0 0.3746; B 0 0 0.1188", "Al Zr",
    ),
    Row("D0_24", "titanium nickel", 194, (1.628,), "A 1/2 0 0; A 0.833 0.666 1/4; B 0 0 0; B 1/3 2/3 1/4", "Ni Ti"),
    Row("D1_3", "barium aluminide", 139, (2.47,), "A 0 0 0; B 0 1/2 1/4; B 0 0 0.38", "Ba Al"),
    Row("D1_a", "molybdenum nickel", 87, (0.6225,), "A 0.4 0.2 0; B 0 0 0", "Ni Mo"),
    Row("D2_1", "calcium boride", 221, (), "A 0 0 0; B 0.2 1/2 1/2", "Ca B; La B"),
    Row("D2_d", "calcium copper", 191, (0.803,), "A 0 0 0; B 1/3 2/3 0; B 1/2 0 1/2", "Ca Cu"),
    Row("D5_1", "corundum", 167, (2.73,), "A 0 0 0.352; B 0.306 0 1/4", "Al O; V O"),
    Row("D5_2", "lanthanum oxide", 164, (1.557,), "A 1/3 2/3 0.245; B 0 0 0; B 1/3 2/3 0.645", "La O"),
    Row("D5_3", "bixbyite", 206, (), "A 1/4 1/4 1/4; A 0.97 0 1/4; B 0.39 0.15 0.38", "Mn O; Y O"),
    Row("D5_13", "nickel aluminide", 164, (1.214,), "A 0 0 0; A 1/3 2/3 0.648; B 1/3 2/3 0.149", "Al Ni"),
    Row("D7_3", "thorium phosphide", 220, (), "A 3/8 0 1/4; B 0.083 0.083 0.083", "Th P"),
    Row("D8_8", "manganese silicide", 193, (0.698,), "A 1/3 2/3 0; A 0.2358 0 1/4; B 0.5992 0 1/4", "Mn Si"),
    Row(
        "Si3N4", "beta silicon nitride", 176, (0.3827,),
        "A 0.174 0.769 1/4; B 0.33 0.03 1/4; B 1/3 2/3 1/4", "Si N",
    ),
)  # fmt: skip
TERNARY_INTERMETALLICS: Final = (
    Row("C1_b", "half-Heusler", 216, (), "A 0 0 0; B 1/4 1/4 1/4; C 1/2 1/2 1/2", "Ti Ni Sn; Li Mg As; Zr Co Sb"),
    Row("L2_1", "Heusler", 225, (), "A 1/4 1/4 1/4; B 0 0 0; C 1/2 1/2 1/2", "Cu Mn Al; Ni Ti Sn; Co Fe Si"),
    Row("X_a", "inverse Heusler", 216, (), "A 0 0 0; A 1/4 1/4 1/4; B 1/2 1/2 1/2; C 3/4 3/4 3/4", "Hg Cu Ti"),
    Row("CuFePt2", "tulameenite", 123, (0.93,), "A 0 0 0; B 0 1/2 1/2; C 1/2 1/2 0", "Fe Pt Cu; Co Rh Pd"),
    Row("ThCr2Si2", "ordered barium aluminide", 139, (2.61,),
        "A 0 0 0; B 0 1/2 1/4; C 0 0 0.374", "Th Cr Si; Ca Fe As; Ba Zn P"),
    Row("TiNiSi", "titanium nickel silicide", 62, (0.597, 1.1413),
        "A 0.021 1/4 0.18; B 0.142 1/4 0.561; C 0.765 1/4 0.623", "Ti Ni Si"),
    Row("ZrNiAl", "ordered iron phosphide", 189, (0.502,),
        "A 0.5912 0 1/2; B 1/3 2/3 0; B 0 0 1/2; C 0.2499 0 0", "Zr Ni Al"),
    Row("Cr2AlC", "MAX phase", 194, (4.48,), "A 1/3 2/3 0.086; B 1/3 2/3 3/4; C 0 0 0", "Cr Al C"),
)  # fmt: skip
TERNARY_SALTS: Final = (
    Row("E0_1", "matlockite", 129, (1.765,),
        "A 1/4 1/4 0.205; B 3/4 1/4 0; C 1/4 1/4 0.65", "Pb F Cl; Bi O Cl; Ba F Cl"),
    Row("E1_1", "chalcopyrite", 122, (1.97,), "A 0 0 0; B 0 0 1/2; C 0.2574 1/4 1/8", "Cu Fe S; Zn Ge P; Li Ga O"),
    Row("E2_1", "perovskite", 221, (), "A 0 0 0; B 1/2 1/2 1/2; C 0 1/2 1/2", "Sr Ti O; K Mg F; La Al O; Cs Pb Br"),
    Row("E2_2", "ilmenite", 148, (2.766,),
        "A 0 0 0.3553; B 0 0 0.1464; C 0.3174 0.0233 0.2451", "Fe Ti O; Mg Ti O; Li Nb O"),
    Row("F5_1", "caswellsilverite", 166, (5.2,), "A 0 0 0; B 0 0 1/2; C 0 0 0.24", "Na Fe O; Li Co O; Na Cr S"),
    Row("CuFeO2", "delafossite", 166, (5.66,), "A 0 0 0; B 0 0 1/2; C 0 0 0.1066", "Cu Fe O; Ag Al O"),
    Row("PbTiO3", "tetragonal perovskite", 99, (1.063,),
        "A 0 0 0; B 1/2 1/2 0.538; C 1/2 1/2 0.112; C 1/2 0 0.617", "Pb Ti O; Ba Ti O; K Nb O"),
    Row("GdFeO3", "orthorhombic perovskite", 62, (1.4038, 0.9885),
        "A 0.036 1/4 0.9932; B 0 0 1/2; C 0.4838 1/4 0.0714; C 0.2888 0.0371 0.7108", "Ca Ti O; Gd Fe O; Na Mg F"),
    Row("BaNiO3", "hexagonal perovskite", 194, (0.856,),
        "A 1/3 2/3 3/4; B 0 0 0; C 0.1473 0.2946 1/4", "Ba Ni O; Ba Mn O; Cs Ni Cl"),
    Row("K2NiF4", "layered perovskite", 139, (3.27,),
        "A 0 0 0.354; B 0 0 0; C 0 1/2 0; C 0 0 0.152", "K Ni F; Sr Ti O; La Ni O"),
    Row("J1_1", "potassium chloroplatinate", 225, (), "A 1/4 1/4 1/4; B 0 0 0; C 0.24 0 0", "K Pt Cl; K Si F"),
    Row("H0_4", "scheelite", 88, (2.169,), "A 0 1/4 5/8; B 0 1/4 1/8; C 0.1507 0.0086 0.2106", "Ca W O; Y Li F"),
    Row("H1_1", "spinel", 227, (), "A 1/8 1/8 1/8; B 1/2 1/2 1/2; C 0.2625 0.2625 0.2625", "Mg Al O; Zn Fe O; Li Mn O"),
    Row("S1_2", "olivine", 62, (0.5859, 0.466),
        "A 0 0 0; A 0.2774 1/4 0.9915; B 0.094 1/4 0.4262; "
        "C 0.0913 1/4 0.7657; C 0.4474 1/4 0.2215; C 0.1628 0.0331 0.2777", "Mg Si O; Mg Ge O; Ca Si O"),
)  # fmt: skip
QUATERNARIES: Final = (
    Row("LiMgPdSn", "quaternary Heusler", 216, (),
        "A 0 0 0; B 1/2 1/2 1/2; C 1/4 1/4 1/4; D 3/4 3/4 3/4", "Li Mg Pd Sn; Co Fe Mn Si"),
    Row("ZrCuSiAs", "filled matlockite", 129, (2.164,),
        "A 1/4 1/4 0.1415; B 3/4 1/4 0; C 3/4 1/4 1/2; D 1/4 1/4 0.6512", "La O Fe As; Sr F Co As; Bi O Cu Se"),
    Row("K2NaAlF6", "elpasolite", 225, (),
        "A 1/4 1/4 1/4; B 1/2 1/2 1/2; C 0 0 0; D 0.22 0 0", "K Na Al F; Sr Mg W O; Ba Y Nb O"),
)  # fmt: skip

ROWS: Final = (
    *ELEMENTS,
    *EQUAL_AMOUNTS,
    *ONE_TO_TWO,
    *OTHER_BINARIES,
    *TERNARY_INTERMETALLICS,
    *TERNARY_SALTS,
    *QUATERNARIES,
)
