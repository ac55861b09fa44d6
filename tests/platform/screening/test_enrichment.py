"""Recall and enrichment of stages, on cases that can be counted by hand and on any."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fermiloop.platform.errors import InputError
from fermiloop.platform.screening.enrichment import enrichment_of_best, recall_by_stage


def test_counts_of_a_small_funnel():
    truth = [1, 1, 1, 1, 0, 0, 0, 0, 0, 0]
    kept = {"a": [1, 1, 1, 0, 1, 1, 0, 0, 0, 0], "b": [1, 1, 0, 0, 0, 0, 0, 0, 0, 0]}
    first, second = recall_by_stage(kept, truth)
    assert (first.n_in, first.n_out, first.good_in, first.good_out) == (10, 5, 4, 3)
    assert first.recall == pytest.approx(0.75)
    assert first.enrichment == pytest.approx(0.6 / 0.4)
    assert (second.n_in, second.good_in, second.good_out) == (5, 3, 2)
    assert second.enrichment == pytest.approx(2.5)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 3)), min_size=1, max_size=40))
def test_recall_never_grows_and_enrichment_is_precision_over_prevalence(rows):
    truth = np.array([good for good, _ in rows])
    depth = np.array([stage for _, stage in rows])
    found = recall_by_stage({str(k): depth > k for k in range(3)}, truth)
    recalls = [row.recall for row in found]
    if not truth.any():
        assert recalls == [None] * 3
        return
    assert recalls == sorted(recalls, reverse=True)
    for row in found:
        assert row.n_out <= row.n_in
        if row.n_out:
            assert row.enrichment == pytest.approx(row.precision / truth.mean())
        else:
            assert row.enrichment is None


def test_a_perfect_ranking_enriches_up_to_the_inverse_prevalence():
    truth = np.array([1] * 10 + [0] * 90)
    assert enrichment_of_best(truth, truth, 0.1) == pytest.approx(10)
    assert enrichment_of_best(-truth, truth, 0.1) == 0
    assert enrichment_of_best(truth, truth, 1.0) == pytest.approx(1)
    assert enrichment_of_best(np.where(truth, np.nan, 0), truth, 0.1) == 0
    assert enrichment_of_best(truth, np.zeros(100), 0.1) is None


def test_what_does_not_fit_is_refused():
    with pytest.raises(InputError, match="3"):
        recall_by_stage({"a": [1, 1]}, [1, 1, 0])
    with pytest.raises(InputError, match="order"):
        recall_by_stage({"a": [0, 1], "b": [1, 1]}, [1, 0])
    with pytest.raises(InputError, match="share"):
        enrichment_of_best([1.0], [True], 0.0)
