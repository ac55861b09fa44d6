"""A label bears its property's unit and its method."""

from __future__ import annotations

import pytest

from fermiloop.platform.errors import InputError
from fermiloop.platform.plugins.properties import PROPERTIES
from fermiloop.platform.store import connection
from fermiloop.schemas.label import Label
from fermiloop.schemas.vocabulary import Property, Unit


def label(name: Property = Property.BAND_GAP, value: float = 1.0, method: str = "method-1", version: int = 1) -> Label:
    return Label.make("m-1", name, value, method=method, calculation=None, version=version)


@pytest.mark.parametrize("name", Property)
def test_every_property_has_a_unit(name):
    made = label(name)
    made.check()
    assert made.unit == PROPERTIES[name].unit


def test_a_property_that_is_not_known_here_is_refused():
    with pytest.raises(InputError, match="The property 'taste' is unknown; known are energy_per_atom"):
        label("taste")


def test_a_label_of_a_package_that_is_gone_stays_readable_with_its_unit(database):
    row = {"_id": "l-1", "material": "m-1", "property": "taste", "value": 3.0, "unit": "sweet", "method": "method-1"}
    connection.database()["labels"].insert_one({**row, "version": 1})
    found = Label.objects(id="l-1").first()
    assert (found.property, found.value, found.unit) == ("taste", 3.0, "sweet")
    found.check()  # nothing here says that it is wrong


def test_method_and_version_are_in_the_key():
    ids = {label(method=m, version=v).id for m in ("method-1", "method-2") for v in (1, 2)}
    assert len(ids) == 4
    assert label(value=2.0).id == label(value=1.0).id


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_only_finite_values(value):
    with pytest.raises(InputError, match="not a finite number"):
        label(value=value).check()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"unit": Unit.GPA}, "in eV, not in GPa"),
        ({"unit": "furlong"}, "in eV, not in furlong"),
        ({"method": None}, "method"),
        ({"property": None}, "property"),
        ({"version": 0}, "version"),
    ],
)
def test_a_document_changed_by_hand(change, reason):
    made = label()
    for name, value in change.items():
        setattr(made, name, value)
    with pytest.raises(InputError, match=reason):
        made.check()
