"""A training set of a snapshot is what it was when it was frozen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fermiloop.platform.representations.spectrum import DOS_GRID
from fermiloop.platform.store import labels, snapshots, spectra, training


def test_a_later_version_does_not_reach_an_earlier_snapshot(
    stored: Callable[..., str], method: str, curve: Callable[[float], Any]
) -> None:
    ids = [stored("Ni"), stored("Pd")]
    for material in ids:
        spectra.save(material, *curve(-1.0), method=method)
    labels.save(ids[0], "band_gap", 0.0, method=method)
    frozen = snapshots.freeze(ids, query={}, split_seed=1, method=method)
    labels.save(ids[0], "band_gap", 0.5, method=method)
    labels.save(ids[1], "band_gap", 0.7, method=method)
    later = snapshots.freeze(ids, query={}, split_seed=1, method=method)
    assert frozen != later

    def gaps(snapshot: str) -> list[float]:
        known = snapshots.label_ids(snapshot)
        data = training.training_set(ids, DOS_GRID, method, label_ids=known)
        return list(data.labels["band_gap"])

    np.testing.assert_equal(gaps(frozen), [0.0, np.nan])
    assert gaps(later) == [0.5, 0.7]
    assert list(training.training_set(ids, DOS_GRID, method).labels["band_gap"]) == [0.5, 0.7]
