"""Samples that a model of elements can learn from."""

import numpy as np
import pytest
from scipy.special import logsumexp

from fermiloop.platform.errors import InputError
from fermiloop.platform.generators import dos_composer
from fermiloop.platform.generators.calibration import pool_weights
from fermiloop.platform.generators.inverse import InverseSpectrumModel
from fermiloop.platform.generators.row_array import RowArray
from fermiloop.platform.generators.samples import DRAWN, Samples, compared_rows, told_apart
from fermiloop.platform.representations.composition import CompositionTable, row_of

FORMULAS = ("Al", "Ti", "Ni", "Cu", "AlTi", "AlNi", "Al3Ti", "TiNi", "AlCu", "Ni3Al")


def samples(*formulas):
    """Curves with a peak that their composition places."""
    from pymatgen.core import Composition

    rows = tuple(row_of(Composition(formula)) for formula in formulas)
    places = [sum(number * count for number, count in row) % 151 for row in rows]
    curves = np.exp(-(((np.arange(151)[None] - np.array(places)[:, None]) / 9.0) ** 2)) + 0.01
    return Samples(curves / curves.sum(axis=1, keepdims=True) / 0.12, rows, np.array(["cubic"] * len(rows)), 0.12, 83)


def test_elements_that_always_occur_together_are_left_out_with_what_holds_them():
    every = samples(*FORMULAS, "BN", "TiB")
    assert told_apart(every) is every  # boron occurs without nitrogen too
    left = told_apart(samples(*FORMULAS, "BN"))
    assert left.rows == samples(*FORMULAS).rows
    assert told_apart(samples(*FORMULAS, "KCl", "KClAl")).rows == samples(*FORMULAS).rows


def test_what_leaving_out_makes_alike_is_left_out_too():
    # once boron and nitrogen are out, potassium and chlorine occur together alone
    chain = samples(*FORMULAS, "BNK", "KCl", "BNCl")
    assert {number for row in told_apart(chain).rows for number, _ in row} == {13, 22, 28, 29}


def test_too_little_is_refused_with_the_remedy():
    with pytest.raises(InputError, match="always occur together"):
        told_apart(samples(*["BN", "KCl", "AlTi"] * 3))


def test_the_published_model_learns_a_library_in_which_two_elements_always_occur_together():
    model = InverseSpectrumModel("paper")
    model.model.options = model.model.options.__class__(epochs=2, vector_epochs=50)
    model.fit(samples(*FORMULAS, "BN"), 0, lambda *_: None)
    assert model.table.elements == (13, 22, 28, 29)
    assert dos_composer._told(model, (0.5,), "cubic") == {"loss_cubic": 0.5, "elements_left_out_cubic": 2.0}


def compared(every):
    """Compositions that are compared, the table they stand for and the logarithm of how many each stands for."""
    table = RowArray.of(CompositionTable(range(3, 43)).rows, tuple(range(3, 43)))
    return *compared_rows(every, table, np.random.default_rng(1)), table


def test_compositions_at_random_stand_for_a_table_too_large_to_compare_whole():
    every = samples(*FORMULAS)
    rows, log_share, table = compared(every)
    assert len(rows) == len(FORMULAS) + DRAWN < len(table)
    assert len(set(rows.keys.tolist())) == len(rows)
    assert set(rows.rows()) >= set(every.rows)
    np.testing.assert_allclose(np.exp(log_share).sum(), len(table))
    own = {row: share for row, share in zip(rows.rows(), log_share, strict=True) if row in set(every.rows)}
    assert set(own.values()) == {0.0}


def test_a_small_table_is_compared_whole():
    every = samples(*FORMULAS)
    table = RowArray.of(CompositionTable(every.elements).rows, every.elements)
    rows, log_share = compared_rows(every, table, np.random.default_rng(0))
    assert sorted(rows.keys.tolist()) == sorted(table.keys.tolist())
    assert not log_share.any()


def test_weights_of_experts_by_compositions_at_random_are_those_by_the_whole_table():
    every = samples(*FORMULAS)
    rows, log_share, table = compared(every)
    rng = np.random.default_rng(0)
    experts = rng.standard_normal((2, 200, len(table)))
    # what a first expert says decides, what a second says does not
    truth_of_sample = rng.integers(len(FORMULAS), size=200)
    place = {int(key): i for i, key in enumerate(table.keys)}
    truth = np.array([place[int(key)] for key in RowArray.of(every.rows, table.elements).keys])[truth_of_sample]
    experts[0, np.arange(200), truth] += 6
    whole = pool_weights(experts, truth)
    there = np.array([place[int(key)] for key in rows.keys])
    among = {int(i): j for j, i in enumerate(there)}
    drawn = pool_weights(experts[:, :, there], np.array([among[int(i)] for i in truth]), log_share)
    assert whole[0] > 0.5 > whole[1]
    np.testing.assert_allclose(drawn, whole, atol=0.05)
    normaliser = logsumexp(experts[0], axis=1)
    np.testing.assert_allclose(logsumexp(experts[0][:, there] + log_share, axis=1), normaliser, atol=0.15)
