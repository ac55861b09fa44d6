"""Fronts against their definition, and volumes that are known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fermiloop.platform.errors import InputError
from fermiloop.platform.search.pareto import hypervolume, improvements, ranks


def dominates(one, other):
    return bool((one <= other).all() and (one < other).any())


tables = st.tuples(st.integers(1, 12), st.integers(2, 3)).flatmap(
    lambda shape: arrays(float, shape, elements=st.integers(0, 6).map(float))
)


@given(tables)
@settings(deadline=None)
def test_the_first_front_is_what_none_dominates_and_each_other_needs_the_one_before(table):
    found = ranks(table)
    for i, row in enumerate(table):
        above = [int(found[j]) for j, other in enumerate(table) if dominates(other, row)]
        assert found[i] == (max(above) + 1 if above else 0)


@given(tables)
@settings(deadline=None)
def test_the_hypervolume_is_that_of_unit_boxes(table):
    k = table.shape[1]
    corner = np.full(k, 7.0)
    boxes = np.stack(np.meshgrid(*[np.arange(7)] * k, indexing="ij"), axis=-1).reshape(-1, k)
    covered = (table[None] <= boxes[:, None]).all(axis=-1).any(axis=1).sum()
    assert hypervolume(table, corner) == pytest.approx(covered)


@given(tables, st.integers(0, 99))
@settings(deadline=None)
def test_an_improvement_is_what_the_hypervolume_grows_by(table, seed):
    corner = np.full(table.shape[1], 5.5)
    points = 7 * np.random.default_rng(seed).random((4, table.shape[1]))
    grown = [hypervolume(np.vstack([table, point]), corner) - hypervolume(table, corner) for point in points]
    assert improvements(points, table, corner) == pytest.approx(grown, abs=1e-9)


def test_without_a_front_a_point_adds_all_that_it_dominates():
    assert improvements([[1.0, 1.0], [3.0, 0.0]], [], [2.0, 3.0]).tolist() == [2.0, 0.0]


def test_what_lies_beyond_the_reference_counts_nothing():
    assert hypervolume([[3.0, 3.0], [0.0, 9.0]], [2.0, 2.0]) == 0
    assert hypervolume(np.zeros((0, 2)), [1.0, 1.0]) == 0


def test_tables_that_are_none_are_refused():
    with pytest.raises(InputError, match="NaN"):
        ranks([[1.0, np.nan]])
    with pytest.raises(InputError, match="2 or 3"):
        hypervolume([[1.0, 2.0, 3.0, 4.0]], [5.0, 5.0, 5.0, 5.0])
    with pytest.raises(InputError, match="2 or 3"):
        improvements([[1.0]], [], [5.0])
