"""Centroids and element vectors."""

import numpy as np
import pytest

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.composition import smallest_distance
from fermiloop.platform.representations.element_features import element_features, element_kernel
from fermiloop.platform.representations.element_vectors import DIM, centroids, fit_element_vectors

ROWS = (((1, 1),), ((1, 1), (2, 3)), ((2, 1),))


def test_a_centroid_is_the_mean_over_the_materials_that_hold_the_element():
    curves = np.array([[1.0, 0.0], [3.0, 2.0], [0.0, 4.0]])
    np.testing.assert_allclose(centroids(curves, ROWS, [1, 2]), [[2, 1], [1.5, 3]])
    with pytest.raises(InputError, match="3"):
        centroids(curves, ROWS, [1, 3])


def test_vectors_are_distinct_bounded_and_reproducible():
    curves = np.random.default_rng(0).random((5, 40))
    vectors = fit_element_vectors(curves, seed=2, epochs=50)
    assert vectors.shape == (5, DIM)
    assert np.abs(vectors).max() <= 1
    assert smallest_distance(vectors) > 1e-3
    np.testing.assert_array_equal(vectors, fit_element_vectors(curves, seed=2, epochs=50))


def test_equal_centroids_are_refused():
    with pytest.raises(InputError, match="told from each other"):
        fit_element_vectors(np.ones((3, 20)), seed=0, epochs=5)


def test_features_are_standardised_and_the_kernel_is_positive_definite():
    features = element_features()
    np.testing.assert_allclose(features.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(features.std(axis=0), 1)
    kernel = element_kernel(range(1, 84), 1.0, 0.3)
    np.testing.assert_allclose(np.diag(kernel), 1)
    assert np.linalg.eigvalsh(kernel).min() > 0
    nickel, palladium, chlorine = 27, 45, 16
    assert kernel[nickel, palladium] > kernel[nickel, chlorine]
