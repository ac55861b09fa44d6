"""FTCP images: the same as the slow reference, and back exactly."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure

from fermiloop.platform.bench.ftcp_reference import reference_images, reference_k_points
from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.crystals import CrystalBatch
from fermiloop.platform.representations.element_bins import element_vectors
from fermiloop.platform.representations.ftcp import FtcpFeaturizer, RowScaler, element_slots, k_points


def random_batch(seed, n=20, max_sites=9, gaps=False):
    """Crystals of one to three elements, hydrogen among them, with cells of all shapes."""
    random = np.random.default_rng(seed)
    numbers = np.zeros((n, max_sites), dtype=np.int64)
    for i in range(n):
        elements = random.choice([1, 3, 8, 26, 57, 92, 103], 3, replace=False)
        sites = random.integers(1, max_sites + 1)
        places = random.choice(max_sites, sites, replace=False) if gaps else np.arange(sites)
        numbers[i, places] = random.choice(elements, sites)
    frac = np.where((numbers > 0)[..., None], random.random((n, max_sites, 3)), 0.0)
    return CrystalBatch(numbers, frac, random.uniform(2.5, 14, (n, 3)), random.uniform(65, 115, (n, 3)))


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), gaps=st.booleans())
def test_the_round_trip_is_exact_with_hydrogen_and_gaps(seed, gaps):
    batch = random_batch(seed, gaps=gaps)
    featurizer = FtcpFeaturizer(max_sites=9)
    back = featurizer.inverse(featurizer.transform(batch))
    for name in ("numbers", "frac", "lengths", "angles"):
        assert np.array_equal(getattr(back, name), getattr(batch, name)), name


@pytest.mark.parametrize("reciprocal", ["paper", "structure_factor", "none"])
def test_rows_and_columns_are_the_published_ones(reciprocal):
    featurizer = FtcpFeaturizer(reciprocal=reciprocal)
    assert featurizer.shape == (238, 3 if reciprocal == "none" else 62)
    assert FtcpFeaturizer(max_elements=4, max_sites=40).shape == (278, 63)
    assert featurizer.transform(random_batch(0)).shape == (20, *featurizer.shape)


def test_images_are_those_of_the_reference():
    batch = random_batch(1)
    structures = [batch.structure(i) for i in range(len(batch))]
    found = FtcpFeaturizer().transform(CrystalBatch.from_structures(structures))
    assert np.allclose(found, reference_images(structures, element_vectors()), rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    "cell",
    [(3, 3, 3, 90, 90, 90), (2.2, 2.2, 2.2, 60, 60, 60), (2.5, 2.5, 45, 90, 90, 120), (14, 15, 16, 80, 95, 110)],
)
def test_k_points_are_those_of_pymatgen_for_every_shape_of_cell(cell):
    lattice = Lattice.from_parameters(*cell)
    hkl, distances = k_points(np.array([lattice.abc]), np.array([lattice.angles]))
    expected, lengths = reference_k_points(lattice)
    assert np.array_equal(hkl[0, : len(expected)], expected)
    assert np.allclose(distances[0, : len(expected)], lengths, atol=1e-10)
    assert not distances[0, len(expected) :].any()


def test_the_published_block_has_rank_three_and_structure_factors_more():
    batch = random_batch(2, n=6)
    ranks = {}
    for reciprocal in ("paper", "structure_factor"):
        featurizer = FtcpFeaturizer(reciprocal=reciprocal)
        rows, columns = featurizer.blocks()["transform"]
        images = featurizer.transform(batch)[:, rows, columns]
        ranks[reciprocal] = [np.linalg.matrix_rank(image, tol=1e-9 * np.linalg.norm(image)) for image in images]
    assert max(ranks["paper"]) <= 3
    assert max(ranks["structure_factor"]) > 3


def test_structure_factors_do_not_know_the_origin_and_the_published_block_does():
    batch = random_batch(3)
    shift = np.where((batch.numbers > 0)[..., None], (batch.frac + np.array([0.13, 0.4, 0.77])) % 1, 0.0)
    moved = CrystalBatch(batch.numbers, shift, batch.lengths, batch.angles)
    for reciprocal, same in (("structure_factor", True), ("paper", False)):
        featurizer = FtcpFeaturizer(reciprocal=reciprocal)
        rows, columns = featurizer.blocks()["transform"]
        one, other = (featurizer.transform(b)[:, rows, columns] for b in (batch, moved))
        assert np.allclose(one, other, atol=1e-8) == same


def test_elements_take_slots_as_they_appear():
    slots, elements = element_slots(np.array([[8, 0, 1, 8, 26, 0]]), 3)
    assert slots.tolist() == [[0, -1, 1, 0, 2, -1]]
    assert elements.tolist() == [[8, 1, 26]]


def test_what_has_no_room_is_refused():
    lattice = Lattice.cubic(5)
    many = Structure(lattice, ["H", "He", "Li", "Be"], np.arange(12).reshape(4, 3) / 12)
    with pytest.raises(InputError, match="4 elements"):
        FtcpFeaturizer(max_elements=3).transform(CrystalBatch.from_structures([many]))
    with pytest.raises(InputError, match="beyond the 3"):
        FtcpFeaturizer(max_elements=4, max_sites=3).transform(CrystalBatch.from_structures([many]))
    heavy = CrystalBatch(np.array([[104]]), np.zeros((1, 1, 3)), np.full((1, 3), 5.0), np.full((1, 3), 90.0))
    with pytest.raises(InputError, match="104"):
        FtcpFeaturizer().transform(heavy)


def test_other_element_vectors_are_taken():
    table = dict.fromkeys(range(1, 104), [2.0] * 92)
    featurizer = FtcpFeaturizer(table=table)
    rows, columns = featurizer.blocks()["properties"]
    assert featurizer.transform(random_batch(4))[:, rows, columns].max() == 2


def test_half_precision_decodes_to_the_same_crystal_nearly():
    batch = random_batch(5, max_sites=20)
    featurizer = FtcpFeaturizer()
    back = featurizer.inverse(featurizer.transform(batch, np.float32))
    assert np.array_equal(back.numbers, batch.numbers)
    assert np.allclose(back.frac, batch.frac, atol=1e-6)


def test_scaling_is_by_row_and_a_constant_row_is_harmless():
    images = FtcpFeaturizer().transform(random_batch(6))
    scaler = RowScaler.fit(images)
    scaled = scaler.transform(images)
    assert scaled.min() == 0
    assert scaled.max() == pytest.approx(1)
    assert np.isfinite(scaled).all()
    assert np.allclose(scaler.inverse(scaled), images)


def test_nothing_in_nothing_out():
    empty = CrystalBatch(np.zeros((0, 5), dtype=np.int64), np.zeros((0, 5, 3)), np.zeros((0, 3)), np.zeros((0, 3)))
    featurizer = FtcpFeaturizer(max_sites=5)
    assert len(featurizer.inverse(featurizer.transform(empty))) == 0
