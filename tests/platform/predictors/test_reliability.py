"""Figures of calibration on errors whose distribution is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fermiloop.platform.errors import InputError
from fermiloop.platform.predictors.reliability import calibration_error, coverage_curve, reliability, stretch_factor

N = 20_000


def sample(wide=1.0, seed=0):
    random = np.random.default_rng(seed)
    std = random.uniform(0.5, 2.0, N)
    mean = random.normal(0, 5, N)
    return mean + std * random.standard_normal(N), mean, wide * std


def test_honest_uncertainties_have_small_errors_of_calibration():
    found = reliability(*sample())
    assert found.covered / found.n == pytest.approx(0.9, abs=0.01)
    assert found.calibration_error < 0.03
    assert found.miscalibration_area < 0.01
    assert found.rank_correlation > 0.3
    assert found.r2 > 0.9


@pytest.mark.parametrize(("wide", "covered"), [(0.5, 0.589), (2.0, 0.999)])
def test_too_narrow_and_too_wide_are_seen(wide, covered):
    found, honest = reliability(*sample(wide)), reliability(*sample())
    assert found.covered / found.n == pytest.approx(covered, abs=0.01)
    assert found.calibration_error == pytest.approx(abs(1 - 1 / wide), abs=0.05)
    assert found.miscalibration_area > 10 * honest.miscalibration_area
    assert found.nll > honest.nll
    assert found.mae == honest.mae


@settings(max_examples=20, deadline=None)
@given(st.floats(0.1, 10))
def test_the_stretch_undoes_any_scale(wide):
    truth, mean, std = sample(wide)
    assert stretch_factor(truth - mean, std) == pytest.approx(1 / wide, rel=0.02)


def test_coverage_rises_from_nothing_to_all():
    truth, mean, std = sample()
    expected, observed = coverage_curve(truth - mean, std)
    assert expected[0] == observed[0] == 0
    assert expected[-1] == observed[-1] == 1
    assert (np.diff(observed) >= 0).all()


def test_few_crystals_are_enough_for_bins():
    assert calibration_error(np.array([1.0, -1.0]), np.array([1.0, 1.0])) == 0


@pytest.mark.parametrize(
    ("truth", "mean", "std"),
    [([1, 2], [1], [1, 1]), ([1], [1], [1]), ([1, np.nan], [1, 1], [1, 1]), ([1, 2], [1, 1], [1, 0])],
)
def test_what_is_no_prediction_is_refused(truth, mean, std):
    with pytest.raises(InputError, match="Reliability needs"):
        reliability(truth, mean, std)
