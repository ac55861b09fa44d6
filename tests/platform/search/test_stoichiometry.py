"""Compositions worth a search."""

import numpy as np
from pymatgen.core import Composition

from fermiloop.platform.generators.protocol import Space, Target
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.search.stoichiometry import count_ratios, draw_compositions


def drawn(space, n=20, counts=None, exclude=(), units=2, seed=0):
    rng = np.random.default_rng(seed)
    return draw_compositions(counts or {}, Target(exclude_formulas=exclude), space, n, units, rng)


def test_ratios_are_counted_whatever_the_order_and_the_cell():
    structures = [PROTOTYPES["L1_2"].build("Pt", "Ni", 14.0), PROTOTYPES["D0_3"].build("Ni", "Pt", 14.0)]
    structures += [PROTOTYPES["A3"].build("Ti", None, 17.0), PROTOTYPES["B8_1"].build("Ni", "S", 14.0)]
    assert count_ratios(structures) == {"1": 1, "1:1": 1, "1:3": 2}


def test_compositions_are_neutral_small_different_and_allowed():
    space = Space(("Na", "Mg", "O", "Cl"), (2, 2), ("cubic",), 6)
    cells = drawn(space, exclude=("NaCl",))
    formulas = {Composition(cell).reduced_formula for cell in cells}
    assert {"MgO", "MgCl2", "Na2O"} <= formulas
    assert not formulas & {"NaCl", "NaO2", "Mg2Cl", "NaCl2"}
    assert all(sum(cell.values()) <= 6 for cell in cells)
    assert len({tuple(cell.items()) for cell in cells}) == len(cells)


def test_alloys_and_elements_pass_and_frequent_ratios_come_first():
    space = Space(("Al", "Ni", "Pt", "Cu", "Ti", "Pd"), (1, 2), ("cubic",), 4)
    assert any(len(cell) == 1 for cell in drawn(space, seed=1))
    cells = drawn(space, 12, counts={"1:3": 500})
    assert sum(sorted(cell.values()) == [1, 3] for cell in cells) >= 10


def test_no_room_gives_nothing():
    assert drawn(Space(("Al",), (2, 2))) == []
    assert drawn(Space(("Al", "Ni"), (2, 2), ("cubic",), 1)) == []
