"""The same crystal written in other ways."""

import numpy as np
import pytest
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Lattice, Structure

from fermiloop.platform.bench.ftcp_moved import MOVES

GIVEN = Structure(
    Lattice.from_parameters(4.0, 5.0, 6.0, 80, 95, 105),
    ["Na", "Cl", "Cl", "O"],
    [(0, 0, 0), (0.4, 0.5, 0.1), (0.7, 0.2, 0.6), (0.1, 0.8, 0.5)],
)


@pytest.mark.parametrize("name", MOVES)
def test_a_crystal_stays_what_it_is(name):
    moved = MOVES[name](GIVEN, np.random.default_rng(3))
    assert StructureMatcher(ltol=0.01, stol=0.01, angle_tol=0.1).fit(GIVEN, moved)
    assert moved.volume == pytest.approx(GIVEN.volume)
    assert np.linalg.det(moved.lattice.matrix) > 0


def test_each_changes_what_it_is_named_for():
    moved = {name: move(GIVEN, np.random.default_rng(3)) for name, move in MOVES.items()}
    assert moved["rotated"].lattice.abc == pytest.approx(GIVEN.lattice.abc)
    assert np.abs(moved["rotated"].lattice.matrix - GIVEN.lattice.matrix).max() > 0.1
    assert np.abs(moved["shifted"].frac_coords - GIVEN.frac_coords).max() > 0.05
    assert moved["axes in another order"].lattice.a != pytest.approx(GIVEN.lattice.a)
    assert moved["sites in another order"].species != GIVEN.species
