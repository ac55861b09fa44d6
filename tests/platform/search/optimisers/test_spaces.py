"""Moves in both spaces: what they keep, and what fingerprints and differences do not see."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.crystals import lattice_matrices, lattice_parameters
from fermiloop.platform.search.optimisers.clusters import ClusterSpace
from fermiloop.platform.search.optimisers.crystal_space import CrystalOptions, CrystalSpace, compact
from fermiloop.platform.search.optimisers.point_groups import AXES, IMPROPER, group, orbit, symmetric_cluster
from fermiloop.platform.search.optimisers.spreading import nearest
from fermiloop.platform.search.oracle import Point

CLUSTER = ClusterSpace(9)
CRYSTAL = CrystalSpace(("Na",) * 2 + ("Cl",) * 4, np.array([1.0] * 2 + [1.3] * 4), 110.0)
seeds = st.integers(0, 2**32 - 1)


def least_distance(space, point):
    first, second = np.triu_indices(len(point.sites), 1)
    between = point.sites[first] - point.sites[second]
    return (np.linalg.norm(between, axis=1) if point.cell is None else nearest(between, point.cell)[1]).min()


@settings(max_examples=25, deadline=None)
@given(seeds, st.sampled_from(["shake", "strain", "permute", "cross", "random"]))
@pytest.mark.parametrize("space", [CLUSTER, CRYSTAL], ids=["cluster", "crystal"])
def test_every_move_gives_a_possible_place(space, seed, move):
    rng = np.random.default_rng(seed)
    one, other = space.random(rng), space.random(rng)
    made = {
        "shake": lambda: space.shake(one, 1.0, rng),
        "strain": lambda: space.strain(one, rng),
        "permute": lambda: space.permute(one, rng),
        "cross": lambda: space.cross(one, other, rng),
        "random": lambda: one,
    }[move]()
    assert made.sites.shape == one.sites.shape
    assert np.isfinite(made.sites).all()
    assert least_distance(space, made) > 0.4
    if made.cell is not None:
        volume = abs(np.linalg.det(made.cell))
        assert 0.5 * space.volume < volume < 2 * space.volume
        assert ((made.sites >= 0) & (made.sites < 1)).all()


@settings(max_examples=20, deadline=None)
@given(seeds)
def test_a_cluster_turned_shifted_and_renumbered_is_the_same(seed):
    rng = np.random.default_rng(seed)
    one = CLUSTER.random(rng)
    turn = Rotation.from_quat(rng.normal(size=4)).as_matrix()
    other = Point(one.sites[rng.permutation(9)] @ turn.T + rng.normal(size=3))
    np.testing.assert_allclose(CLUSTER.fingerprint(one), CLUSTER.fingerprint(other), atol=1e-9)


def test_the_difference_of_a_cluster_to_itself_renumbered_is_nothing():
    rng = np.random.default_rng(0)
    one = CLUSTER.random(rng)
    other = Point(one.sites[rng.permutation(9)])
    assert np.abs(CLUSTER.difference(one, other)).max() < 1e-6


@settings(max_examples=20, deadline=None)
@given(seeds)
def test_a_crystal_turned_shifted_renumbered_and_cut_anew_is_the_same(seed):
    rng = np.random.default_rng(seed)
    one = CRYSTAL.random(rng)
    order = np.concatenate([rng.permutation(2), 2 + rng.permutation(4)])
    turn = Rotation.from_quat(rng.normal(size=4)).as_matrix()
    other = Point(np.mod(one.sites[order] + rng.random(3), 1), one.cell @ turn.T)
    np.testing.assert_allclose(CRYSTAL.fingerprint(one), CRYSTAL.fingerprint(other), atol=1e-9)
    assert np.abs(CRYSTAL.difference(one, other)).max() < 1e-6


def test_a_way_leads_to_where_it_was_taken():
    rng = np.random.default_rng(4)
    one = CRYSTAL.random(rng)
    other = CRYSTAL.shake(one, 0.3, rng)
    reached = CRYSTAL.moved(one, CRYSTAL.difference(one, other))
    np.testing.assert_allclose(CRYSTAL.fingerprint(reached), CRYSTAL.fingerprint(other), atol=0.05)


def test_coordinates_lead_back_to_their_place():
    rng = np.random.default_rng(5)
    for space in (CLUSTER, CRYSTAL):
        point = space.random(rng)
        back = space.placed(space.coordinates(point), point)
        np.testing.assert_allclose(back.sites, point.sites, atol=1e-12)
        if point.cell is not None:
            np.testing.assert_allclose(back.cell, point.cell, atol=1e-12)


@settings(max_examples=25, deadline=None)
@given(seeds)
def test_a_compact_cell_holds_the_same_crystal_in_shorter_axes(seed):
    rng = np.random.default_rng(seed)
    cell = np.asarray(lattice_matrices([[4.0, 5.0, 6.0]], rng.uniform(60, 120, (1, 3)))[0])
    shear = np.eye(3)
    shear[0, 1], shear[2, 0] = rng.integers(-3, 4, 2)
    sites, short = compact(rng.random((4, 3)), shear @ cell)
    assert abs(np.linalg.det(short)) == pytest.approx(abs(np.linalg.det(cell)))
    assert lattice_parameters(short[None])[0].sum() <= lattice_parameters((shear @ cell)[None])[0].sum() + 1e-9
    assert ((sites >= 0) & (sites <= 1)).all()


def test_symmetric_crystals_have_the_composition_and_repeat_with_their_seed():
    from pymatgen.core import Lattice, Structure

    groups = []
    for seed in range(4):
        first, again = (CRYSTAL.symmetric(np.random.default_rng(seed)) for _ in range(2))
        np.testing.assert_array_equal(first.sites, again.sites)
        np.testing.assert_array_equal(first.cell, again.cell)
        structure = Structure(Lattice(first.cell), CRYSTAL.symbols, first.sites)
        groups.append(structure.get_space_group_info(symprec=1e-2)[1])
    assert sum(number > 1 for number in groups) >= 3


def test_the_share_of_symmetric_starts_is_kept_to():
    cubic = CrystalOptions(symmetric_share=1.0, space_groups=(221,))
    space = CrystalSpace(("Cs", "Cl"), np.array([1.5, 1.5]), 70.0, cubic)
    cell = space.random(np.random.default_rng(0)).cell
    np.testing.assert_allclose(cell @ cell.T, np.eye(3) * (cell @ cell.T)[0, 0], atol=1e-6)


@pytest.mark.parametrize(
    ("axes", "improper", "order"), [("C5", "", 5), ("D3", "h", 12), ("T", "", 12), ("O", "i", 48), ("I", "i", 120)]
)
def test_point_groups_have_their_orders(axes, improper, order):
    elements = group(axes, improper)
    assert len(elements) == order
    site = np.array([0.3, 0.5, 0.7])
    assert len(orbit(site, elements)) == order
    assert len(orbit(np.zeros(3), elements)) == 1


@settings(max_examples=15, deadline=None)
@given(seeds, st.integers(2, 20))
def test_symmetric_clusters_have_their_atoms(seed, n):
    assert symmetric_cluster(n, np.random.default_rng(seed)).shape == (n, 3)


def test_all_groups_are_finite_or_left_out():
    assert all(len(group(axes, improper)) <= 120 for axes in AXES for improper in IMPROPER)


def test_impossible_spaces_are_refused():
    with pytest.raises(InputError, match="2 atoms"):
        ClusterSpace(1)
    with pytest.raises(InputError, match="volume"):
        CrystalSpace(("Na",), np.array([1.0]), 0.0)
    with pytest.raises(InputError, match="radii"):
        CrystalSpace(("Na", "Cl"), np.array([1.0]), 10.0)
