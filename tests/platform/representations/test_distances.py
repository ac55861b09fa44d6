"""Shortest distances: between atoms of a cell, across its border, and of an atom to its own image."""

from __future__ import annotations

import pytest
from pymatgen.core import Lattice, Structure

from fermiloop.platform.representations.distances import shortest_distance


@pytest.mark.parametrize(
    ("axes", "places", "shortest"),
    [
        ((4.0, 4.0, 4.0), [(0, 0, 0), (0.5, 0.5, 0.5)], 2 * 3**0.5),
        ((4.0, 4.0, 4.0), [(0, 0, 0.05), (0, 0, 0.95)], 0.4),
        ((9.0, 2.5, 9.0), [(0, 0, 0), (0.5, 0, 0.5)], 2.5),
        ((3.0, 3.0, 3.0), [(0, 0, 0)], 3.0),
    ],
)
def test_atoms_and_images_count(axes, places, shortest):
    crystal = Structure(Lattice.orthorhombic(*axes), ["Cu"] * len(places), places)
    assert shortest_distance(crystal) == pytest.approx(shortest)
