"""Batches of crystals against pymatgen's own crystals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.crystals import CrystalBatch, lattice_matrices, lattice_parameters, wrap

CRYSTALS = (
    Structure(Lattice.cubic(5.64), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]]),
    Structure(Lattice.hexagonal(3.2, 5.2), ["Mg", "Mg"], [[1 / 3, 2 / 3, 0.25], [2 / 3, 1 / 3, 0.75]]),
    Structure(
        Lattice.from_parameters(4, 5, 6, 80, 95, 102),
        ["H", "O", "H"],
        [[0.1, -0.2, 1.3], [0, 0, 0], [0.5, 0, 1]],
    ),
)

lengths = st.floats(2, 20)
angles = st.floats(60, 115)


@settings(max_examples=80, deadline=None)
@given(st.tuples(lengths, lengths, lengths), st.tuples(angles, angles, angles))
def test_cells_are_pymatgens_and_come_back(abc, abg):
    expected = Lattice.from_parameters(*abc, *abg).matrix
    found = lattice_matrices([abc], [abg])
    np.testing.assert_allclose(found[0], expected, atol=1e-9)
    back = lattice_parameters(found)
    np.testing.assert_allclose(back[0][0], abc, atol=1e-9)
    np.testing.assert_allclose(back[1][0], abg, atol=1e-6)


def test_crystals_come_back_as_they_went_in():
    batch = CrystalBatch.from_structures(CRYSTALS, 5)
    assert batch.numbers.shape == (3, 5)
    assert batch.n_sites.tolist() == [2, 2, 3]
    for i, crystal in enumerate(CRYSTALS):
        back = batch.structure(i)
        assert back.atomic_numbers == crystal.atomic_numbers
        np.testing.assert_allclose(back.lattice.parameters, crystal.lattice.parameters, atol=1e-9)
        np.testing.assert_allclose(back.distance_matrix, crystal.distance_matrix, atol=1e-9)


def test_coordinates_lie_in_the_cell():
    batch = CrystalBatch.from_structures(CRYSTALS)
    assert batch.frac.min() >= 0
    assert batch.frac.max() < 1
    np.testing.assert_allclose(batch.frac[2, 0], [0.1, 0.8, 0.3], atol=1e-12)
    assert wrap([-1e-18, 1.0, 2.0]).tolist() == [0, 0, 0]


def test_subset_keeps_the_order_asked_for():
    batch = CrystalBatch.from_structures(CRYSTALS).subset([2, 0])
    assert len(batch) == 2
    assert batch.structure(0).composition.reduced_formula == "H2O"


def test_no_crystals_make_an_empty_batch():
    assert len(CrystalBatch.from_structures([], 4)) == 0


def test_what_does_not_fit_is_refused():
    mixed = Structure(Lattice.cubic(4), [{"Cu": 0.5, "Au": 0.5}], [[0, 0, 0]])
    with pytest.raises(InputError, match="ordered"):
        CrystalBatch.from_structures([mixed])
    with pytest.raises(InputError, match="3 sites, more than the 2"):
        CrystalBatch.from_structures(CRYSTALS, 2)
    broken = CRYSTALS[0].copy()
    broken.translate_sites([0], [np.nan, 0, 0], to_unit_cell=False)
    with pytest.raises(InputError, match="finite"):
        CrystalBatch.from_structures([broken])
    batch = CrystalBatch.from_structures(CRYSTALS)
    with pytest.raises(InputError, match="fit"):
        CrystalBatch(batch.numbers, batch.frac[:, :1], batch.lengths, batch.angles)
