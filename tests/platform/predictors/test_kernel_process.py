"""The process learns smooth functions, knows what it does not know, and its gradient is right."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import check_grad

from fermiloop.platform.errors import InputError
from fermiloop.platform.predictors import kernel_process
from fermiloop.platform.predictors.kernel_process import KINDS, KernelPart, KernelProcess

RNG = np.random.default_rng(0)
X = RNG.uniform(-2, 2, (120, 3))
Y = np.sin(2 * X[:, 0]) + X[:, 1] ** 2 + 0.05 * RNG.standard_normal(120)
KNOWN, NEW = np.arange(80), np.arange(80, 120)


def fitted(*parts: KernelPart, rows: np.ndarray = KNOWN, values: np.ndarray = Y) -> KernelProcess:
    process = KernelProcess(parts)
    process.fit([X[rows]] * len(parts), values[rows])
    return process


@pytest.mark.parametrize("kind", KINDS)
def test_gradient_is_that_of_the_loss(kind: str):
    process = KernelProcess([KernelPart(kind), KernelPart("linear", 2)])
    features = [X[:20], np.c_[X, np.ones(120)][:20]]
    between = [part.between(one, one) for part, one in zip(process.parts, features, strict=True)]
    prior = process._prior(between)
    given = (between, Y[:20] - Y[:20].mean(), prior)
    at = prior + 0.3
    apart = check_grad(lambda x: process._loss(x, *given)[0], lambda x: process._loss(x, *given)[1], at)
    assert apart < 1e-3 * (1 + np.linalg.norm(process._loss(at, *given)[1]))


def test_it_predicts_and_its_spread_covers_the_errors():
    mean, std = fitted(KernelPart("matern")).predict([X[NEW]])
    assert np.abs(mean - Y[NEW]).mean() < 0.3 * np.abs(Y[NEW] - Y[KNOWN].mean()).mean()
    assert 0.4 < np.sqrt((((mean - Y[NEW]) / std) ** 2).mean()) < 2.0


def test_far_from_all_labels_it_knows_no_more_than_the_prior():
    mean, std = fitted(KernelPart("matern")).predict([np.array([X[0], [40.0, 40.0, 40.0]])])
    assert mean[1] == pytest.approx(Y[KNOWN].mean(), abs=1e-6)
    assert std[1] > 3 * std[0]


def test_units_of_the_labels_do_not_matter():
    told = []
    for scale in (1.0, 1000.0):
        process = fitted(KernelPart("matern"), KernelPart("linear"), values=scale * Y)
        told.append([part / scale for part in process.predict([X[NEW]] * 2)])
    assert np.allclose(told[0], told[1], rtol=1e-6, atol=1e-9)


def test_what_is_held_out_is_predicted_as_without_it():
    process = fitted(KernelPart("matern"), rows=KNOWN[:30])
    groups = np.repeat(np.arange(10), 3)
    mean, std = process.held_out(groups)
    rest = groups != 4
    alone = KernelProcess(process.parts)
    alone.features, alone.scaled = (process.features[0][rest],), process.scaled[rest]
    alone.middle, alone.spread = process.middle, process.spread
    alone._condition([part.between(alone.features[0], alone.features[0]) for part in alone.parts], process.logs)
    told, spread = alone.predict([process.features[0][~rest]])
    assert mean[~rest] == pytest.approx(told, abs=1e-5)
    assert std[~rest] == pytest.approx(spread, rel=1e-3)


def test_a_search_on_some_of_the_labels_conditions_on_all(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(kernel_process, "SEARCHED", 30)
    mean, _ = fitted(KernelPart("matern")).predict([X[NEW]])
    assert np.abs(mean - Y[NEW]).mean() < 0.4


def test_what_is_saved_predicts_the_same():
    process = fitted(KernelPart("exponential"), KernelPart("linear", 2))
    again = KernelProcess(process.parts)
    again.restore(process.state())
    for first, second in zip(process.predict([X[NEW]] * 2), again.predict([X[NEW]] * 2), strict=True):
        assert first.tolist() == second.tolist()


def test_equal_labels_are_predicted_as_they_are():
    process = fitted(KernelPart("linear"), values=np.full(120, 3.0))
    assert process.predict([X[NEW]])[0] == pytest.approx(np.full(40, 3.0))


def test_what_cannot_be_learned_is_refused():
    process = KernelProcess([KernelPart("matern")])
    with pytest.raises(InputError, match="no labels"):
        process.predict([X[NEW]])
    for values in (Y[:1], np.full(1, np.nan)):
        with pytest.raises(InputError, match="two or more finite"):
            process.fit([X[: len(values)]], values)
    with pytest.raises(InputError, match="'rbf' is no kernel"):
        KernelPart("rbf")
