"""The nearest of all stored curves, whatever other processes added, removed or replaced meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.spectral_search import Metric
from fermiloop.platform.representations.spectrum import DOS_GRID
from fermiloop.platform.settings import settings
from fermiloop.platform.store import connection, dos_search, spectra
from fermiloop.schemas.base import now
from fermiloop.schemas.curve_kinds import SpectrumKind
from fermiloop.schemas.fields import ArrayField
from fermiloop.schemas.spectrum import Spectrum

TARGET = np.exp(-(DOS_GRID.points**2))


def found(**how: object) -> list[str]:
    return [neighbour.material for neighbour in dos_search.nearest(TARGET, **how)]


@pytest.fixture
def peaks(method, curve) -> Callable[..., str]:
    """Saver of a peak of a material at an energy (eV)."""

    def save(material: str, centre: float, **how: object) -> str:
        return spectra.save(material, *curve(centre), **{"method": method} | how)

    return save


@pytest.mark.parametrize("metric", list(Metric))
def test_nearest_first_by_every_metric(peaks, metric):
    for name, centre in (("m-far", 5.0), ("m-near", 0.3), ("m-same", 0.0)):
        peaks(name, centre)
    assert found(metric=metric) == ["m-same", "m-near", "m-far"]
    assert found(metric=metric, limit=1, exclude=["m-same"]) == ["m-near"]
    assert found(metric=metric, among=["m-far"]) == ["m-far"]


def test_values_formulas_and_methods(stored, method, other_method, curve):
    key = stored("Ni", "Al")
    mine = spectra.save(key, *curve(1.0), method=method)
    other = spectra.save(key, *curve(4.0), method=other_method)
    (best,) = dos_search.nearest(TARGET, metric="wasserstein")
    assert best == dos_search.Neighbour(key, mine, method, "AlNi", pytest.approx(1.0, abs=1e-3))
    (worse,) = dos_search.nearest(TARGET, metric="wasserstein", method=other_method)
    assert (worse.spectrum, worse.value) == (other, pytest.approx(4.0, abs=0.1))
    assert found(method="method-none") == []


def test_the_window_decides(peaks, method):
    x = DOS_GRID.points
    spectra.save("m-inside", x, np.exp(-(x**2)) + 5 * np.exp(-((x - 6) ** 2)), method=method)
    peaks("m-broad", 0.9)
    assert found() == ["m-broad", "m-inside"]
    assert found(window=(-2, 2)) == ["m-inside", "m-broad"]


def test_a_short_curve_takes_part_where_it_covers_the_window(method, curve):
    x, y = curve(0.0)
    spectra.save("m-short", x[140:-140], y[140:-140], method=method)
    assert found() == []
    assert found(window=(-2, 2)) == ["m-short"]


def test_what_is_added_removed_and_replaced_meanwhile(peaks):
    assert found() == []
    peaks("m-1", 1.0)
    assert found() == ["m-1"]
    peaks("m-2", 0.0)
    peaks("m-phonons", 11.0, kind=SpectrumKind.PHONON_DOS)
    assert found() == ["m-2", "m-1"]
    Spectrum.objects(material="m-2").delete()
    assert found() == ["m-1"]
    Spectrum.objects(material="m-1").delete()
    peaks("m-1", 3.0)  # the same id with another curve
    peaks("m-3", 2.0)
    assert found() == ["m-3", "m-1"]
    Spectrum.objects.delete()
    assert found() == []
    peaks("m-4", 0.0)
    assert found() == ["m-4"]


def test_a_curve_with_an_earlier_date_is_seen_at_the_next_count(peaks, monkeypatch):
    monkeypatch.setattr(dos_search, "COUNT_SECONDS", 0.0)
    first = Spectrum.objects(id=peaks("m-old", 0.5)).as_pymongo().first()
    Spectrum.objects.delete()
    peaks("m-new", 0.0)
    assert found() == ["m-new"]
    Spectrum._get_collection().insert_one(first)  # as a dump brings it back
    assert found() == ["m-new", "m-old"]


def test_only_what_is_new_is_read(peaks, monkeypatch):
    peaks("m-1", 1.0)
    found()
    read: list[list[str]] = []
    whole = dos_search._extended
    monkeypatch.setattr(dos_search, "_extended", lambda c, t, g, new: read.append(new) or whole(c, t, g, new))
    new = peaks("m-2", 2.0)
    found()
    found()
    assert read == [[new]]


def test_each_kind_is_compared_with_its_own(method, curve):
    x, y = curve(0.0)
    spectra.save("m-states", x, y, method=method)
    spectra.save("m-phonons", x + 10, y, method=method, kind=SpectrumKind.PHONON_DOS)
    assert found() == ["m-states"]
    phonons = dos_search.nearest(np.ones(126), kind=SpectrumKind.PHONON_DOS, window=(2, 18))
    assert [neighbour.material for neighbour in phonons] == ["m-phonons"]
    assert dos_search.nearest(np.ones(401), kind=SpectrumKind.XRD) == []


def test_another_database_is_not_answered_from_the_last_one(peaks, method, monkeypatch):
    peaks("m-1", 0.0)
    assert found() == ["m-1"]
    monkeypatch.setenv("FERMILOOP_DATABASE", f"test_other_{method[-8:]}")
    settings.cache_clear()
    connection.connect()
    assert found() == []


@pytest.mark.parametrize(
    ("curve_given", "how", "reason"),
    [
        (np.ones(150), {}, "151 finite values"),
        (np.ones((2, 151)), {}, "151 finite values"),
        (np.full(151, np.nan), {}, "151 finite values"),
        (np.zeros(151), {}, "vanishes"),
        (np.ones(151), {"limit": 0}, "at least 1"),
        (np.ones(151), {"metric": "euclid"}, "'euclid' is unknown"),
        (np.ones(151), {"window": (3, -3)}, "backwards"),
    ],
)
def test_comparisons_that_make_no_sense(database, curve_given, how, reason):
    with pytest.raises(InputError, match=reason):
        dos_search.nearest(curve_given, **how)


def test_twenty_thousand_curves_are_compared_at_once(method):
    rng = np.random.default_rng(0)
    values = rng.random((100, 151))
    first = Spectrum.from_arrays("m-0", DOS_GRID.points, values[0], method=method).to_mongo()
    for start in range(0, 20_000, 2000):
        rows = [
            dict(first)
            | {"_id": f"s-{i}", "material": f"m-{i}", "values": ArrayField.pack(values[i % 100]), "created_at": now()}
            for i in range(start, start + 2000)
        ]
        Spectrum._get_collection().insert_many(rows)
    for metric in Metric:
        dos_search.nearest(values[3], metric=metric)
        start_time = time.perf_counter()
        best = dos_search.nearest(values[3], metric=metric, limit=3)
        assert time.perf_counter() - start_time < 1.0  # 0.05 s where nothing else runs
        assert {int(neighbour.material[2:]) % 100 for neighbour in best} == {3}
