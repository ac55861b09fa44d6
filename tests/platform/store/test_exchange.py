"""Documents as records and back: every field, every number to its last digit."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure

from fermiloop.platform.errors import FailureError, InputError
from fermiloop.platform.plugins.properties import PROPERTIES
from fermiloop.platform.store import border, exchange, exchange_crystal, exchange_material
from fermiloop.schemas.candidate import Candidate
from fermiloop.schemas.fields import ArrayField
from fermiloop.schemas.label import Label
from fermiloop.schemas.material import Material
from fermiloop.schemas.method import Method
from fermiloop.schemas.setting import Setting
from fermiloop.schemas.spectrum import Spectrum
from fermiloop.schemas.vocabulary import Origin, Property

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
SINGLES = st.floats(allow_nan=False, allow_infinity=False, width=32)
NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | NUMBERS | NAMES,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(NAMES.filter(lambda n: n[:1] != "$"), inner, max_size=4)
    ),
    max_leaves=12,
)
MAPPINGS = st.dictionaries(NAMES.filter(lambda name: not name.startswith("$")), PLAIN, max_size=5)
COORDINATES = st.tuples(*[st.floats(-2.0, 2.0)] * 3)

# fields that stay behind: what follows from others, and moments
BEHIND: dict[type, set[str]] = {
    Method: {"created_at"},
    Label: {"id", "material", "created_at"},
    Spectrum: {"id", "material", "created_at"},
    Setting: {  # read from the cell as it came
        "id",
        "material",
        "cell",
        "form",
        "n_sites",
        "formula",
        "primitive",
        "space_group",
        "symmetry",
        "pseudo",
        "fingerprint",
        "settled",
        "created_at",
    },
    Material: {"formula_lower", "elements", "n_elements", "fingerprint", "created_at"},
    Candidate: {"formula_lower", "elements", "chemical_system", "n_sites", "created_at"},
}
TABLES = {
    Method: exchange.METHOD, Label: exchange.LABEL, Spectrum: exchange.SPECTRUM, Material: exchange.MATERIAL,
    Setting: exchange.SETTING,
    Candidate: exchange.CANDIDATE,
}  # fmt: skip


NAMED = {"generator_score": "score"}  # in a file: in the store


@pytest.mark.parametrize("document", TABLES)
def test_every_field_of_a_document_leaves_or_is_known_to_stay(document: Any) -> None:
    """A field that is added to a schema is either exported or named here."""
    extra = {"evaluated"} if document is Candidate else set()
    names = {NAMED.get(name, name) for name in TABLES[document]}
    assert set(document._fields) == (names - extra) | BEHIND[document]


def through_json(record: dict[str, Any]) -> dict[str, Any]:
    return dict(json.loads(exchange.dumps(record)))


@given(settings_=MAPPINGS, versions=MAPPINGS, functional=NAMES)
def test_methods(settings_: dict[str, Any], versions: dict[str, Any], functional: str) -> None:
    made = Method.make("external", functional or "PBE", settings_, versions)
    record = through_json(exchange.write(made.to_mongo().to_dict(), exchange.METHOD))
    again = exchange.method(record)
    assert again.id == made.id
    assert exchange.write(again.to_mongo().to_dict(), exchange.METHOD) == record


@given(value=NUMBERS, name=st.sampled_from(Property), version=st.integers(1, 1_000_000))
def test_labels(value: float, name: Property, version: int) -> None:
    made = Label.make(
        "m-0123456789abcdef", name, value, method="method-0123456789abcdef", calculation=None, version=version
    )
    record = through_json(exchange.write(made.to_mongo().to_dict(), exchange.LABEL))
    found = exchange.read(record, exchange.LABEL, "a label")
    assert (found["value"], found["unit"], found["version"]) == (value, PROPERTIES[name].unit, version)


@given(st.lists(SINGLES, min_size=2, max_size=50))
def test_values_of_a_curve_keep_every_bit(values: list[float]) -> None:
    stored = ArrayField.pack(values)
    field = exchange.SPECTRUM["values"]
    assert field.read(json.loads(json.dumps(field.write(stored)))) == stored


def test_values_are_written_in_few_digits() -> None:
    assert exchange.SPECTRUM["values"].write(ArrayField.pack([0.1, 1 / 3, 2e-30])) == [0.1, 0.33333334, 2e-30]


@settings(deadline=None)
@given(
    a=st.floats(2.0, 9.0), b=st.floats(2.0, 9.0), c=st.floats(2.0, 9.0), angle=st.floats(60.0, 120.0),
    sites=st.lists(st.tuples(st.sampled_from(["Al", "Ni", "O"]), COORDINATES), min_size=1, max_size=4),
    moments=st.booleans(), charges=st.booleans(),
)  # fmt: skip
def test_crystals_keep_every_bit(
    a: float, b: float, c: float, angle: float, sites: list[Any], moments: bool, charges: bool
) -> None:
    made = Structure(Lattice.from_parameters(a, b, c, angle, 90, 90), [s for s, _ in sites], [x for _, x in sites])
    if charges:
        made.add_oxidation_state_by_element({"Al": 3, "Ni": 2, "O": -2})
    if moments:
        made.add_site_property("magmom", [0.1 * i for i in range(len(made))])
    record = json.loads(exchange.dumps(exchange_crystal.write(made.as_dict())))
    again = exchange_crystal.read(record)
    assert np.array_equal(again.lattice.matrix, made.lattice.matrix)
    assert np.array_equal(again.frac_coords, made.frac_coords)
    assert [str(site.specie) for site in again] == [str(site.specie) for site in made]
    assert again.site_properties.get("magmom") == made.site_properties.get("magmom")
    assert exchange_crystal.write(again.as_dict()) == record
    assert np.array_equal(Structure.from_dict(record).frac_coords, made.frac_coords), "others read it by pymatgen"


def test_a_material_from_its_record(crystal: Any) -> None:
    made = Material.from_structure(crystal("Ni", "Al"), origin=Origin.IMPORT, source={"name": "Zürich", "key": 3})
    setting = made.as_it_came.to_mongo().to_dict()
    record = through_json(exchange.of_material(made.to_mongo().to_dict(), [setting], [], []))
    known = exchange_material.read(record)
    assert exchange_material.read({**record, "settings": []}).material.id == made.id, "its own cell, where none is told"
    assert known.material.to_mongo().to_dict().keys() == made.to_mongo().to_dict().keys()
    assert (known.material.id, known.material.source, known.remarks) == (made.id, made.source, ())
    assert Structure.from_dict(record["structure"]) == made.to_structure()


def test_canonical_lines() -> None:
    assert exchange.dumps({"b": 1.0, "a": "ä", "c": [1, None]}) == '{"a":"ä","b":1.0,"c":[1,null]}'
    with pytest.raises(FailureError, match="m-1 cannot be written as JSON"):
        exchange.dumps({"id": "m-1", "x": float("nan")})


@pytest.mark.parametrize(
    ("check", "value", "reason"),
    [
        (border.text(5), "123456", "6 characters, of at most 5"),
        (border.text(), 5, "5 is no text"),
        (border.text(), "a\0b", "cannot be stored"),
        (border.text(), "\ud800", "cannot be stored"),
        (border.key("m"), "m-0123456789ABCDEF", "is no id"),
        (border.key("m"), "m-0123456789abcdef\n", "is no id"),
        (border.number, True, "True is no number"),
        (border.number, 10**400, "not finite"),
        (border.number, float("inf"), "not finite"),
        (border.whole(1, 3), 4, "not from 1 to 3"),
        (border.whole(), 1.0, "no whole number"),
        (border.one_of(Origin), ["seed"], "none of"),
        (border.one_of(Origin), {}, "none of"),
        (border.mapping, [], "no mapping"),
        (border.mapping, {"a": [0] * 200_000}, "more than"),
        (border.mapping, {"$ne": 1}, "no name of a field"),
        (border.rows(2), [{}, {}, {}], "a list of 3"),
        (border.rows(2), {"a": 1}, "no list"),
        (border.triple, [1, 2], "three numbers"),
        (border.triple, [1, 2, "3"], "'3' is no number"),
    ],
)
def test_what_does_not_come_in(check: Any, value: Any, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        check(value)
