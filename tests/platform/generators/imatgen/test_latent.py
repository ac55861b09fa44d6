"""Ways through a latent space."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.imatgen.latent import around, around_mean, between, slerp


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6), st.floats(0, 1), st.floats(0.1, 10))
def test_slerp_keeps_the_angle_and_interpolates_the_length(seed, share, stretch):
    a, b = np.random.default_rng(seed).normal(size=(2, 12))
    b *= stretch
    point = slerp(a, b, share)[0]
    length = (1 - share) * np.linalg.norm(a) + share * np.linalg.norm(b)
    assert np.linalg.norm(point) == pytest.approx(length)

    def angle(x, y):
        return np.arccos(np.clip(x @ y / np.linalg.norm(x) / np.linalg.norm(y), -1, 1))

    assert angle(a, point) == pytest.approx(share * angle(a, b), abs=1e-6)


def test_the_ends_are_the_codes_and_are_left_out_between():
    a, b = np.random.default_rng(0).normal(size=(2, 5))
    assert slerp(a, b, [0, 1]) == pytest.approx(np.array([a, b]))
    way = between(a, b, 19)
    assert way.shape == (19, 5)
    assert way[9] == pytest.approx(slerp(a, b, 0.5)[0])
    assert np.linalg.norm(way[0] - a) > 1e-3


def test_parallel_codes_are_joined_by_a_straight_line():
    a = np.array([1.0, 2.0, 2.0])
    assert slerp(a, 3 * a, 0.5)[0] == pytest.approx(2 * a)


def test_opposite_codes_and_codes_without_direction_are_refused():
    a = np.array([1.0, 0.0])
    with pytest.raises(InputError, match="opposite directions"):
        slerp(a, -2 * a, 0.5)
    with pytest.raises(InputError, match="zero length"):
        slerp(a, 0 * a, 0.5)


def test_samples_have_the_spread_and_the_distance_asked_for():
    rng = np.random.default_rng(1)
    codes = rng.normal(3, [0.5, 2.0], size=(500, 2))
    samples = around_mean(codes, 4000, rng, 0.5)
    assert samples.mean(axis=0) == pytest.approx(codes.mean(axis=0), abs=0.1)
    assert samples.std(axis=0) == pytest.approx([0.25, 1.0], rel=0.1)
    points = around(codes[0], 30, rng, 1e-3)
    assert np.linalg.norm(points - codes[0], axis=1) == pytest.approx(np.full(30, 1e-3))
