"""Ways through a latent space."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.ftcp.bayesian import choose
from fermiloop.platform.generators.ftcp.latent import (
    LatentSpace,
    between,
    descended,
    everywhere,
    perturbed,
    slerp,
)


def space(n=200, latent=6, seed=0, unit_noise=False):
    random = np.random.default_rng(seed)
    return LatentSpace.around(random.standard_normal((n, latent)) * np.linspace(0.2, 3, latent) + 1, unit_noise)


def test_scale_zero_returns_the_parents():
    parents = np.array([3, 3, 7])
    assert np.array_equal(perturbed(space(), parents, 0.0, np.random.default_rng(1)), space().points[parents])


def test_perturbations_are_in_spreads_or_in_units():
    for unit_noise, expected in ((False, space().points.std(axis=0)), (True, np.ones(6))):
        where = space(unit_noise=unit_noise)
        moved = perturbed(where, np.zeros(4000, dtype=int), 0.5, np.random.default_rng(0)) - where.points[0]
        assert np.allclose(moved.std(axis=0), 0.5 * expected, rtol=0.06)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), share=st.floats(0, 1))
def test_slerp_meets_its_ends_and_interpolates_the_norm(seed, share):
    a, b = np.random.default_rng(seed).standard_normal((2, 5))
    assert np.allclose(slerp(a, b, 0.0), a)
    assert np.allclose(slerp(a, b, 1.0), b)
    expected = (1 - share) * np.linalg.norm(a) + share * np.linalg.norm(b)
    assert np.linalg.norm(slerp(a, b, share)) == pytest.approx(expected)


def test_what_is_kept_is_moved_by_its_share_alone():
    known = space()
    moved = perturbed(known.keeping(2, 0.0), np.arange(50), 1.0, np.random.default_rng(0)) - known.points[:50]
    assert np.abs(moved[:, :2]).min() > 0
    assert np.abs(moved[:, 2:]).max() == 0
    assert known.keeping(2, 0.5).unit[2:] == pytest.approx(0.5 * known.unit[2:])


def test_slerp_of_parallel_points_is_a_line_and_opposite_points_are_refused():
    a = np.array([1.0, 2.0, 3.0])
    assert np.allclose(slerp(a, 2 * a, 0.5), 1.5 * a)
    assert np.allclose(slerp(np.zeros(3), a, 0.5), a / 2)
    with pytest.raises(InputError, match="opposite"):
        slerp(a, -a, 0.5)


def test_points_between_lie_between():
    where = space()
    found = between(where, np.arange(20), np.random.default_rng(0))
    assert found.shape == (20, 6)
    norms = np.linalg.norm(where.points[:20], axis=1)
    assert (np.linalg.norm(found, axis=1) <= norms.max() + 1e-9).all()


def test_global_samples_have_the_moments_of_the_known_points():
    where = space(n=3000)
    found = everywhere(where, 3000, np.random.default_rng(0))
    assert np.allclose(found.mean(axis=0), where.mean, atol=0.2)
    assert np.allclose(np.cov(found.T), np.cov(where.points.T), atol=0.6)


def test_the_trust_region_draws_far_points_back_and_leaves_near_ones():
    where = space()
    far = where.mean + 50.0
    trusted = where.trusted(np.stack([where.mean, far]))
    assert np.allclose(trusted[0], where.mean)
    assert where.distances(trusted)[1] == pytest.approx(where.radius())


def test_one_known_point_is_a_space_too():
    lonely = LatentSpace.around(np.ones((1, 4)), unit_noise=False)
    found = everywhere(lonely, 5, np.random.default_rng(0))
    assert np.isfinite(found).all()
    assert np.isfinite(lonely.trusted(found)).all()


def test_a_gradient_search_comes_nearer_within_the_trust_region():
    where = space()
    goal = torch.tensor(where.points[5], dtype=torch.float32)

    def miss(z):
        return ((z - goal) ** 2).sum(dim=1)

    start = where.points[10:14]
    found = descended(where, start, miss)
    before, after = (((z - where.points[5]) ** 2).sum(axis=1) for z in (start, found))
    assert (after < before).all()
    assert (where.distances(found) <= where.radius() + 1e-6).all()


def test_the_bayesian_search_finds_the_band_that_lot_does_not():
    random = np.random.default_rng(0)
    known, candidates = random.standard_normal((300, 4)), random.standard_normal((600, 4))

    def energy(z):
        return z[:, 0] + 0.2 * z[:, 1] ** 2

    window = np.array([[1.0, 0.2]])
    order = np.argsort(np.abs(energy(known) - 1.0))
    chosen = choose(known[order], energy(known)[order, None], window, candidates, 30)
    hit = np.abs(energy(candidates) - 1.0) <= 0.2
    assert len(set(chosen.tolist())) == 30
    assert hit[chosen].mean() > 3 * hit.mean()


def test_the_bayesian_search_without_labels_takes_what_there_is():
    known = np.zeros((5, 3))
    assert choose(known, np.full((5, 1), np.nan), np.array([[0.0, 1.0]]), np.ones((4, 3)), 2).tolist() == [0, 1]
