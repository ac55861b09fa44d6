"""Decoded crystals made symmetric."""

import numpy as np
import pytest
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Lattice, Structure

from fermiloop.platform.generators.imatgen.symmetry import idealised


def test_a_crystal_within_the_error_of_decoding_becomes_symmetric():
    random = np.random.default_rng(0)
    lattice = Lattice.from_parameters(3.0, 3.1, 2.95, 89, 91, 90.5)
    decoded = Structure(lattice, ["Al", "Ni"], [[0, 0, 0], random.normal(0.5, 0.02, 3)])
    crystal = idealised(decoded)
    assert crystal.get_space_group_info(symprec=1e-3)[1] == 221
    assert crystal.volume == pytest.approx(decoded.volume, rel=0.01)


def test_a_crystal_without_symmetry_stays_as_it_is():
    lattice = Lattice.from_parameters(4, 5, 7, 75, 82, 97)
    places = [[0, 0, 0], [0.31, 0.52, 0.17], [0.72, 0.13, 0.58], [0.2, 0.8, 0.4]]
    decoded = Structure(lattice, ["Al", "Ni", "Pd", "Pt"], places)
    assert StructureMatcher(ltol=1e-3, stol=1e-3, angle_tol=0.1, scale=False).fit(idealised(decoded), decoded)
