"""Curves are saved once, joined to training sets of one method, and compared."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.spectrum import DOS_GRID
from fermiloop.platform.settings import settings
from fermiloop.platform.store import connection, spectra
from fermiloop.schemas.fields import ArrayField
from fermiloop.schemas.spectrum import Spectrum
from fermiloop.schemas.vocabulary import SpectrumKind


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


def test_similar_curves_best_first(method, other_method, curve):
    for name, centre in (("m-far", 5.0), ("m-near", 0.3), ("m-same", 0.0)):
        spectra.save(name, *curve(centre), method=method)
    spectra.save("m-far", *curve(4.0), method=other_method)
    target = np.exp(-(DOS_GRID.points**2))
    found = spectra.similar(target, DOS_GRID)
    assert [key for key, _ in found] == ["m-same", "m-near", "m-far"]
    assert found[0][1] == pytest.approx(1.0, abs=1e-4)
    assert found[2][1] == pytest.approx(np.exp(-8.0), rel=0.05)  # of the nearer of its two curves
    assert [key for key, _ in spectra.similar(target, DOS_GRID, limit=1, exclude=["m-same"])] == ["m-near"]


def test_a_curve_saved_later_is_seen_and_one_that_does_not_cover_is_not(method, curve):
    target = np.exp(-(DOS_GRID.points**2))
    assert spectra.similar(target, DOS_GRID) == []
    spectra.save("m-1", *curve(1.0), method=method)
    assert [key for key, _ in spectra.similar(target, DOS_GRID)] == ["m-1"]
    spectra.save("m-2", *curve(0.0), method=method)
    x, y = curve(0.0)
    spectra.save("m-short", x[100:-100], y[100:-100], method=method)
    spectra.save("m-phonons", x, y, method=method, kind=SpectrumKind.PHONON_DOS)
    assert [key for key, _ in spectra.similar(target, DOS_GRID)] == ["m-2", "m-1"]


def test_each_kind_is_compared_with_its_own(method, curve):
    x, y = curve(0.0)
    spectra.save("m-states", x, y, method=method)
    spectra.save("m-phonons", x, y, method=method, kind=SpectrumKind.PHONON_DOS)
    target = np.exp(-(DOS_GRID.points**2))
    assert [key for key, _ in spectra.similar(target, DOS_GRID)] == ["m-states"]
    assert [key for key, _ in spectra.similar(target, DOS_GRID, kind=SpectrumKind.PHONON_DOS)] == ["m-phonons"]
    assert spectra.similar(target, DOS_GRID, kind=SpectrumKind.XRD) == []


def test_another_database_is_not_answered_from_the_last_one(method, curve, monkeypatch):
    spectra.save("m-1", *curve(0.0), method=method)
    target = np.exp(-(DOS_GRID.points**2))
    first = spectra.similar(target, DOS_GRID)
    monkeypatch.setenv("FERMILOOP_DATABASE", f"test_other_{method[-8:]}")
    settings.cache_clear()
    connection.connect()
    assert spectra.similar(target, DOS_GRID) == []
    assert len(first) == 1


@pytest.mark.parametrize(
    ("curve_given", "limit"), [(np.ones(150), 5), (np.ones((2, 151)), 5), (np.full(151, np.nan), 5), (np.ones(151), 0)]
)
def test_comparisons_that_make_no_sense(database, curve_given, limit):
    with pytest.raises(InputError):
        spectra.similar(curve_given, DOS_GRID, limit)


def test_twenty_thousand_curves_are_compared_at_once(method):
    rng = np.random.default_rng(0)
    values = rng.random((100, 151))
    x = np.linspace(-7.5, 7.5, 151)
    first = Spectrum.from_arrays("m-0", x, values[0], method=method).to_mongo()
    rows = [
        dict(first) | {"_id": f"s-{i}", "material": f"m-{i}", "values": ArrayField.pack(values[i % 100])}
        for i in range(20_000)
    ]
    Spectrum._get_collection().insert_many(rows)
    spectra.similar(values[3], DOS_GRID)
    start = time.perf_counter()
    found = spectra.similar(values[3], DOS_GRID, limit=3)
    assert time.perf_counter() - start < 1.0  # 0.1 s where nothing else runs
    assert [score for _, score in found] == pytest.approx([1.0] * 3, abs=1e-4)
    assert {int(key[2:]) % 100 for key, _ in found} == {3}
