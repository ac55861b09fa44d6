"""Accuracy against the number of curves learned from."""

import json

import numpy as np
import pytest

from fermiloop.platform.bench import dos_sizes
from fermiloop.platform.bench.dos import SPLITS, folds_of, learnable, learning_curve
from fermiloop.platform.bench.scores import Answers
from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.samples import samples_of


@pytest.fixture(scope="module")
def data(make_library):
    return learnable(make_library(elements=("Al", "Ni", "Pd"), names=("A1", "A3", "B2", "B1", "L1_2", "C32"), every=1))


class Counting:
    """A model that only keeps what it learned from, and never answers rightly."""

    def __init__(self, seen):
        self.seen = seen

    def fit(self, samples, _seed, _progress):
        if len(samples) < 8:
            raise InputError("too few")
        self.seen.append({tuple(curve) for curve in samples.curves})
        self.table = samples.table()

    def log_probabilities(self, curves, _systems):
        return np.full((len(curves), len(self.table.rows)), -np.log(len(self.table.rows)))


def test_a_larger_size_holds_all_of_a_smaller_one_and_none_of_what_is_asked(data, monkeypatch):
    samples = samples_of(data)
    monkeypatch.setattr(dos_sizes, "SIZES", (4, 8, 10_000))
    folds = folds_of(data, SPLITS[2], 2, 0)
    seen: list[set] = []
    rows = dos_sizes.size_rows(samples, folds, {"counting": lambda: Counting(seen)}, 0, lambda *_: None)
    least = min(len(train) for train, _ in folds)
    assert [row["learned"] for row in rows] == [4, 8, least]
    assert all(row["n"] == len(samples) for row in rows)
    assert (rows[0]["top5"], rows[0]["scored_share"], rows[0]["dos_n"]) == (0, 0, 0)  # too few to learn from
    for fold, (_, test) in enumerate(folds):
        small, large = seen[fold::2]
        assert small < large
        assert not large & {tuple(curve) for curve in samples.curves[test]}


def test_what_is_missed_counts_as_wrong():
    answers = Answers.empty(3)
    answers.miss(np.arange(3))
    assert (answers.ranks > 5).all()
    assert answers.scored.sum() == answers.pair.sum() == 0


def test_sizes_end_with_all_there_is():
    assert dos_sizes.sizes_of(150) == [100, 150]
    assert dos_sizes.sizes_of(100) == [100]
    assert dos_sizes.sizes_of(90) == [90]


def test_the_command_s_path_draws_what_it_tells(make_library, tmp_path):
    records = make_library(elements=("Al", "Ni", "Pd"), names=("A1", "A3", "B2", "B1", "L1_2", "C32"), every=1)
    energies = np.linspace(-10, 8, 361)
    lines = [
        json.dumps(
            {
                "key": key, "formula": one.composition.reduced_formula, "prototype": prototype,
                "structure": one.as_dict(), "dos": np.interp(energies, records.grid.points, curve).tolist(),
            }
        )
        for key, one, prototype, curve in zip(
            records.ids, records.structures, records.prototypes, records.curves, strict=True
        )
    ]  # fmt: skip
    (tmp_path / "library.jsonl").write_text("\n".join(lines))
    found = learning_curve([tmp_path / "library.jsonl"], tmp_path / "curve.png", True, lambda *_: None)
    assert {row["model"] for row in found["rows"]} == {"factorised", "paper"}
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")
    assert json.dumps(found, allow_nan=False)
    with pytest.raises(InputError, match=r"end its name in \.svg"):
        learning_curve([tmp_path / "library.jsonl"], tmp_path / "curve.txt", True, lambda *_: None)
