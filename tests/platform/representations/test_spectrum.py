"""Grids, resampling and similarity of curves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.spectrum import (
    DOS_GRID,
    SpectrumGrid,
    check_curve,
    cosine,
    step_means,
    wasserstein,
    windowed_cosine,
    within,
)

CURVES = arrays(float, DOS_GRID.n, elements=st.floats(0.0, 100.0)).filter(lambda y: y.sum() > 1e-3)


def test_the_grid_of_the_paper() -> None:
    assert (DOS_GRID.lo, DOS_GRID.hi, DOS_GRID.n) == (-7.5, 7.5, 151)
    assert DOS_GRID.step == pytest.approx(0.1)
    assert DOS_GRID.points[75] == pytest.approx(0.0)


@given(CURVES)
def test_normalised_curves_have_unit_area_whatever_their_scale(y: np.ndarray) -> None:
    unit = DOS_GRID.normalise(y)
    assert np.trapezoid(unit, dx=DOS_GRID.step) == pytest.approx(1.0)
    assert np.allclose(DOS_GRID.normalise(7.0 * y), unit)


@given(CURVES, CURVES)
def test_cosine_is_symmetric_within_bounds_and_one_with_itself(a: np.ndarray, b: np.ndarray) -> None:
    assert -1e-9 <= cosine(a, b) <= 1 + 1e-9
    assert cosine(a, b) == pytest.approx(float(cosine(b, a)))
    assert cosine(a, 3.0 * a) == pytest.approx(1.0)


@given(CURVES, CURVES)
def test_wasserstein_is_a_distance(a: np.ndarray, b: np.ndarray) -> None:
    a, b = DOS_GRID.normalise(a), DOS_GRID.normalise(b)
    assert wasserstein(a, b, DOS_GRID.step) >= 0
    assert wasserstein(a, a, DOS_GRID.step) == pytest.approx(0.0, abs=1e-9)
    assert wasserstein(a, b, DOS_GRID.step) == pytest.approx(float(wasserstein(b, a, DOS_GRID.step)))


def test_wasserstein_of_a_shift_is_the_shift() -> None:
    a, b = np.zeros(DOS_GRID.n), np.zeros(DOS_GRID.n)
    a[40], b[55] = 10.0, 10.0
    assert wasserstein(a, b, DOS_GRID.step) == pytest.approx(1.5)


def test_a_vanishing_curve_is_like_nothing() -> None:
    assert cosine(np.zeros(5), np.ones(5)) == 0.0


def test_resampling_keeps_straight_lines_and_takes_stacks() -> None:
    x = np.linspace(-10, 8, 361)
    assert np.allclose(DOS_GRID.resample(x, 2 * x + 1), 2 * DOS_GRID.points + 1)
    assert DOS_GRID.resample(x, np.stack([x, -x])).shape == (2, 151)


@pytest.mark.parametrize(
    ("x", "y", "told"),
    [
        ([-7.0, 8.0], [1.0, 1.0], "covers -7 to 8 eV"),
        ([-8.0, 7.0], [1.0, 1.0], "covers -8 to 7 eV"),
        ([-8.0, 8.0], [1.0, np.nan], "NaN"),
        ([-8.0, 8.0], [1.0, np.inf], "infinity"),
        ([8.0, -8.0], [1.0, 1.0], "rise"),
        ([-8.0, -8.0, 8.0], [1.0, 1.0, 1.0], "rise"),
        ([-8.0, 8.0], [1.0, 1.0, 1.0], "as many values as points"),
        ([0.0], [1.0], "at least two"),
    ],
)
def test_what_is_no_curve_is_refused(x: list[float], y: list[float], told: str) -> None:
    with pytest.raises(InputError, match=told):
        DOS_GRID.resample(x, y)


def test_curves_without_area_and_grids_that_fall_are_refused() -> None:
    with pytest.raises(InputError, match="no area"):
        DOS_GRID.normalise(np.zeros(151))
    for lo, hi, n in ((1.0, 0.0, 5), (0.0, 1.0, 1), (float("nan"), 1.0, 5)):
        with pytest.raises(InputError):
            SpectrumGrid(lo, hi, n)
    check_curve(np.array([0.0, 1.0]), np.array([5.0, 6.0]))


@given(CURVES, CURVES)
def test_a_windowed_cosine_is_that_of_the_parts(a: np.ndarray, b: np.ndarray) -> None:
    inside = within(DOS_GRID, (-2.0, 1.0))
    assert np.flatnonzero(inside).tolist() == list(range(55, 86))
    expected = float(cosine(a[55:86], b[55:86]))
    assert float(windowed_cosine(a, b, DOS_GRID, (-2.0, 1.0))) == pytest.approx(expected)
    assert float(windowed_cosine(a, b, DOS_GRID)) == pytest.approx(float(cosine(a, b)))


def test_means_over_steps_keep_the_area() -> None:
    x = np.linspace(0.0, 10.0, 101)
    y = 1.0 + x
    points = np.arange(1.0, 9.5, 0.5)
    np.testing.assert_allclose(step_means(x, y, points, 0.5), 1.0 + points)
    peak = np.where(np.isclose(x, 4.9), 1.0, 0.0)
    assert step_means(x, peak, points, 0.5).sum() * 0.5 == pytest.approx(0.1)
    np.testing.assert_allclose(step_means(x, y, np.array([0.0, 0.5]), 0.5), [1.125, 1.5])  # half a step at the end
