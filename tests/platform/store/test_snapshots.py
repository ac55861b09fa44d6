"""A snapshot never changes, and its id tells whether anything else did."""

from __future__ import annotations

import pytest

from fermiloop.platform.errors import NotFoundError
from fermiloop.platform.store import labels, snapshots, spectra
from fermiloop.schemas.snapshot import PAGE_SIZE, Snapshot, SnapshotPage


def freeze(ids, method, seed=7):
    return snapshots.freeze(ids, query={"spectra": "dos"}, split_seed=seed, method=method, campaign="pd-like")


def test_the_same_content_is_the_same_snapshot(method, other_method, curve):
    spectra.save("m-1", *curve(0.0), method=method)
    labels.save("m-2", "band_gap", 1.0, method=method)
    first = freeze(["m-2", "m-1", "m-1"], method)
    assert freeze(["m-1", "m-2"], method) == first
    labels.save("m-2", "band_gap", 2.0, method=other_method)  # of another method: not in it
    assert freeze(["m-1", "m-2"], method) == first
    assert Snapshot.objects.count() == SnapshotPage.objects.count() == 1
    kept = snapshots.get(first)
    assert (kept.n, kept.split_seed, kept.method, kept.campaign) == (2, 7, method, "pd-like")
    assert snapshots.ids(first) == ["m-1", "m-2"]


def test_anything_else_is_another(method, other_method, curve):
    labels.save("m-1", "band_gap", 1.0, method=method)
    seen = {freeze(["m-1"], method), freeze(["m-1"], method, seed=8), freeze(["m-1"], other_method)}
    seen.add(freeze(["m-1", "m-2"], method))
    labels.save("m-1", "band_gap", 2.0, method=method)
    seen.add(freeze(["m-1"], method))
    spectra.save("m-1", *curve(0.0), method=method)
    seen.add(freeze(["m-1"], method))
    assert len(seen) == 6


def test_the_hash_is_of_values_not_of_ids(method, curve):
    hashes = set()
    for gap, centre in ((1.0, 0.0), (2.0, 0.0), (1.0, 1.0)):
        for collection in ("labels", "spectra"):
            Snapshot._get_db()[collection].delete_many({})
        labels.save("m-1", "band_gap", gap, method=method)
        spectra.save("m-1", *curve(centre), method=method)
        hashes.add(snapshots.get(freeze(["m-1"], method)).content_hash)
    assert len(hashes) == 3


def test_a_page_names_the_curves_and_labels(method, curve):
    spectrum = spectra.save("m-1", *curve(0.0), method=method)
    label = labels.save("m-2", "band_gap", 1.0, method=method)
    page = SnapshotPage.objects.get(snapshot=freeze(["m-1", "m-2"], method))
    assert (list(page.spectra), list(page.labels)) == ([spectrum], [label])


def test_many_ids_take_pages(method):
    ids = [f"m-{i:016d}" for i in range(2 * PAGE_SIZE + 1)]
    snapshot = freeze(reversed(ids), method)
    assert snapshots.ids(snapshot) == ids
    assert [len(page.materials) for page in SnapshotPage.objects(snapshot=snapshot).order_by("number")] == [
        PAGE_SIZE,
        PAGE_SIZE,
        1,
    ]


def test_what_is_not_there(database):
    for call in (snapshots.get, snapshots.ids):
        with pytest.raises(NotFoundError, match="snap-none"):
            call("snap-none")
