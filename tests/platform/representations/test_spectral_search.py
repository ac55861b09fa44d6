"""Curves are compared by shape, in a window, and the three measures mean what they say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import wasserstein_distance

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.grids import GRIDS
from fermiloop.platform.representations.spectral_search import (
    LEVELS,
    Metric,
    Window,
    compare,
    fingerprint,
    intervals,
    order,
    prepare,
)
from fermiloop.platform.representations.spectrum import DOS_GRID, cosine
from fermiloop.schemas.curve_kinds import SpectrumKind


def peak(centre: float, width: float = 0.5) -> np.ndarray:
    return np.exp(-0.5 * ((DOS_GRID.points - centre) / width) ** 2)


def value(a: np.ndarray, b: np.ndarray, metric: Metric, bounds: tuple[float, float] | None = None) -> float:
    window = Window.of(DOS_GRID, bounds)
    return float(compare(prepare(a[None], metric, window), prepare(b[None], metric, window)[0], metric, window)[0])


def test_cosine_is_that_of_the_part_in_the_window():
    a, b = peak(-1), peak(0.5) + peak(6)
    inside = np.abs(DOS_GRID.points) <= 2 + 1e-9
    assert value(a, b, Metric.COSINE) == pytest.approx(float(cosine(a, b)), rel=1e-5)
    assert value(a, b, Metric.COSINE, (-2, 2)) == pytest.approx(float(cosine(a[inside], b[inside])), rel=1e-5)


def test_wasserstein_is_how_far_a_peak_has_moved_and_what_scipy_says():
    assert value(peak(-1), peak(0.5), Metric.WASSERSTEIN) == pytest.approx(1.5, abs=1e-4)
    a, b = np.random.default_rng(0).random((2, DOS_GRID.n))
    points = DOS_GRID.points
    right = wasserstein_distance(points, points, a, b)
    assert value(a, b, Metric.WASSERSTEIN) == pytest.approx(right, abs=0.02)


def test_the_fingerprint_is_the_tanimoto_coefficient_of_a_raster():
    a, b = np.array(fingerprint(peak(-1), DOS_GRID)), np.array(fingerprint(peak(-0.8), DOS_GRID))
    rows = np.arange(LEVELS)[:, None]
    first, second = rows < a, rows < b  # pixels
    right = (first & second).sum() / (first | second).sum()
    assert value(peak(-1), peak(-0.8), Metric.FINGERPRINT) == pytest.approx(right)
    assert 0.2 < right < 1


@given(st.floats(-7, 7), st.floats(-7, 7), st.floats(0.2, 3), st.floats(1e-3, 1e3), st.sampled_from(list(Metric)))
@settings(max_examples=60, deadline=None)
def test_every_metric_is_symmetric_knows_itself_and_ignores_scale(one, other, width, scale, metric):
    a, b = peak(one, width), peak(other, width)
    same = 0.0 if metric is Metric.WASSERSTEIN else 1.0
    assert value(a, scale * a, metric) == pytest.approx(same, abs=0.03 if metric is Metric.FINGERPRINT else 1e-4)
    assert value(a, b, metric) == pytest.approx(value(b, a, metric), abs=1e-4)


@given(st.floats(-7.5, 6.5), st.floats(0.5, 15))
@settings(max_examples=60, deadline=None)
def test_intervals_cover_the_window_once_and_widen_away_from_the_fermi_level(lo, width):
    window = Window.of(DOS_GRID, (lo, min(lo + width, 7.5)))
    bounds = intervals(window)
    assert (bounds[0], bounds[-1]) == (0, window.stop - window.first - 1)
    widths = np.diff(bounds)
    assert (widths >= 1).all()
    at = int(np.argmin(np.abs(window.lo + bounds * DOS_GRID.step)))
    assert (np.diff(widths[at:-1]) >= 0).all()  # the last one may be cut
    assert (np.diff(widths[1:at]) <= 0).all()


def test_narrow_at_the_fermi_level_and_wide_far_away():
    widths = np.diff(intervals(Window.of(DOS_GRID))) * DOS_GRID.step
    assert widths[len(widths) // 2] == pytest.approx(0.1)
    assert widths[1] > 0.3


@pytest.mark.parametrize("metric", list(Metric))
def test_a_curve_that_vanishes_is_like_nothing_and_no_number_is_lost(metric):
    window = Window.of(DOS_GRID, (-1, 1))
    curves = np.stack([np.zeros(DOS_GRID.n), peak(6, 0.1), peak(0), -peak(0)])
    values = compare(prepare(curves, metric, window), prepare(peak(0.1)[None], metric, window)[0], metric, window)
    assert np.isfinite(values).all()
    assert order(values, metric)[0] == 2


@pytest.mark.parametrize("kind", list(SpectrumKind))
def test_every_kind_of_curve_has_its_windows(kind):
    grid = GRIDS[kind]
    rng = np.random.default_rng(1)
    curves = rng.random((5, grid.n))
    for metric in Metric:
        window = Window.of(grid)
        ready = prepare(curves, metric, window)
        assert order(compare(ready, ready[3], metric, window), metric)[0] == 3


@pytest.mark.parametrize(
    ("bounds", "reason"),
    [((2, -2), "backwards"), ((-8, 0), "leaves -7.5 to 7.5 eV"), ((0, 0.2), "at least 5"), ((np.nan, 1), "backwards")],
)
def test_windows_that_make_no_sense(bounds, reason):
    with pytest.raises(InputError, match=reason):
        Window.of(DOS_GRID, bounds)


def test_a_curve_needs_to_cover_the_window_alone():
    x = np.linspace(-3, 3, 61)
    whole = Window.of(DOS_GRID, (-2, 2)).whole(x, np.ones(61))
    assert whole.shape == (DOS_GRID.n,)
    assert whole.sum() == pytest.approx(41)
    with pytest.raises(InputError, match="covers -3 to 3"):
        Window.of(DOS_GRID, (-4, 2)).whole(x, np.ones(61))
