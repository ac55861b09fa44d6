"""Figures of calibration on errors whose distribution is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fermiloop.platform.errors import InputError
from fermiloop.platform.predictors.reliability import calibration_error, coverage_curve, reliability, stretch_and_floor

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
    stretch, floor = stretch_and_floor(truth - mean, std)
    honest = reliability(truth, mean, np.hypot(stretch * std, floor))
    assert honest.calibration_error < 0.04
    assert honest.covered / honest.n == pytest.approx(0.9, abs=0.01)


@pytest.mark.parametrize(("a", "b"), [(2.0, 0.5), (0.7, 1.5)])
def test_stretch_and_floor_are_found(a, b):
    random = np.random.default_rng(1)
    std = random.uniform(0.01, 3, N)
    error = np.hypot(a * std, b) * random.standard_normal(N)
    assert stretch_and_floor(error, std) == pytest.approx((a, b), rel=0.1)


def test_spreads_of_nothing_leave_the_floor():
    random = np.random.default_rng(2)
    _, floor = stretch_and_floor(0.2 * random.standard_normal(N), np.zeros(N))
    assert floor == pytest.approx(0.2, rel=0.02)


@pytest.mark.parametrize(("error", "std"), [([], []), ([np.nan, 1], [1, 1])])
def test_nothing_is_calibrated_on_nothing(error, std):
    with pytest.raises(InputError, match="held-out"):
        stretch_and_floor(error, std)


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
