"""Dissimilarity by the surroundings of atoms."""

import numpy as np
import pytest
from pymatgen.core.local_env import CrystalNN

from fermiloop.platform.bench.dissimilarity import dissimilarity, fingerprint
from fermiloop.platform.representations.prototypes import PROTOTYPES

SALT, CESIUM = (PROTOTYPES[name].build("Na", "Cl", 20.0) for name in ("B1", "B2"))


def test_each_site_has_61_numbers_and_four_statistics():
    assert fingerprint(SALT).shape == (244,)


def test_elements_size_and_origin_do_not_count():
    other = PROTOTYPES["B1"].build("Mg", "O", 11.0)
    other.translate_sites(range(len(other)), (0.1, 0.2, 0.3))
    assert dissimilarity(fingerprint(SALT), fingerprint(other)) == pytest.approx(0, abs=1e-6)


def test_octahedra_are_another_structure_than_cubes_and_a_small_distortion_is_not():
    assert dissimilarity(fingerprint(SALT), fingerprint(CESIUM)) > 0.75
    bent = SALT.copy()
    bent.translate_sites([0], (0.03, 0, 0))
    assert 0 < dissimilarity(fingerprint(SALT), fingerprint(bent)) < 0.75


def test_a_site_without_neighbours_leaves_the_dissimilarity_unknown(monkeypatch):
    def none(*_):
        raise ValueError("No Voronoi neighbors found for site")

    known = fingerprint(SALT)
    monkeypatch.setattr(CrystalNN, "get_nn_data", none)
    unknown = fingerprint(SALT)
    assert unknown.shape == known.shape
    assert np.isnan(dissimilarity(unknown, known))
