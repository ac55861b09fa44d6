"""Descriptors are of the crystal, not of how its cell is written."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Composition, Element, Lattice, Structure
from pymatgen.core.operations import SymmOp

from fermiloop.platform.errors import InputError
from fermiloop.platform.predictors.descriptors import atomic_fractions, composition_descriptors, structure_descriptors
from fermiloop.platform.predictors.element_table import COLUMNS, ELECTRONEGATIVITY, element_table

CRYSTAL = Structure(
    Lattice.from_parameters(4.1, 5.2, 6.3, 82, 95, 103),
    ["Na", "Cl", "Ti", "O"],
    [[0.02, 0.1, 0.2], [0.5, 0.45, 0.6], [0.7, 0.1, 0.8], [0.25, 0.8, 0.4]],
)
MOVES = {
    "translation": lambda s: Structure(s.lattice, s.species, np.add(s.frac_coords, [0.13, 0.57, 0.91])),
    "permutation": lambda s: Structure.from_sites([s[i] for i in (2, 0, 3, 1)]),
    "rotation": lambda s: s.copy().apply_operation(SymmOp.from_axis_angle_and_translation((1, 2, 3), 37)),
    "reflection": lambda s: s.copy().apply_operation(SymmOp.reflection((1, 0, 0))),
    "supercell": lambda s: s * (2, 1, 2),
}


@pytest.mark.parametrize("move", MOVES)
def test_structure_descriptors_do_not_change(move):
    before, after = structure_descriptors([CRYSTAL, MOVES[move](CRYSTAL)])
    np.testing.assert_allclose(after, before, rtol=1e-6, atol=1e-6)


def test_another_crystal_of_the_same_composition_differs_only_in_geometry():
    salt = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.64), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    other = Structure.from_spacegroup("Pm-3m", Lattice.cubic(3.5), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    a, b = structure_descriptors([salt, other])
    n = composition_descriptors([salt]).shape[1]
    np.testing.assert_allclose(a[:n], b[:n], atol=1e-12)
    assert np.abs(a[n:] - b[n:]).max() > 0.1


def test_means_are_weighted_by_amount():
    row = composition_descriptors([Composition("TiO2")])[0]
    mean = row[103 + 1 + 5 :][: len(COLUMNS)]
    expected = (Element("Ti").X + 2 * Element("O").X) / 3
    assert mean[ELECTRONEGATIVITY] == pytest.approx(expected)
    assert row[103] == 2
    assert row[Element("O").Z - 1] == pytest.approx(2 / 3)


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.integers(1, 103), st.integers(1, 6), min_size=1, max_size=5), st.integers(2, 4))
def test_any_composition_is_finite_and_its_multiple_the_same(amounts, times):
    one = Composition({Element.from_Z(z): n for z, n in amounts.items()})
    many = Composition({Element.from_Z(z): n * times for z, n in amounts.items()})
    a, b = composition_descriptors([one, many])
    assert np.isfinite(a).all()
    np.testing.assert_allclose(a, b, atol=1e-9)
    assert atomic_fractions([one]).sum() == pytest.approx(1)


def test_every_element_has_its_numbers():
    table = element_table()
    assert table.shape == (104, len(COLUMNS))
    assert np.isfinite(table).all()
    assert table[Element("F").Z, ELECTRONEGATIVITY] == pytest.approx(3.98)
    assert len(np.unique(table[1:], axis=0)) == 103


def test_a_lone_atom_without_neighbours_is_described_too():
    lone = Structure(Lattice.cubic(30), ["He"], [[0, 0, 0]])
    assert np.isfinite(structure_descriptors([lone])).all()


def test_elements_beyond_the_table_are_refused():
    with pytest.raises(InputError, match="Rf"):
        composition_descriptors([Composition("Rf")])
