"""The paper's own baselines: vectors of compositions that know nothing of densities of states."""

import numpy as np
import pytest

from fermiloop.platform.bench.dos import SPLITS as ALL_SPLITS
from fermiloop.platform.bench.dos import folds_of, learnable
from fermiloop.platform.bench.dos_vectors import SPLITS, FormulaVectors, system_rows, vector_rows
from fermiloop.platform.bench.scores import Answers
from fermiloop.platform.generators.regression import RegressionOptions
from fermiloop.platform.generators.samples import samples_of
from fermiloop.platform.representations.composition import CompositionTable, CompositionVectors


@pytest.fixture(scope="module")
def data(make_library):
    return learnable(make_library(elements=("Al", "Ni", "Pd"), names=("A1", "A3", "B2", "L1_2"), every=1))


def test_a_formula_vector_is_the_sum_of_the_blocks_of_a_one_hot_vector() -> None:
    table = CompositionTable((13, 28, 46))
    one_hot = CompositionVectors(table, np.eye(3)).encode().reshape(-1, 2, 3)
    np.testing.assert_array_equal(FormulaVectors(table).encode(), one_hot.sum(axis=1))


def test_distances_of_formula_vectors_are_euclidean_and_each_row_is_its_own_nearest() -> None:
    table = CompositionTable((13, 28, 46, 78))
    vectors = FormulaVectors(table)
    encoded = vectors.encode()
    asked = encoded + 0.1 * np.random.default_rng(0).standard_normal(encoded.shape)
    expected = np.linalg.norm(asked[:, None] - encoded[None], axis=2)
    np.testing.assert_allclose(vectors.distances(asked), expected, atol=1e-6)
    assert vectors.decode(encoded) == list(table.rows)


def test_each_baseline_has_a_row_of_each_split(data) -> None:
    samples = samples_of(data)
    folds = {split: folds_of(data, split, 2, 0) for split in ALL_SPLITS}
    options = RegressionOptions(epochs=2, vector_epochs=150)
    rows = vector_rows(samples, folds, options, 0, lambda *_: None)
    plain = [row for row in rows if row["split"] in SPLITS]
    assert {(row["model"], row["split"]) for row in plain} == {
        (model, split) for model in ("formula vectors", "one-hot vectors", "one network for all") for split in SPLITS
    }
    assert all(row["n"] == len(samples) and row["top5_low"] <= row["top5"] <= row["top5_high"] for row in plain)


def test_rows_of_crystal_systems_add_up_to_all(data) -> None:
    samples = samples_of(data)
    many = samples.subset(np.tile(np.arange(len(samples)), 10))
    answers = Answers(*(np.arange(len(many), dtype=float) % 7 for _ in range(6)))
    rows = system_rows("paper", "in-sample", answers, many)
    assert {row["split"] for row in rows} == {f"in-sample, {system}" for system in set(samples.systems)}
    found = sum(row["top5"] * row["n"] for row in rows)
    assert found == pytest.approx((answers.ranks < 5).sum(), abs=0.01)
    assert system_rows("paper", "in-sample", answers, samples.subset([0])) == []
