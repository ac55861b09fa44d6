"""The lower hull of energies over compositions."""

import numpy as np
import pytest
from pymatgen.analysis.phase_diagram import PDEntry, PhaseDiagram
from pymatgen.core import Composition

from fermiloop.platform.errors import InputError
from fermiloop.platform.search.composition_hull import above_hull, depth, hull_energies


def test_it_is_the_hull_of_pymatgen_in_three_elements():
    rng = np.random.default_rng(0)
    counts = np.concatenate([np.eye(3, dtype=int), rng.integers(0, 4, (20, 3))])
    counts = counts[counts.sum(axis=1) > 0]
    fractions = counts / counts.sum(axis=1, keepdims=True)
    energies = np.where((counts > 0).sum(axis=1) == 1, 0.0, rng.normal(-0.2, 0.3, len(counts)))
    entries = [
        PDEntry(Composition(dict(zip(("Al", "Ni", "Pd"), row.tolist(), strict=True))), energy * row.sum())
        for row, energy in zip(counts, energies, strict=True)
    ]
    diagram = PhaseDiagram(entries)
    expected = [diagram.get_e_above_hull(entry) for entry in entries]
    np.testing.assert_allclose(above_hull(fractions, energies), expected, atol=1e-8)


def test_a_composition_outside_is_refused():
    with pytest.raises(InputError, match="outside the hull"):
        hull_energies(np.array([[1.0, 0.0]]), np.zeros(1), np.array([[0.5, 0.5]]))


def test_the_depth_is_the_mean_below_the_elements():
    grid = np.array([[1 - x, x] for x in np.linspace(0, 1, 101)])
    found = depth(np.array([[0.5, 0.5], [0.25, 0.75]]), np.array([-1.0, 0.3]), grid)
    assert found == pytest.approx(0.5, abs=0.01)  # a triangle of height 1; what lies above zero adds nothing
