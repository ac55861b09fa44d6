"""Pooling of experts and calibration."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fermiloop.platform.generators.calibration import calibration_error, log_softmax, pool_weights


def test_the_good_expert_gets_the_weight_and_noise_none():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 50, 200)
    good, noise = rng.normal(size=(200, 50)), 5 * rng.normal(size=(200, 50))
    good[np.arange(200), truth] += 3
    weights = pool_weights(np.stack([good, noise]), truth)
    assert weights[0] > 0.5
    assert weights[1] < 0.05


def test_an_overconfident_expert_is_cooled_to_calibration():
    rng = np.random.default_rng(1)
    honest = rng.normal(size=(2000, 10)) * 2
    truth = np.array([rng.choice(10, p=np.exp(row)) for row in log_softmax(honest)])
    weight = pool_weights(4 * honest[None], truth)[0]
    assert 0.2 < weight < 0.3
    probabilities = np.exp(log_softmax(weight * 4 * honest))
    best = probabilities.argmax(axis=1)
    assert calibration_error(probabilities.max(axis=1), best == truth) < 0.05
    assert calibration_error(np.exp(log_softmax(4 * honest)).max(axis=1), best == truth) > 0.1


def test_calibration_error_of_known_cases():
    assert calibration_error([0.5] * 4, [1, 0, 1, 0]) == 0
    assert calibration_error([1.0, 1.0], [0, 0]) == 1
    assert calibration_error([], []) == 0


@given(st.lists(st.floats(-30, 30), min_size=1, max_size=8))
def test_log_softmax_sums_to_one(values):
    assert abs(np.exp(log_softmax(np.array(values))).sum() - 1) < 1e-9
