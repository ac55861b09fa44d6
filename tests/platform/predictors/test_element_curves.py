"""The table of element curves."""

import numpy as np
from pymatgen.core import Element, Structure

from fermiloop.platform.predictors.crystal_inputs import describe_crystals
from fermiloop.platform.predictors.element_curves import (
    ENERGIES,
    element_curves,
    reference_lattice,
    reference_volumes,
)
from fermiloop.platform.representations.element_features import ELEMENTS_KNOWN


def number(symbol):
    return Element(symbol).Z - 1


def test_every_element_has_a_curve_and_most_were_computed():
    table = element_curves()
    assert table.density.shape == (len(ELEMENTS_KNOWN), len(ENERGIES))
    assert np.isfinite(table.density).all()
    assert (table.density >= 0).all()
    assert (table.coupling > 0).all()
    assert table.computed.sum() > 45


def test_valence_electrons_lie_below_the_fermi_level():
    electrons = element_curves().electrons
    for symbol, expected in (("Na", 1), ("Al", 3), ("Cu", 11), ("Pd", 10)):
        assert abs(electrons[number(symbol)] - expected) < 0.35


def test_bands_of_late_d_metals_lie_deeper():
    centre = element_curves().centre
    assert centre[number("Cu")] < centre[number("Ti")]
    assert centre[number("Ag")] < centre[number("Pd")] < centre[number("Nb")]


def test_the_coupling_is_that_of_the_lattice_it_was_computed_in():
    volume = float(reference_volumes()[number("Cu")])
    lattice = reference_lattice(volume)
    assert abs(lattice.volume - volume) < 1e-9
    found = describe_crystals([Structure(lattice, ["Cu"], [[0, 0, 0]])]).coupling[0, number("Cu")]
    np.testing.assert_allclose(found, element_curves().coupling[number("Cu")])
