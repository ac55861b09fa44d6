"""The forward model on other curves: figures, baselines, and nothing learned of what is asked for."""

from dataclasses import replace

import numpy as np
import pytest

from fermiloop.platform.bench import curves, forward_curves
from fermiloop.platform.bench.dos import SPLITS, folds_of
from fermiloop.platform.bench.forward_curves import CHANCE, MEAN, NEAREST, OURS, computed_rows, forward_rows, outcome
from fermiloop.platform.bench.splits import formulas
from fermiloop.platform.errors import EngineError
from fermiloop.platform.representations.grids import PHONON_GRID

KEYS = {"what", "published", "ours", "ours_low", "ours_high", "n", "baseline", "seconds", "note"}


def silent(what, share):
    pass


@pytest.fixture(scope="module")
def data(make_library):
    """Each crystal with a line for each element, by its mass: phonons only in name."""
    made = make_library(elements=("Al", "Ni", "Pd", "Au", "Ti"), names=("A1", "B2", "L1_2"), every=1)
    rows = np.zeros((len(made), PHONON_GRID.n))
    for row, structure in zip(rows, made.structures, strict=True):
        for site in structure:
            centre = 60.0 / np.sqrt(float(site.specie.atomic_mass))
            row += np.exp(-0.5 * ((PHONON_GRID.points - centre) / 0.8) ** 2)
    return replace(made, grid=PHONON_GRID, curves=rows)


def test_every_crystal_is_predicted_by_what_has_not_seen_its_composition(data):
    folds = folds_of(data, SPLITS[2], 3, 0)
    for train, test in folds:
        assert not set(formulas(data.subset(train.tolist()))) & set(formulas(data.subset(test.tolist())))
    found = outcome(data, folds, 0)
    assert set(found.cosines) == {OURS, NEAREST, MEAN, CHANCE}
    assert all(np.isfinite(values).all() for values in (*found.cosines.values(), *found.ranks.values()))
    assert found.cosines[OURS].mean() > found.cosines[MEAN].mean() > 0
    assert np.median(found.ranks[OURS]) < np.median(found.ranks[CHANCE])
    # one curve for all: each is as good as any other of its fold
    assert np.mean(found.ranks[MEAN] < 5) < 0.5


def test_rows(data, monkeypatch):
    monkeypatch.setattr(forward_curves, "folds_of", lambda made, *_: folds_of(made, SPLITS[2], 2, 0))
    rows = forward_rows(data, 2, 0, silent, 0.5)
    assert len(rows) == 6
    for row in rows:
        assert set(row) == KEYS
        assert 0 <= row["ours_low"] <= row["ours"] <= row["ours_high"] <= 1
        assert row["n"] == len(data)
    assert "ours beyond it" in rows[0]["note"]
    assert rows[1]["baseline"] == round(5 / len(data), 4)


def test_curves_that_a_potential_computed(data, monkeypatch):
    told = iter([data.curves[0], None])

    def computed(structure, _):
        found = next(told, "none")
        if isinstance(found, str):
            raise EngineError("it did not relax")
        return found

    monkeypatch.setattr(forward_curves, "_computed", computed)
    monkeypatch.setattr(forward_curves.importlib.util, "find_spec", lambda _: object())
    (row,) = computed_rows(data, True, 0, silent)
    assert set(row) == KEYS
    assert row["n"] == 2
    assert row["ours"] <= 0.5  # imaginary modes count 0
    assert "1 with imaginary modes" in row["note"]
    monkeypatch.setattr(forward_curves.importlib.util, "find_spec", lambda _: None)
    assert computed_rows(data, True, 0, silent) == []


def test_the_bench_of_such_a_file(data, monkeypatch, tmp_path):
    (tmp_path / "x.jsonl").write_text('{"phonon_dos": 1}')
    monkeypatch.setattr(curves, "read_curves", lambda *_: (data, 3))
    monkeypatch.setattr(curves, "forward_rows", lambda *_: [])
    monkeypatch.setattr(curves, "computed_rows", lambda *_: [])
    monkeypatch.setattr(curves, "SPLITS", SPLITS[:3])  # these crystals bear no name of a prototype
    found = curves.run_bench(tmp_path / "x.jsonl", True, 0, silent)
    assert [row["what"].split(",")[0] for row in found["rows"]] == ["phonon_dos: composition among the first five"] * 3
    assert found["settings"]["grid"] == "0 to 25 THz in 126 points"
    assert "elements of the first answer" in found["rows"][0]["note"]
