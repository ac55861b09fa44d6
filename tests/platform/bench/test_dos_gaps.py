"""The class of the gap from vectors of compositions."""

import json

import numpy as np
import pytest

from fermiloop.platform.bench import dos_gaps
from fermiloop.platform.bench.dos import learnable
from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.samples import samples_of

KINDS = [("Al", "Ni"), ("Al", "Pd"), ("Ni", "Pd")]


@pytest.fixture(scope="module")
def samples(make_library):
    return samples_of(learnable(make_library(elements=("Al", "Ni", "Pd"), names=("A1", "A3", "B2", "L1_2"), every=1)))


def crystals(path, n=60):
    """Binaries whose gap depends on their elements alone, in cells of three shapes."""
    lines = []
    for i in range(n):
        pair, shape = KINDS[i % 3], i // 3 % 3
        species = [pair[0]] * (1 + i % 2) + [pair[1]] * (1 + i // 2 % 3)
        frac = np.random.default_rng(i).random((len(species), 3)).tolist()
        cell = [4, 4 + 0.1 * (shape > 0), 4 + 0.1 * shape, 90, 90, 90]
        lines.append(json.dumps({"cell": cell, "species": species, "frac": frac, "band_gap": [0.0, 1.5, 5.0][i % 3]}))
    path.write_text("\n".join(lines))
    return path


def test_trees_read_the_class_where_elements_decide_it(tmp_path, samples, monkeypatch) -> None:
    monkeypatch.setattr(dos_gaps, "TREES", 20)
    rows = dos_gaps.gap_rows(samples, crystals(tmp_path / "gaps.jsonl"), 3, 0, lambda *_: None)
    by = {(row["model"], row["split"]): row for row in rows}
    random = "class of the gap, random, as published"
    assert by["formula vectors", random]["top1"] == 1
    assert by["most frequent class", random]["top1"] < 0.6
    names = {"composition vectors", "formula vectors", "one-hot vectors", "most frequent class"}
    assert {model for model, _ in by} == names
    assert all(row["top1_low"] <= row["top1"] <= row["top1_high"] and row["n"] == 60 for row in rows)


def test_a_file_without_enough_gaps_is_refused(tmp_path, samples) -> None:
    with pytest.raises(InputError, match="holds 12 crystals"):
        dos_gaps.gap_rows(samples, crystals(tmp_path / "few.jsonl", 12), 2, 0, lambda *_: None)
