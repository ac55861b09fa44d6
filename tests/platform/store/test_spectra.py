"""Curves are saved once, joined to training sets of one method, and compared."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from fermiloop.platform.errors import InputError
from fermiloop.platform.store import spectra
from fermiloop.schemas.curve_kinds import SpectrumKind
from fermiloop.schemas.spectrum import Spectrum


def test_a_curve_is_saved_once(method, curve):
    x, y = curve(0.0)
    first = spectra.save("m-1", x, y, method=method, calculation="calc-1", n_electrons=10)
    assert spectra.save("m-1", x, 2 * y, method=method) == first
    found = spectra.of_material("m-1")
    np.testing.assert_allclose(found.points(), x)
    np.testing.assert_allclose(found.array(), y, rtol=1e-6, atol=1e-30)
    assert (found.calculation, found.n_electrons) == ("calc-1", 10)


def test_writers_at_the_same_time_write_one(method, curve):
    x, y = curve(0.0)
    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(lambda _: spectra.save("m-1", x, y, method=method), range(16)))
    assert len(ids) == Spectrum.objects.count() == 1


def test_methods_and_kinds_are_apart(method, other_method, curve):
    x, y = curve(0.0)
    one, other = spectra.save("m-1", x, y, method=method), spectra.save("m-1", x, y, method=other_method)
    phonons = spectra.save("m-1", x + 11, y, method=method, kind=SpectrumKind.PHONON_DOS)
    assert len({one, other, phonons}) == 3
    assert spectra.of_material("m-1", method=other_method).id == other
    assert spectra.of_material("m-1", SpectrumKind.PHONON_DOS).id == phonons
    assert spectra.of_material("m-1", SpectrumKind.XRD) is None
    assert spectra.of_material("m-2") is None
    assert spectra.materials_with(method) == ["m-1"]


@pytest.mark.parametrize("spoil", ["nan", "grid", "unit"])
def test_what_is_no_curve_leaves_nothing(method, curve, spoil):
    x, y = curve(0.0)
    changed = {"nan": (x, y * np.nan), "grid": (x[::-1], y), "unit": (x, y)}[spoil]
    with pytest.raises(InputError):
        spectra.save("m-1", *changed, method=method, unit="GPa" if spoil == "unit" else None)
    assert Spectrum.objects.count() == 0
