"""Beam search over compositions, against their enumeration."""

from itertools import combinations, permutations

import numpy as np
import pytest

from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.beam import beam_search, extended
from fermiloop.platform.generators.row_array import RowArray, orderings, ratios_of
from fermiloop.platform.representations.composition import CompositionTable, row_of

ELEMENTS = (3, 8, 13, 22, 28, 46, 78)
RATIOS = {1: ((1,),), 2: ((1, 1), (1, 2), (1, 3), (2, 3)), 3: ((1, 1, 1), (1, 1, 3)), 4: ((1, 1, 1, 1), (1, 1, 2, 6))}


def likeness(seed, rough=0.0):
    """A score of compositions: how near their fractions are to a wanted mixture, and something for each alone."""
    rng = np.random.default_rng(seed)
    wanted, noise = rng.dirichlet(np.full(len(ELEMENTS), 0.5)), rng.normal(size=997)

    def score(rows):
        return -((rows.fractions() - wanted) ** 2).sum(axis=1) + rough * noise[rows.keys % 997]

    return score


def everything(size):
    """Every composition of so many of the elements, one by one."""
    orders = sorted({order for ratio in RATIOS[size] for order in permutations(ratio)})
    return [tuple(zip(s, o, strict=True)) for s in combinations(ELEMENTS, size) for o in orders]


@pytest.mark.parametrize("seed", range(3))
def test_a_beam_that_is_wide_enough_is_the_enumeration(seed):
    score = likeness(seed, rough=1.0)
    found = beam_search(score, ELEMENTS, range(len(ELEMENTS)), RATIOS, 4, width=35)
    assert [rows.places.shape[1] for rows, _ in found] == [1, 2, 3, 4]
    for size, (rows, scores) in enumerate(found, start=1):
        assert sorted(rows.rows()) == sorted(everything(size))
        np.testing.assert_array_equal(scores, score(RowArray.of(rows.rows(), ELEMENTS)))


def test_unaries_and_binaries_are_those_of_the_table():
    table = CompositionTable(ELEMENTS)
    found = beam_search(likeness(0), ELEMENTS, range(len(ELEMENTS)), ratios_of(table.rows), 2, width=len(ELEMENTS))
    assert sorted(row for rows, _ in found for row in rows.rows()) == sorted(table.rows)


def test_a_narrow_beam_finds_the_best_where_parts_are_like_the_whole():
    best = {}
    for width in (1, 6, 35):
        tried = []

        def score(rows, seen=tried):
            seen.append(len(rows))
            return likeness(5)(rows)

        _, scores = beam_search(score, ELEMENTS, range(len(ELEMENTS)), RATIOS, 4, width)[-1]
        best[width] = scores.max(), sum(tried)
    assert best[6][0] == best[35][0] >= best[1][0]
    assert best[1][1] < best[6][1] < best[35][1]


def test_only_what_is_allowed_is_searched_and_sizes_without_a_ratio_are_passed_through():
    found = beam_search(likeness(1), ELEMENTS, (0, 2, 4, 5), {1: ((1,),), 4: ((1, 1, 1, 1),)}, 4)
    assert [rows.rows() for rows, _ in found] == [
        [((3, 1),), ((13, 1),), ((28, 1),), ((46, 1),)],
        [((3, 1), (13, 1), (28, 1), (46, 1))],
    ]
    assert len(beam_search(likeness(1), ELEMENTS, (0, 2), RATIOS, 4)) == 2
    assert beam_search(likeness(1), ELEMENTS, (), RATIOS, 4) == []
    with pytest.raises(InputError, match="not 0"):
        beam_search(likeness(1), ELEMENTS, (0, 2), RATIOS, 2, width=0)


def test_sets_grow_by_one_and_come_once():
    assert extended(np.array([[0, 1], [0, 2]]), np.array([0, 1, 2, 3])).tolist() == [[0, 1, 2], [0, 1, 3], [0, 2, 3]]


def test_rows_and_arrays_are_the_same():
    rows = [row_of(formula) for formula in ("Al", "AlNi3", "LiAlO2", "Li2TiNiO6", "Al3Ni")]
    array = RowArray.of(rows, ELEMENTS)
    assert array.rows() == rows
    assert array.sizes.tolist() == [1, 2, 3, 4, 2]
    assert len(set(array.keys.tolist())) == 5
    assert RowArray.of(rows[:2], ELEMENTS).keys.tolist() == array.keys[:2].tolist()
    np.testing.assert_allclose(array.fractions().sum(axis=1), 1)
    np.testing.assert_allclose(array.fractions()[1, [2, 4]], [0.25, 0.75])
    ratios, place = array.ratios()
    assert [ratios[i] for i in place] == [(1,), (1, 3), (1, 2, 1), (2, 6, 1, 1), (3, 1)]
    assert ratios_of(rows) == {1: ((1,),), 2: ((1, 3),), 3: ((1, 1, 2),), 4: ((1, 1, 2, 6),)}
    assert orderings([(1, 1, 3)]).tolist() == [[1, 1, 3], [1, 3, 1], [3, 1, 1]]
