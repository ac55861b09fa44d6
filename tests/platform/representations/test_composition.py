"""Compositions as vectors and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.composition import (
    CompositionTable,
    CompositionVectors,
    formula_of,
    ratio_of,
    row_of,
)


@given(st.sets(st.integers(1, 83), min_size=1, max_size=7), st.integers(0, 1000))
def test_every_row_comes_back_from_its_vector(elements, seed):
    table = CompositionTable(sorted(elements))
    vectors = CompositionVectors(table, np.random.default_rng(seed).uniform(-1, 1, (len(elements), 30)))
    assert vectors.decode(vectors.encode()) == list(table.rows)
    assert len(set(table.rows)) == len(table)


@given(st.integers(1, 83), st.integers(1, 83), st.integers(1, 3), st.integers(1, 3))
def test_formula_and_row_agree(a, b, m, n):
    table = CompositionTable([a, b])
    row = next(r for r in table.rows if len(r) == (1 if a == b else 2))
    assert row_of(formula_of(row)) == row
    assert row_of(formula_of(row) * 1) in table.index


def test_rows_are_coprime_and_ordered_by_atomic_number():
    assert row_of("Ni2Pt6") == ((28, 1), (78, 3))
    assert row_of("Cl2") == ((17, 1),)
    assert ratio_of(row_of("Pt3Ni")) == (1, 3)
    assert len(CompositionTable([1, 2, 3])) == 3 + 3 * 7


def test_an_element_alone_has_an_empty_second_block():
    vectors = CompositionVectors(CompositionTable([3, 9]), np.arange(1.0, 7.0).reshape(2, 3))
    np.testing.assert_array_equal(vectors.encode([((9, 1),)]), [[4, 5, 6, 0, 0, 0]])
    np.testing.assert_array_equal(vectors.encode([((3, 2), (9, 3))]), [[2, 4, 6, 12, 15, 18]])


def test_distances_are_those_of_the_vectors():
    rng = np.random.default_rng(1)
    vectors = CompositionVectors(CompositionTable([5, 6, 7]), rng.normal(size=(3, 4)))
    asked = rng.normal(size=(2, 8))
    plain = np.linalg.norm(asked[:, None] - vectors.encode()[None], axis=-1)
    np.testing.assert_allclose(vectors.distances(asked), plain)


@pytest.mark.parametrize("element_vectors", [[[1.0, 2.0], [1.0, 2.0]], [[1.0, 2.0], [2.0, 4.0]], [[0.0, 0.0], [1, 2]]])
def test_ambiguous_vectors_are_refused(element_vectors):
    with pytest.raises(InputError, match="apart"):
        CompositionVectors(CompositionTable([1, 2]), np.array(element_vectors))


@pytest.mark.parametrize("formula", ["", "Xx2", "Fe0.5O", "not a formula"])
def test_what_is_no_composition_is_refused(formula):
    with pytest.raises(InputError):
        row_of(formula)


def test_fractions_sum_to_one_and_refuse_strangers():
    table = CompositionTable([28, 78])
    np.testing.assert_allclose(table.fractions().sum(axis=1), 1)
    with pytest.raises(InputError, match="Fe"):
        table.fractions([((26, 1),)])
