"""A label bears its property's unit and its method."""

from __future__ import annotations

import pytest

from fermiloop.platform.errors import InputError
from fermiloop.schemas.label import Label
from fermiloop.schemas.vocabulary import UNIT_OF, Property, Unit


def label(name: Property = Property.BAND_GAP, value: float = 1.0, method: str = "method-1", version: int = 1) -> Label:
    return Label.make("m-1", name, value, method=method, calculation=None, version=version)


@pytest.mark.parametrize("name", Property)
def test_every_property_has_a_unit(name):
    made = label(name)
    made.check()
    assert made.unit is UNIT_OF[name]


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
