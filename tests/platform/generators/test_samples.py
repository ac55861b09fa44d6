"""Samples that a model of elements can learn from."""

import numpy as np
import pytest

from fermiloop.platform.errors import InputError
from fermiloop.platform.generators import dos_composer
from fermiloop.platform.generators.inverse import InverseSpectrumModel
from fermiloop.platform.generators.samples import Samples, told_apart
from fermiloop.platform.representations.composition import row_of

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
