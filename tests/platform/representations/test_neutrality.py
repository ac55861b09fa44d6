"""Neutral compounds, alloys and elements pass; mixed valence where it is asked for and the unit is small."""

import pytest
from pymatgen.core import Composition

from fermiloop.platform.representations.neutrality import is_neutral_or_alloy


@pytest.mark.parametrize("formula", ["NaCl", "Pd", "O2", "Cu3Au", "TiO2"])
def test_neutral_compounds_alloys_and_elements_pass(formula):
    assert is_neutral_or_alloy(Composition(formula))
    assert is_neutral_or_alloy(Composition(formula) * 3)


@pytest.mark.parametrize("formula", ["NaCl2", "He2O", "Na3Cl"])
def test_what_cannot_be_neutral_does_not(formula):
    assert not is_neutral_or_alloy(Composition(formula))
    assert not is_neutral_or_alloy(formula, mixed_valence=True)


def test_mixed_valence_counts_where_it_is_asked_for():
    assert not is_neutral_or_alloy("Fe3O4")
    assert is_neutral_or_alloy("Fe3O4", mixed_valence=True)
    assert is_neutral_or_alloy("Fe6O8", mixed_valence=True)
