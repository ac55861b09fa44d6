"""Curves are given about the store's zero, whatever they were stored about."""

from __future__ import annotations

import numpy as np
import pytest

from fermiloop.db_init.migrations import m0003_alignment
from fermiloop.platform.representations.grids import GRIDS
from fermiloop.platform.representations.spectrum import DOS_GRID
from fermiloop.platform.settings import settings
from fermiloop.platform.store import connection, dos_search, labels, methods, snapshots, spectra, training
from fermiloop.schemas.curve_kinds import SpectrumKind
from fermiloop.schemas.spectrum import Spectrum
from fermiloop.schemas.vocabulary import Alignment

X = np.round(np.arange(-10.0, 10.01, 0.05), 6)


def insulator(gap, zero=0.0):
    """Bands about a gap whose middle lies at `zero`."""
    below, above = zero - gap / 2, zero + gap / 2
    return np.where((below >= X) & (below - 4 < X), 2.0, 0.0) + np.where(above <= X, 1.0, 0.0)


@pytest.fixture
def about_valence(monkeypatch):
    def switch():
        monkeypatch.setenv("FERMILOOP_DOS_ALIGNMENT", "vbm")
        settings.cache_clear()

    return switch


@pytest.fixture
def three(stored, method):
    """Two insulators, the second about the level of its source, and a metal; their ids."""
    ids = [stored("Al"), stored("Ni"), stored("Cu")]
    spectra.save(ids[0], X, insulator(2.0), method=method, gap=2.0)
    spectra.save(ids[1], X, insulator(2.0, 0.7), method=method)
    spectra.save(ids[2], X, np.exp(-(X**2)), method=method, gap=0.0)
    return ids


def top(x, y):
    """Highest energy below 2 eV at which there are states of the valence band."""
    return float(x[np.flatnonzero((y > 1.5) & (x < 2))[-1]])


def test_what_lies_at_zero_and_the_gap_are_kept(three):
    kept = [Spectrum.objects(material=key).first() for key in three]
    assert [one.alignment for one in kept] == [Alignment.MIDGAP, Alignment.FERMI, Alignment.MIDGAP]
    assert [one.gap for one in kept] == [2.0, None, 0.0]


def test_every_reader_gives_the_curve_about_the_stores_zero(three, method, about_valence):
    before = snapshots.freeze(three, query={}, split_seed=0, method=method)
    near = dos_search.nearest(np.interp(DOS_GRID.points, X, insulator(2.0)), limit=3)
    assert near[0].material == three[0]
    about_valence()
    found = spectra.of_material(three[0])
    assert found.alignment is Alignment.VBM
    assert top(found.points(), found.array()) == pytest.approx(0.0, abs=0.06)
    assert spectra.all_of_material(three[0])[0].lo == pytest.approx(-9.0)
    back = spectra.of_material(three[0], wanted=Alignment.MIDGAP)
    np.testing.assert_allclose(back.points(), X, atol=1e-9)
    assert spectra.of_material(three[1]).lo == pytest.approx(-10.0)
    assert spectra.of_material(three[2]).lo == pytest.approx(-10.0)
    data = training.training_set(three, DOS_GRID, method)
    assert top(DOS_GRID.points, data.curves[data.ids.index(three[0])]) == pytest.approx(0.0, abs=0.11)
    assert data.grid.alignment == "vbm"
    moved = np.interp(DOS_GRID.points, X + 1.0, insulator(2.0))
    assert dos_search.nearest(moved, limit=3)[0].value == pytest.approx(1.0, abs=2e-3)
    assert snapshots.freeze(three, query={}, split_seed=0, method=method) != before
    assert Spectrum.objects(material=three[0]).first().alignment is Alignment.MIDGAP


def test_a_curve_that_leaves_the_grid_about_the_valence_edge_is_none_to_learn(stored, method, about_valence):
    wide, narrow = stored("Al"), stored("Ni")
    spectra.save(wide, X, insulator(6.0), method=method, gap=6.0)
    spectra.save(narrow, X, insulator(2.0), method=method, gap=2.0)
    assert training.training_set([wide, narrow], DOS_GRID, method).has_curve.all()
    about_valence()
    data = training.training_set([wide, narrow], DOS_GRID, method)
    assert data.has_curve.tolist() == [one == narrow for one in data.ids]


def test_other_kinds_have_no_zero_to_move(about_valence):
    about_valence()
    assert spectra.grid(SpectrumKind.XRD) == GRIDS[SpectrumKind.XRD]
    assert spectra.grid().alignment == "vbm"


def test_a_zero_needs_its_gap():
    made = Spectrum.from_arrays("m-1", X, insulator(1.0), method="method-1", gap=1.0)
    made.gap = None
    with pytest.raises(Exception, match="gap is missing"):
        made.check()


@pytest.fixture
def external_method(database):
    return methods.save("external", "PBE", {"source": "elsewhere"}, {})


@pytest.fixture
def old(stored, method, external_method):
    """Curves as they were stored before alignments were kept: of an engine, imported, and one that cannot say."""
    engine, imported, unclear = stored("Al"), stored("Ni"), stored("Cu")
    spectra.save(engine, X, insulator(2.0), method=method)
    labels.save(engine, "band_gap", 2.0, method=method)
    spectra.save(imported, X, insulator(2.0, 0.7), method=external_method)
    spectra.save(unclear, X, np.maximum(np.abs(X), 0.02), method=external_method)
    connection.database()["spectra"].update_many({}, {"$unset": {"gap": 1}})
    return engine, imported, unclear


def test_the_migration_marks_moves_and_leaves(old):
    database = connection.database()
    before = list(database["spectra"].find().sort("_id", 1))
    promised = m0003_alignment.migrate(database, dry_run=True)
    assert list(database["spectra"].find().sort("_id", 1)) == before
    assert m0003_alignment.migrate(database, dry_run=False) == promised
    assert len(promised) == 3
    engine, imported, unclear = (Spectrum.objects(material=key).first() for key in old)
    assert (engine.alignment, engine.gap, engine.lo) == (Alignment.MIDGAP, 2.0, -10.0)
    assert imported.alignment is Alignment.MIDGAP
    assert imported.gap == pytest.approx(2.0, abs=0.06)
    assert imported.lo == pytest.approx(-10.7, abs=0.03)
    assert (unclear.alignment, unclear.gap) == (Alignment.FERMI, None)
    again = m0003_alignment.migrate(database, dry_run=False)
    assert [text for text in again if "cannot be found" not in text] == []
    for one in (engine, imported, unclear):
        one.check()


def test_engines_are_told_by_their_method(old):
    kinds = {row["engine"] for row in connection.database()["methods"].find()}
    assert "external" in kinds
    assert len(kinds) == 2
