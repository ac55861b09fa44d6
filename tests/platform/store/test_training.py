"""Training sets out of the store."""

import numpy as np
import pytest
from pymongo.collection import Collection

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.spectrum import DOS_GRID, SpectrumGrid
from fermiloop.platform.store import labels, spectra, training
from fermiloop.schemas.curve_kinds import SpectrumKind


def test_a_training_set_joins_one_method(stored, method, other_method, curve):
    ids = [stored("Pd"), stored("Ni", "Al"), stored("Ti", "Al", prototype="D0_19"), stored("Pt"), stored("Cu")]
    for i, material in enumerate(ids[:4]):
        spectra.save(material, *curve(float(i)), method=method if i < 3 else other_method)
    labels.save(ids[0], "energy_per_atom", -5.0, method=method)
    labels.save(ids[0], "energy_per_atom", -5.1, method=method)
    labels.save(ids[1], "formation_energy_per_atom", -0.6, method=method)
    labels.save(ids[2], "band_gap", 0.7, method=other_method)
    data = training.training_set([ids[2], ids[0], "m-none", ids[3], ids[4], ids[1]], DOS_GRID, method)
    assert data.ids == (ids[2], ids[0], ids[3], ids[4], ids[1])
    assert data.has_curve.tolist() == [True, True, False, False, True]
    assert np.isnan(data.curves[2:4]).all()
    data = training.training_set(data.ids, DOS_GRID, method, only_curves=True)
    assert data.ids == (ids[2], ids[0], ids[1])
    assert data.prototypes == ("D0_19", "A-225", "AB-221")
    assert data.crystal_systems == ("hexagonal", "cubic", "cubic")
    assert [s.composition.reduced_formula for s in data.structures] == ["Ti3Al", "Pd", "AlNi"]
    x, _ = curve(0.0)
    for row, centre in zip(data.curves, (2.0, 0.0, 1.0), strict=True):
        np.testing.assert_allclose(row, np.interp(DOS_GRID.points, x, curve(centre)[1]), rtol=1e-5, atol=1e-9)
    np.testing.assert_equal(data.labels["energy_per_atom"], [np.nan, -5.1, np.nan])
    np.testing.assert_equal(data.labels["formation_energy_per_atom"], [np.nan, np.nan, -0.6])
    np.testing.assert_equal(data.labels["band_gap"], [np.nan] * 3)


def test_a_training_set_needs_curves_that_cover_the_grid(stored, method, curve):
    ids = [stored("Pd")]
    with pytest.raises(InputError, match="No material has a dos curve"):
        training.training_set(ids, DOS_GRID, method, only_curves=True)
    with pytest.raises(InputError, match="No material has a curve or a label"):
        training.training_set([], DOS_GRID, method)
    spectra.save(ids[0], *curve(0.0), method=method)
    with pytest.raises(InputError, match="covers"):
        training.training_set(ids, SpectrumGrid(lo=-20.0, hi=20.0, n=11), method)


def test_the_number_of_queries_does_not_grow_with_the_materials(stored, method, curve, monkeypatch):
    asked = []
    find = Collection.find
    monkeypatch.setattr(Collection, "find", lambda *args, **kwargs: asked.append(args) or find(*args, **kwargs))
    ids = [stored(e) for e in ("Al", "Ni", "Ti", "Pd", "Pt", "Cu", "Ag", "Au")]
    for material in ids:
        spectra.save(material, *curve(0.0), method=method)
    counts = []
    for n in (1, 8):
        asked.clear()
        assert len(training.training_set(ids[:n], DOS_GRID, method)) == n
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 3  # materials, curves, and labels


def test_what_a_method_teaches_is_what_has_a_curve_or_a_label_of_it(stored, method, other_method, curve):
    ids = [stored("Pd"), stored("Ni"), stored("Pt"), stored("Cu")]
    spectra.save(ids[0], *curve(0.0), method=method)
    labels.save(ids[1], "band_gap", 0.1, method=method)
    labels.save(ids[2], "band_gap", 0.1, method=other_method)
    assert training.materials_of(method) == sorted(ids[:2])
    assert training.materials_of(other_method) == [ids[2]]


def test_another_kind_of_curve_on_its_own_grid(stored, method, curve):
    material = stored("Pd")
    x = np.linspace(5, 85, 401)
    spectra.save(material, x, np.exp(-((x - 40) ** 2)), method=method, kind=SpectrumKind.XRD)
    grid = SpectrumGrid(lo=10.0, hi=80.0, n=141)
    data = training.training_set([material], grid, method, kind=SpectrumKind.XRD)
    assert data.grid.points[data.curves[0].argmax()] == pytest.approx(40)
    assert not training.training_set([material], DOS_GRID, method).has_curve.any()
