"""A curve needs a rising even grid, finite values, and the units of its kind."""

from __future__ import annotations

import numpy as np
import pytest

from fermiloop.platform.errors import InputError
from fermiloop.schemas.curve_kinds import SpectrumKind
from fermiloop.schemas.fields import ArrayField
from fermiloop.schemas.spectrum import Spectrum
from fermiloop.schemas.vocabulary import Alignment, Unit

X = np.linspace(-10.0, 10.0, 201)
Y = np.exp(-(X**2))


def test_a_curve_comes_back():
    spectrum = Spectrum.from_arrays("m-1", X, Y, method="method-1", n_electrons=13)
    spectrum.check()
    np.testing.assert_allclose(spectrum.points(), X)
    np.testing.assert_allclose(spectrum.array(), Y, rtol=1e-6, atol=1e-30)
    assert (spectrum.unit, spectrum.axis_unit) == (Unit.STATES_PER_EV_PER_CELL, Unit.EV)
    assert spectrum.alignment is Alignment.FERMI


def test_the_id_is_of_material_kind_and_method():
    ids = {
        Spectrum.from_arrays(material, X, Y, method=method, kind=kind).id
        for material in ("m-1", "m-2")
        for method in ("method-1", "method-2")
        for kind in SpectrumKind
    }
    assert len(ids) == 4 * len(SpectrumKind)
    assert Spectrum.from_arrays("m-1", X, 2 * Y, method="method-1").id in ids


@pytest.mark.parametrize("kind", SpectrumKind)
def test_each_kind_has_its_units(kind):
    spectrum = Spectrum.from_arrays("m-1", X, Y, method="method-1", kind=kind)
    spectrum.check()
    told = kind.declared
    assert (spectrum.axis_unit, spectrum.alignment, spectrum.unit) == (told.axis_unit, told.alignment, told.unit)


def broken(y: np.ndarray, place: int, value: float) -> np.ndarray:
    y = y.copy()
    y[place] = value
    return y


@pytest.mark.parametrize(
    ("x", "y", "reason"),
    [
        (X, Y[:-1], "as many values as points"),
        (X[:1], Y[:1], "as many values as points"),
        (X, np.stack([Y, Y]), "as many values as points"),
        (X, broken(Y, 3, np.nan), "NaN or infinity"),
        (broken(X, 3, np.inf), Y, "NaN or infinity"),
        (X[::-1], Y, "must rise"),
        (broken(X, 3, X[4]), Y, "must rise"),
        (X + 0.01 * X**2 / 10, Y, "must be even"),
    ],
)
def test_what_is_no_curve(x, y, reason):
    with pytest.raises(InputError, match=reason):
        Spectrum.from_arrays("m-1", x, y, method="method-1")


@pytest.mark.parametrize("unit", ["furlong", "eV", ""])
def test_a_unit_of_another_kind(unit):
    with pytest.raises(InputError, match="states/eV/cell, not in"):
        Spectrum.from_arrays("m-1", X, Y, method="method-1", unit=unit)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"n": 200}, "201 values on 200 points"),
        ({"lo": 11.0}, "the grid goes from 11.0"),
        ({"hi": float("nan")}, "not a finite number"),
        ({"axis_unit": Unit.THZ}, "over THz"),
        ({"values": None}, "values"),
        ({"values": b"abc"}, "values on"),
        ({"n_electrons": float("inf")}, "not a finite number"),
        ({"material": None}, "material"),
    ],
)
def test_a_document_changed_by_hand(change, reason):
    spectrum = Spectrum.from_arrays("m-1", X, Y, method="method-1")
    for name, value in change.items():
        setattr(spectrum, name, value)
    with pytest.raises(InputError, match=reason):
        spectrum.check()


def test_values_beyond_float32_are_refused_not_stored_as_infinity():
    with pytest.raises(InputError, match="NaN or infinity"):
        Spectrum.from_arrays("m-1", X, broken(Y, 0, 1e300), method="method-1")
    spectrum = Spectrum.from_arrays("m-1", X, Y, method="method-1")
    spectrum["values"] = ArrayField.pack(broken(Y, 0, 1e300))
    with pytest.raises(InputError, match="NaN or infinity"):
        spectrum.check()
