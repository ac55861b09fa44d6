"""Ternaries held out by composition, on a made-up library whose curves are mixtures of curves of the elements."""

import numpy as np

from fermiloop.platform.bench.ternaries import (
    NONE,
    TOLD,
    asked_of,
    first_sets,
    nearest_rows,
    read_ternaries,
    ternary_rows,
)
from fermiloop.platform.generators.samples import samples_of
from fermiloop.platform.representations.composition import row_of


def silent(stage, share):
    pass


def test_every_row_has_its_baselines_and_a_sound_interval(ternary_library):
    samples = samples_of(ternary_library)
    readings = read_ternaries(samples, 2, 1, 0, silent)
    rows = ternary_rows(readings)
    assert [(row["model"], row["split"]) for row in rows] == [
        (model, split) for split in TOLD for model in ("factorised", "nearest_neighbour", "random")
    ]
    by = {(row["model"], row["split"]): row for row in rows}
    untold, told = TOLD
    for split in TOLD:
        ours, chance = by["factorised", split], by["random", split]
        assert ours["n"] == sum(len(row) == 3 for row in samples.rows)
        assert ours["top5_low"] <= ours["top5"] <= ours["top5_high"]
        assert ours["top5"] > chance["top5"] > 0  # the curves are mixtures, so the elements can be read
        # each set of elements of this library is of one composition, so that no curve of it is left
        assert by["nearest_neighbour", split]["top5"] == 0
    assert all(row in set(samples.rows) and len(row) == 3 for held in readings.held for row in held)
    assert any(readings.held)
    assert by["factorised", told]["top5"] >= by["factorised", untold]["top5"]


def test_a_library_without_ternaries_says_so(dos_library):
    assert ternary_rows(read_ternaries(samples_of(dos_library), 2, 1, 0, silent)) == [
        {"model": "factorised", "split": NONE, "n": 0},
    ]


def test_sets_count_once_and_nearest_come_first(ternary_library):
    rows = [row_of(f) for f in ("TiO", "TiO2", "Ti", "Al", "Ni", "Pd", "Cu")]
    assert first_sets(rows) == [frozenset(z) for z in ({22, 8}, {22}, {13}, {28}, {46})]
    samples = samples_of(ternary_library)
    asked = asked_of(samples, 0)
    assert [len(samples.rows[i]) for i in asked] == [3] * len(asked)
    assert nearest_rows(samples, samples.subset([asked[3]]))[0] == samples.rows[asked[3]]
    assert np.all(np.diff(asked) > 0)
