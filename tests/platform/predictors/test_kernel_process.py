"""The process learns smooth functions, knows what it does not know, and its gradient is right."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import check_grad

from fermiloop.platform.errors import InputError
from fermiloop.platform.predictors.kernel_process import KINDS, KernelPart, KernelProcess

RNG = np.random.default_rng(0)
X = RNG.uniform(-2, 2, (120, 3))
Y = np.sin(2 * X[:, 0]) + X[:, 1] ** 2 + 0.05 * RNG.standard_normal(120)
KNOWN, NEW = np.arange(80), np.arange(80, 120)


@pytest.mark.parametrize("kind", KINDS)
def test_gradient_is_that_of_the_loss(kind: str):
    process = KernelProcess([KernelPart(X, kind), KernelPart(np.c_[X, np.ones(120)], "linear", 2)])
    between = [part.between(KNOWN[:20], KNOWN[:20]) for part in process.parts]
    prior = process._prior(between)
    given = (between, Y[:20] - Y[:20].mean(), prior)
    at = prior + 0.3
    apart = check_grad(lambda x: process._loss(x, *given)[0], lambda x: process._loss(x, *given)[1], at)
    assert apart < 1e-3 * (1 + np.linalg.norm(process._loss(at, *given)[1]))


def test_it_foretells_and_its_spread_holds_the_errors():
    process = KernelProcess([KernelPart(X, "matern")])
    process.fit(KNOWN, Y[KNOWN])
    mean, std = process.predict(NEW)
    assert np.abs(mean - Y[NEW]).mean() < 0.3 * np.abs(Y[NEW] - Y[KNOWN].mean()).mean()
    assert 0.4 < np.sqrt((((mean - Y[NEW]) / std) ** 2).mean()) < 2.0


def test_far_from_all_labels_it_knows_no_more_than_the_prior():
    places = np.vstack([X, [[40.0, 40.0, 40.0]]])
    process = KernelProcess([KernelPart(places, "matern")])
    process.fit(KNOWN, Y[KNOWN])
    mean, std = process.predict(np.array([0, 120]))
    assert mean[1] == pytest.approx(Y[KNOWN].mean(), abs=1e-6)
    assert std[1] > 3 * std[0]


def test_units_of_the_labels_do_not_matter():
    told = []
    for scale in (1.0, 1000.0):
        process = KernelProcess([KernelPart(X, "matern"), KernelPart(X, "linear")])
        process.fit(KNOWN, scale * Y[KNOWN])
        told.append([part / scale for part in process.predict(NEW)])
    assert np.allclose(told[0], told[1], rtol=1e-6, atol=1e-9)


def test_a_second_fit_starts_from_the_first_and_is_no_worse():
    process = KernelProcess([KernelPart(X, "matern")])
    process.fit(KNOWN[:40], Y[:40])
    process.fit(KNOWN, Y[KNOWN])
    assert np.abs(process.predict(NEW)[0] - Y[NEW]).mean() < 0.4


def test_equal_labels_are_foretold_as_they_are():
    process = KernelProcess([KernelPart(X, "linear")])
    process.fit(KNOWN, np.full(80, 3.0))
    assert process.predict(NEW)[0] == pytest.approx(np.full(40, 3.0))


def test_what_cannot_be_learnt_is_refused():
    process = KernelProcess([KernelPart(X, "matern")])
    with pytest.raises(InputError, match="no labels"):
        process.predict(NEW)
    for values in (Y[:1], np.full(1, np.nan)):
        with pytest.raises(InputError, match="two or more finite"):
            process.fit(KNOWN[: len(values)], values)
    with pytest.raises(InputError, match="'rbf' is no kernel"):
        KernelPart(X, "rbf")
