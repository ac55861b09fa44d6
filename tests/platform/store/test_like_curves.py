"""Curves of several Methods in one training set, one snapshot, one search; labels of one Method alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from fermiloop.flows.engines.lookup import code_of
from fermiloop.platform.representations.spectrum import DOS_GRID
from fermiloop.platform.store import dos_search, labels, methods, snapshots, spectra, training
from fermiloop.schemas.method import Method
from fermiloop.schemas.snapshot import Snapshot, SnapshotPage


def saved(engine: str, settings: dict[str, Any] | None = None) -> str:
    made = code_of(engine).method(settings or {})
    return methods.save(made.engine, made.functional, made.settings, made.code_versions)


@pytest.fixture
def families(database: str) -> tuple[str, str, str]:
    """Ids of `gpaw`, of `gpaw-hard`, and of one whose curves are other ones."""
    return saved("gpaw"), saved("gpaw-hard"), saved("gpaw-hard", {"dos_broadening": 0.3})


@pytest.fixture
def crystals(families: tuple[str, str, str], stored: Callable[..., str], curve: Any) -> list[str]:
    """Two crystals by `gpaw`, the second by `gpaw-hard` too, a third by that alone, a fourth by the other."""
    soft, hard, other = families
    ids = [stored("Al"), stored("Ni"), stored("Ti"), stored("Pd")]
    for index, method, centre in ((0, soft, 0.0), (1, soft, 1.0), (1, hard, 2.0), (2, hard, 3.0), (3, other, 4.0)):
        spectra.save(ids[index], *curve(centre), method=method)
        labels.save(ids[index], "energy_per_atom", -centre, method=method)
    return ids


def peak(row: np.ndarray) -> float:
    return float(DOS_GRID.points[row.argmax()])


def test_methods_with_one_key_are_found_the_own_first(families: tuple[str, str, str]) -> None:
    soft, hard, other = families
    assert methods.curves_beside(soft) == (soft, hard)
    assert methods.curves_beside(hard) == (hard, soft)
    assert methods.curves_beside(other) == (other,)
    assert methods.curves_beside("method-unknown") == ("method-unknown",)
    unsaved = Method.make("gpaw-hard", "PBE", {**methods.get(hard).settings, "cutoff": 700.0}, {})
    assert methods.with_like_curves(unsaved) == (unsaved.id, *sorted((soft, hard)))


def test_a_training_set_takes_curves_of_all_and_labels_of_one(
    families: tuple[str, str, str], crystals: list[str]
) -> None:
    soft, hard, _ = families
    curves = methods.curves_beside(hard)
    assert training.materials_of(hard, curves=curves) == sorted(crystals[:3])
    assert training.materials_of(hard) == sorted(crystals[1:3])
    data = training.training_set(crystals, DOS_GRID, hard, curves=curves)
    assert data.has_curve.tolist() == [True, True, True, False]
    assert [peak(row) for row in data.curves[:3]] == pytest.approx([0.0, 2.0, 3.0], abs=0.1)  # the own before others'
    np.testing.assert_equal(data.labels["energy_per_atom"], [np.nan, -2.0, -3.0, np.nan])
    swapped = training.training_set(crystals, DOS_GRID, soft, curves=methods.curves_beside(soft))
    assert peak(swapped.curves[1]) == pytest.approx(1.0, abs=0.1)
    mean = training.mean_curve(DOS_GRID, curves)
    assert mean is not None
    expected = np.mean([DOS_GRID.normalise(row) for row in data.curves[:3]], axis=0)
    np.testing.assert_allclose(mean, expected)


def test_a_snapshot_says_which_methods_its_curves_come_from(
    families: tuple[str, str, str], crystals: list[str]
) -> None:
    soft, hard, _ = families

    def freeze(ids: list[str], curves: tuple[str, ...] = ()) -> str:
        return snapshots.freeze(ids, query={}, split_seed=0, method=hard, curves=curves)

    alone, both = freeze(crystals[1:3]), freeze(crystals[:3], methods.curves_beside(hard))
    assert snapshots.curve_methods(alone) == (hard,)
    assert snapshots.curve_methods(both) == (hard, soft)
    page = SnapshotPage.objects.get(snapshot=both)
    assert len(page.spectra) == 3  # one of each material
    assert freeze(crystals[1:3], (hard, soft)) == alone  # what is not there changes nothing
    assert snapshots.curve_methods(freeze([crystals[0]], (hard, soft))) == (soft,)


def test_a_snapshot_of_an_earlier_version_has_the_curves_of_its_labels(
    families: tuple[str, str, str], crystals: list[str]
) -> None:
    frozen = snapshots.freeze(crystals[:1], query={}, split_seed=0, method=families[0])
    Snapshot._get_collection().update_one({"_id": frozen}, {"$unset": {"curve_methods": ""}})
    assert snapshots.curve_methods(frozen) == (families[0],)


def test_a_search_by_a_method_finds_curves_of_all_with_its_key(
    families: tuple[str, str, str], crystals: list[str], curve: Any
) -> None:
    x, y = curve(3.0)
    asked = DOS_GRID.resample(x, y)
    found = {n.material: n.method for n in dos_search.nearest(asked, method=families[0])}
    assert set(found) == set(crystals[:3])
    assert found[crystals[1]] == families[1]  # the nearer of its two
    assert {n.material for n in dos_search.nearest(asked)} == set(crystals)
