"""Crystals as voxel images and back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Lattice, Structure
from scipy.optimize import linear_sum_assignment

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.crystals import lattice_matrices
from fermiloop.platform.representations.voxels import ImageCodec, Images


def random_crystal(seed):
    """Two to eight atoms of two elements, at least 1.9 Å apart, in a skewed cell."""
    random = np.random.default_rng(seed)
    lattice = Lattice.from_parameters(*random.uniform(4, 7, 3), *random.uniform(70, 110, 3))
    crystal = Structure(lattice, ["V"], [random.random(3)])
    while len(crystal) < random.integers(2, 9):
        place = random.random(3)
        if not crystal.get_sites_in_sphere(lattice.get_cartesian_coords(place), 1.9):
            crystal.append("VO"[len(crystal) % 2], place)
    return crystal


def errors(codec, crystal, numbers, positions):
    """(n,) Å between each atom and the decoded peak that belongs to it."""
    true, z = codec.boxed_positions(crystal), np.array(crystal.atomic_numbers)
    assert sorted(numbers) == sorted(z)
    between = true[:, None] - positions[None]
    between -= codec.box * np.round(between / codec.box)
    distance = np.linalg.norm(between, axis=2) + 1e3 * (z[:, None] != numbers[None])
    rows, columns = linear_sum_assignment(distance)
    return distance[rows, columns]


@pytest.mark.parametrize(("codec", "worst"), [(ImageCodec(), 1e-3), (ImageCodec.for_grid(32), 1e-2)])
def test_clean_images_decode_within_the_voxel(codec, worst):
    crystals = [random_crystal(seed) for seed in range(15)]
    for crystal, images in zip(crystals, codec.encode_bases(crystals), strict=True):
        assert errors(codec, crystal, *codec.decode_basis(images)).max() < worst
        lengths, angles = codec.decode_cell(codec.encode_cell(crystal.lattice.matrix))
        assert lengths == pytest.approx(crystal.lattice.abc, abs=1e-4)
        assert angles == pytest.approx(crystal.lattice.angles, abs=1e-2)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.tuples(*[st.floats(-1, 1)] * 3))
def test_a_decoded_crystal_is_the_encoded_one_wherever_its_origin_was(seed, shift):
    codec = ImageCodec.for_grid(32)
    crystal = random_crystal(seed)
    images = codec.encode_basis(crystal)
    moved = crystal.copy()
    moved.translate_sites(range(len(moved)), shift)
    elsewhere = codec.encode_basis(moved)
    assert np.abs(elsewhere.images - images.images).max() < 0.05
    cell = codec.encode_cell(crystal.lattice.matrix)
    decoded = codec.decode(cell, images.elements, images.images)
    assert StructureMatcher().fit(decoded, crystal)


def test_the_image_is_the_sum_of_cut_gaussians():
    codec = ImageCodec(basis_grid=32, sigma=0.5)
    crystal = random_crystal(3)
    images = codec.encode_basis(crystal)
    line = np.arange(32) * codec.spacing
    grid = np.stack(np.meshgrid(line, line, line, indexing="ij"), axis=-1)
    expected = np.zeros((2, 32, 32, 32))
    for z, position in zip(crystal.atomic_numbers, codec.boxed_positions(crystal), strict=True):
        away = grid - position
        away -= 15 * np.round(away / 15)
        value = np.exp(-(away**2).sum(-1) / 0.5)
        expected[images.elements.index(z)] += np.where(value < 0.02, 0, value)
    assert images.images == pytest.approx(expected, abs=1e-6)


def test_the_cell_image_is_a_gaussian_of_the_distance_to_the_centre():
    codec = ImageCodec()
    matrix = lattice_matrices([(4.0, 5.0, 6.0)], [(80.0, 95.0, 120.0)])[0]
    image = codec.encode_cell(matrix)
    assert image[16, 16, 16] == 1
    distance = np.linalg.norm(np.array([1, -2, 1]) / 32 @ matrix)
    assert image[17, 14, 17] == pytest.approx(np.exp(-(distance**2) / (2 * 0.26**2)), rel=1e-5)
    assert image[16, 16, 22] == 0


def test_a_crystal_too_long_for_the_box_is_refused_with_its_extent():
    crystal = Structure(Lattice.tetragonal(4, 30), ["V", "O", "O"], [[0, 0, 0], [0, 0, 0.3], [0, 0, 0.6]])
    with pytest.raises(InputError, match=r"V1 O2 spans 18.0 Å, more than the 13 Å"):
        ImageCodec().encode_basis(crystal)


def test_images_are_chosen_so_that_a_crystal_across_its_cell_wall_fits():
    crystal = Structure(Lattice.tetragonal(4, 30), ["V", "O", "O"], [[0, 0, 0.95], [0, 0, 0.05], [0, 0, 0.1]])
    codec = ImageCodec()
    positions = codec.boxed_positions(crystal)
    assert np.ptp(positions[:, 2]) == pytest.approx(4.5)
    assert positions.mean(axis=0) == pytest.approx([7.5, 7.5, 7.5])
    assert errors(codec, crystal, *codec.decode_basis(codec.encode_basis(crystal))).max() < 1e-3


def test_atoms_beyond_the_wall_of_the_box_come_back_on_the_right_side():
    lattice = Lattice.orthorhombic(4, 4, 26)
    heights = np.array([0.0, 0.5, 1.0, 12.5]) / 26
    crystal = Structure(lattice, ["V"] * 3 + ["O"], np.stack([[0, 0.5, 0, 0], [0, 0, 0.5, 0], heights], axis=1))
    codec = ImageCodec.for_grid(32)
    assert codec.boxed_positions(crystal)[:, 2].max() > codec.box
    images = codec.encode_basis(crystal)
    decoded = codec.decode(codec.encode_cell(lattice.matrix), images.elements, images.images)
    assert StructureMatcher().fit(decoded, crystal)


def test_disordered_crystals_are_refused():
    with pytest.raises(InputError, match="partly occupied"):
        ImageCodec().encode_basis(Structure(Lattice.cubic(4), [{"V": 0.5, "O": 0.5}], [[0, 0, 0]]))


def test_weaker_peaks_that_overlap_another_element_go():
    codec = ImageCodec(basis_grid=32, sigma=0.5)
    images = np.zeros((2, 32, 32, 32), dtype=np.float32)
    images[0, 10, 10, 10], images[1, 11, 10, 10], images[1, 20, 20, 20] = 0.9, 0.5, 0.8
    numbers, _ = codec.decode_basis(Images((8, 23), images), threshold=0.3)
    assert numbers.tolist() == [8, 23]
    numbers, _ = codec.decode_basis(Images((8, 23), images), threshold=0.3, resolve=False)
    assert numbers.tolist() == [8, 23, 23]


def test_images_without_atoms_or_cells_are_refused():
    codec = ImageCodec.for_grid(32)
    empty = np.zeros((1, 32, 32, 32), dtype=np.float32)
    with pytest.raises(InputError, match="no atom"):
        codec.decode(codec.encode_cell(np.eye(3) * 4), (8,), empty)
    with pytest.raises(InputError, match="0 voxels"):
        codec.decode_cell(empty[0])
    with pytest.raises(InputError, match="2 elements need as many"):
        Images((8, 23), empty)


@pytest.mark.parametrize("change", [{"basis_grid": 31}, {"sigma": 0.1}, {"cutoff": 0.0}, {"cell_grid": 4}])
def test_impossible_codecs_are_refused(change):
    with pytest.raises(InputError):
        ImageCodec(**change)
