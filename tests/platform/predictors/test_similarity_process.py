"""The Gaussian process of the similarity."""

import numpy as np

from fermiloop.platform.predictors.similarity_process import NOISE, Inputs, SimilarityProcess, covariance


def some_inputs(n, seed=0, prior=6):
    rng = np.random.default_rng(seed)
    composition = np.zeros((n, 83))
    for row in composition:
        row[rng.choice(40, 2, replace=False)] = rng.dirichlet([1, 1])
    curves = rng.random((n, prior))
    curves /= np.linalg.norm(curves, axis=1, keepdims=True) if prior else 1
    return Inputs(
        composition, rng.random((n, 3)), curves, curves @ np.full(prior, prior**-0.5) if prior else np.zeros(n)
    )


def test_the_kernel_is_one_at_home_and_positive_definite():
    for prior in (0, 6):
        kernel = covariance(some_inputs(30, prior=prior), some_inputs(30, prior=prior))
        np.testing.assert_allclose(np.diag(kernel), 1, atol=1e-6)
        assert np.linalg.eigvalsh(kernel + NOISE * np.eye(30)).min() > 0
        assert (kernel <= 1 + 1e-9).all()


def test_the_scale_of_a_composition_does_not_matter():
    one = some_inputs(5)
    other = Inputs(3 * one.composition, one.geometry, one.prior, one.nearness)
    np.testing.assert_allclose(covariance(one, some_inputs(4, 1)), covariance(other, some_inputs(4, 1)))


def test_it_comes_near_to_what_it_knows_and_is_unsure_elsewhere():
    inputs = some_inputs(40)
    values = 0.5 + 0.3 * np.sin(4 * inputs.nearness) + 0.1 * inputs.geometry[:, 0]
    process = SimilarityProcess().fit(inputs, values)
    mean, std = process.predict(inputs)
    assert np.abs(mean - values).mean() < 0.3 * values.std()
    assert process.predict(some_inputs(20, 5))[1].mean() > std.mean()


def test_the_trend_follows_what_is_known():
    inputs = some_inputs(60)
    rising, falling = (SimilarityProcess().fit(inputs, 0.5 + slope * inputs.nearness) for slope in (0.45, -0.45))
    assert falling.trend[1] + 0.05 < rising.trend[1]
    mean = rising.predict(some_inputs(20, 3))[0]
    assert np.corrcoef(mean, some_inputs(20, 3).nearness)[0, 1] > 0.9


def test_without_mixed_curves_there_is_no_trend():
    inputs = some_inputs(20, prior=0)
    process = SimilarityProcess().fit(inputs, np.full(20, 0.4))
    assert process.trend.shape == (1,)
    np.testing.assert_allclose(process.predict(some_inputs(5, 2, prior=0))[0], 0.4, atol=0.01)
