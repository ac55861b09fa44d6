"""Cells as six numbers: they come back exactly, and at the volume of the atoms that are there."""

import numpy as np
import pytest

from fermiloop.platform.generators.imatgen.cells import NUMBERS, cell_codes, cells, pair_counts
from fermiloop.platform.representations.crystals import lattice_matrices

PAIR = ("V", "O")
LENGTHS = np.array([[3.0, 4.0, 9.5], [5.1, 5.1, 5.6], [3.2, 3.2, 5.1]])
ANGLES = np.array([[90.0, 90.0, 90.0], [63.4, 88.3, 119.2], [90.0, 71.8, 120.0]])
COUNTS = np.array([[2.0, 4.0], [4.0, 6.0], [1.0, 0.0]])


def codes():
    return cell_codes(lattice_matrices(LENGTHS, ANGLES), COUNTS, PAIR)


def test_lengths_and_angles_come_back():
    made = codes()
    assert made.shape == (3, NUMBERS)
    lengths, angles = cells(made, COUNTS, PAIR)
    assert lengths == pytest.approx(LENGTHS, abs=1e-9)
    assert angles == pytest.approx(ANGLES, abs=1e-7)


def test_other_atoms_have_another_volume_and_the_same_shape():
    lengths, angles = cells(codes(), 2 * COUNTS, PAIR)
    assert lengths == pytest.approx(2 ** (1 / 3) * LENGTHS, abs=1e-9)
    assert angles == pytest.approx(ANGLES, abs=1e-7)


def test_any_six_numbers_are_a_possible_cell():
    numbers = np.random.default_rng(0).normal(scale=30, size=(50, NUMBERS))
    lengths, angles = cells(numbers, np.tile(COUNTS[:1], (50, 1)), PAIR)
    assert np.isfinite(lengths).all()
    assert np.isfinite(angles).all()
    assert (lengths > 0).all()


def test_atoms_are_counted_in_the_order_of_the_pair():
    assert pair_counts(np.array([8, 8, 23, 8]), PAIR).tolist() == [1, 3]
