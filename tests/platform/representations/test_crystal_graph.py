"""Crystal graphs are packed and unpacked exactly."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.crystal_graph import (
    CELL_CODE,
    N_ELEMENTS,
    SITE_CODE,
    Codes,
    CompactGraph,
    PaperGraph,
)


def codes_of(elements, cell=CELL_CODE, site=SITE_CODE, seed=0):
    random = np.random.default_rng(seed)
    k = len(elements)
    amounts = random.integers(1, 9, k).astype(float)
    return Codes(random.uniform(-1, 1, cell), tuple(elements), amounts, random.uniform(-1, 1, (k, site)))


def same(a, b, with_amounts=True):
    order = [a.elements.index(z) for z in b.elements]
    assert sorted(a.elements) == sorted(b.elements)
    np.testing.assert_array_equal(a.cell, b.cell)
    np.testing.assert_array_equal(a.sites[order], b.sites)
    if with_amounts:
        np.testing.assert_allclose(a.amounts[order], b.amounts, rtol=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.sets(st.integers(1, N_ELEMENTS), min_size=1, max_size=6), st.integers(0, 100))
def test_the_papers_graph_is_exact(elements, seed):
    codes = codes_of(sorted(elements), seed=seed)
    same(codes, PaperGraph().unpack(PaperGraph().pack(codes)), with_amounts=False)


def test_all_elements_fill_the_graph_as_the_paper_lays_them_out():
    codes = codes_of(range(1, N_ELEMENTS + 1))
    flat = PaperGraph().pack(codes).ravel()
    np.testing.assert_array_equal(flat[:CELL_CODE], codes.cell)
    for j, k in ((0, 0), (7, 13), (117, 199)):
        assert flat[160 + 200 * j + k] == codes.sites[j, k]
    same(codes, PaperGraph().unpack(flat), with_amounts=False)
    assert np.count_nonzero(flat) == CELL_CODE + N_ELEMENTS * SITE_CODE


def test_absent_elements_are_exactly_zero():
    graph = PaperGraph().pack(codes_of([8, 22, 56]))
    assert np.count_nonzero(graph) == CELL_CODE + 3 * SITE_CODE
    assert np.count_nonzero(graph) / graph.size == pytest.approx(0.024, abs=0.001)


def test_weak_rows_are_no_elements():
    graph = PaperGraph().pack(codes_of([8, 22]))
    graph += 1e-3 * np.random.default_rng(0).standard_normal(graph.shape)
    assert PaperGraph().unpack(graph, least_norm=1.0).elements == (8, 22)
    assert len(PaperGraph().unpack(graph, most=5).elements) == 5


@settings(max_examples=40, deadline=None)
@given(st.sets(st.sampled_from([3, 8, 11, 17, 22, 29, 92]), min_size=1, max_size=3), st.integers(0, 100))
def test_the_compact_graph_is_exact(elements, seed):
    graph = CompactGraph([3, 8, 11, 17, 22, 29, 92], 3, 6, 10)
    codes = codes_of(sorted(elements), 6, 10, seed)
    packed = graph.pack(codes)
    assert packed.shape == (graph.width,)
    same(codes, graph.unpack(packed))


def test_empty_slots_are_zero_but_for_their_none():
    graph = CompactGraph([11, 17], 3, 6, 10)
    slots = graph.pack(codes_of([11, 17], 6, 10))[6:].reshape(3, -1)
    assert slots[2, 0] == 1
    assert np.count_nonzero(slots[2]) == 1
    assert graph.unpack(graph.pack(codes_of([17], 6, 10))).elements == (17,)


def test_slots_go_by_electronegativity_whatever_the_order_given():
    graph = CompactGraph([8, 11], 2, 6, 10)
    codes = codes_of([8, 11], 6, 10)
    turned = Codes(codes.cell, (11, 8), codes.amounts[::-1], codes.sites[::-1])
    np.testing.assert_array_equal(graph.pack(codes), graph.pack(turned))
    assert graph.unpack(graph.pack(codes)).elements == (11, 8)


def test_the_same_element_twice_counts_once():
    graph = CompactGraph([8, 11], 2, 6, 10)
    packed = graph.pack(codes_of([8, 11], 6, 10))
    slots = packed[6:].reshape(2, -1)
    slots[1, : graph.kinds] = slots[0, : graph.kinds]
    assert graph.unpack(packed).elements == (11,)


def test_what_does_not_fit_is_refused():
    with pytest.raises(InputError, match="25 and 200"):
        PaperGraph().pack(codes_of([8], 24))
    with pytest.raises(InputError, match="119"):
        PaperGraph().pack(codes_of([119]))
    graph = CompactGraph([8, 11], 1, 6, 10)
    with pytest.raises(InputError, match="1 slots"):
        graph.pack(codes_of([8, 11], 6, 10))
    with pytest.raises(InputError, match="Ti does not occur"):
        graph.pack(codes_of([22], 6, 10))
    with pytest.raises(InputError, match="6 and 10"):
        graph.pack(codes_of([8], 6, 9))
    with pytest.raises(InputError, match="at least one"):
        CompactGraph([], 1, 6, 10)
    with pytest.raises(InputError, match="2 different elements"):
        Codes(np.zeros(2), (1, 2), np.zeros(2), np.zeros((1, 3)))
