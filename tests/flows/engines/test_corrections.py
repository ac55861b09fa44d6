"""Corrections are a setting of every engine: another Method, the same calculation, references that are shifted."""

from __future__ import annotations

import pytest

from fermiloop.flows.engines import corrections
from fermiloop.flows.engines.lookup import code_of
from fermiloop.platform.errors import InputError
from fermiloop.platform.plugins.curve_key import curve_key
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.store import labels, materials, methods
from fermiloop.schemas.vocabulary import Origin, Property

OXYGEN = {"reference_corrections": {"O": 0.4}}


@pytest.mark.parametrize("engine", ["chgnet", "analytic"])
def test_they_are_part_of_the_method_and_off_by_default(engine: str) -> None:
    entry = code_of(engine)
    plain, corrected = entry.method({}), entry.method(OXYGEN)
    assert "reference_corrections" not in plain.settings
    assert corrected.settings == {**plain.settings, "reference_corrections": {"O": 0.4}}
    assert entry.method({"reference_corrections": {"O": 0.0}}).settings == plain.settings


def test_curves_of_both_are_compared() -> None:
    settings = {"cutoff": 600.0, "kpoint_density": 5.0}
    assert curve_key("gpaw", "PBE", settings) == curve_key("gpaw", "PBE", settings | OXYGEN)


@pytest.mark.parametrize("given", [0.4, {"Xx": 0.1}, {"O": "much"}, {"O": float("nan")}, {"O": True}, {"O": 5.0}])
def test_what_is_no_correction_is_refused(given: object) -> None:
    with pytest.raises(InputError, match="The setting reference_corrections"):
        corrections.checked(given)


def test_only_the_element_as_a_reference_is_shifted(database: str) -> None:
    made = code_of("analytic").method(OXYGEN)
    method = methods.save(made.engine, made.functional, made.settings, made.code_versions)
    source = {"name": "here"}
    oxygen = materials.save(PROTOTYPES["A1"].build("O", None, 15.0), origin=Origin.IMPORT, source=source)
    oxide = materials.save(PROTOTYPES["B1"].build("Mg", "O", 9.5), origin=Origin.IMPORT, source=source)
    for key in (oxygen, oxide):
        labels.save(key, Property.ENERGY_PER_ATOM, -5.0, method=method)
    energies = {key: energy for _, energy, key in labels.hull_entries(["Mg", "O"], method)}
    assert energies == {oxygen: pytest.approx(-4.6), oxide: -5.0}
