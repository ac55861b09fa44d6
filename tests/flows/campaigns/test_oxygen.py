"""The correction of oxygen's reference from computed oxides."""

from __future__ import annotations

import pytest
from pymatgen.core import Composition

from fermiloop.flows.campaigns import elements, oxygen
from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.store import labels, materials, methods
from fermiloop.schemas.vocabulary import Origin, Property

REFERENCES = {"O": -5.0, "Mg": -1.5, "Ca": -2.0, "Sr": -1.7, "Zn": -1.0}
OFF = {"MgO": 0.6, "CaO": 0.7, "SrO": 0.8}  # eV per atom of oxygen


def save(formula, energy, method):
    symbols = [element.symbol for element in Composition(formula).elements]
    name = "A1" if len(symbols) == 1 else "B1"
    crystal = PROTOTYPES[name].build(symbols[0], symbols[1] if len(symbols) > 1 else None, 12.0)
    key = materials.save(crystal, origin=Origin.IMPORT, source={"name": "here"})
    labels.save(key, Property.ENERGY_PER_ATOM, energy, method=method)


@pytest.fixture
def method(database):
    made = elements.method("analytic", {})
    key = methods.save(made.engine, made.functional, dict(made.settings), dict(made.code_versions))
    for symbol, energy in REFERENCES.items():
        if symbol != "Zn":
            save(symbol, energy, key)
    return key


def computed(formula, off):
    """Energy per atom that lies so far above what the measured enthalpy says."""
    metal = formula[:2]
    return (REFERENCES[metal] + REFERENCES["O"] + oxygen.MEASURED[formula] / oxygen.KJ_PER_MOL + off) / 2


def test_the_correction_is_the_mean_of_what_oxides_are_off(method):
    for formula, off in OFF.items():
        save(formula, computed(formula, off), method)
    save("ZnO", -3.0, method)  # zinc has no reference
    found = oxygen.fit("analytic", {})
    assert {one.formula: round(one.per_oxygen, 6) for one in found.oxides} == OFF
    assert found.correction == pytest.approx(0.7)
    assert found.half_width == pytest.approx(4.303 * 0.1 / 3**0.5, rel=1e-3)
    assert found.setting == "--settings 'reference_corrections={O: 0.70}'"


def test_too_few_oxides_and_a_corrected_method_are_refused(method):
    save("MgO", computed("MgO", 0.6), method)
    with pytest.raises(InputError, match=r"1 oxides with a measured enthalpy .* compute some of Li2O"):
        oxygen.fit("analytic", {})
    with pytest.raises(InputError, match="leave it out"):
        oxygen.fit("analytic", {"reference_corrections": {"O": 0.4}})


def test_the_table_is_of_oxides_alone():
    for formula in oxygen.MEASURED:
        composition = Composition(formula)
        assert composition.reduced_formula == formula
        assert len(composition) == 2
        assert composition["O"] > 0
