"""Peaks, overlaps and the paper's decoder."""

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.crystals import lattice_matrices
from fermiloop.platform.representations.voxel_decode import (
    Peaks,
    merge_peaks,
    paper_decode_basis,
    paper_decode_cell,
    unwrap,
)
from fermiloop.platform.representations.voxels import ImageCodec


def test_the_papers_decoder_is_a_tenth_of_an_angstrom_off():
    codec = ImageCodec()
    random = np.random.default_rng(0)
    found = []
    for _ in range(20):
        frac = (np.arange(8)[:, None] // [1, 2, 4] % 2 + random.uniform(0, 0.4, (8, 3))) / 2
        crystal = Structure(Lattice.cubic(8), ["O"] * 8, frac)
        images = codec.encode_basis(crystal)
        _, positions = paper_decode_basis(images.images, codec.box)
        assert len(positions) == 8
        away = codec.boxed_positions(crystal)[:, None] - positions[None]
        found += np.linalg.norm(away, axis=2).min(axis=1).tolist()
    assert np.mean(found) == pytest.approx(0.11, abs=0.01)  # 0.11 Å in Noh et al., table 1


def test_the_papers_cell_decoder_is_exact_on_clean_images_and_worse_on_noisy_ones():
    codec = ImageCodec()
    matrix = lattice_matrices([(4.0, 5.0, 6.0)], [(80.0, 95.0, 110.0)])[0]
    image = codec.encode_cell(matrix)
    lengths, angles = paper_decode_cell(image, codec.cell_sigma)
    assert lengths == pytest.approx([4, 5, 6], abs=1e-4)
    assert angles == pytest.approx([80, 95, 110], abs=1e-2)
    noise = np.random.default_rng(0).normal(0, 0.005, image.shape) * (image > 0)
    noisy = np.clip(image + noise, 0, 1).astype(np.float32)
    theirs = np.abs(paper_decode_cell(noisy, codec.cell_sigma)[1] - angles).max()
    ours = np.abs(codec.decode_cell(noisy)[1] - angles).max()
    assert ours < 0.5 < theirs


def test_the_papers_cell_decoder_refuses_an_empty_image():
    with pytest.raises(InputError, match="nothing but its centre"):
        paper_decode_cell(np.zeros((32, 32, 32), dtype=np.float32), 0.26)


def test_peaks_merge_across_the_period_by_height():
    positions = np.array([[0.1, 1, 1], [3.8, 1, 1], [2.0, 1, 1]])
    peaks = Peaks(np.array([0, 0, 0]), positions, np.array([0.9, 0.3, 0.5]))
    merged = merge_peaks(peaks, np.eye(3) * 4, 0.75)
    assert merged.positions[:, 0] == pytest.approx([0.1 - 0.3 * 0.3 / 1.2, 2.0])
    others = merge_peaks(Peaks(np.array([0, 1, 0]), positions, peaks.heights), np.eye(3) * 4, 0.75)
    assert len(others.channels) == 3


def test_unwrapping_keeps_the_mean_in_the_middle():
    random = np.random.default_rng(1)
    for _ in range(50):
        positions = random.uniform(0, 13, (7, 3))
        positions += 7.5 - positions.mean(axis=0)
        assert unwrap(np.mod(positions, 15), 15) == pytest.approx(positions, abs=1e-9)
