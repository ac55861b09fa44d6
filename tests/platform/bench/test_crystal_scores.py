"""Matches, validity and success of crystals."""

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from fermiloop.platform.bench.crystal_scores import (
    Share,
    design_score,
    in_band,
    reconstruction,
    row,
    structurally_valid,
    validity,
)

SALT = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.64), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
ALLOY = Structure(Lattice.cubic(2.9), ["Ni", "Al"], [[0, 0, 0], [0.5, 0.5, 0.5]])
CHARGED = Structure(Lattice.cubic(5.0), ["Na", "Na", "Na", "Cl"], [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5] * 3])
CLOSE = Structure(Lattice.cubic(4.0), ["Na", "Cl"], [[0, 0, 0], [0, 0, 0.12]])
FLAT = Structure(Lattice.orthorhombic(4, 4, 0.4), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0]])


def test_a_crystal_matches_itself_moved_scaled_and_reordered_but_no_other():
    moved = SALT.copy()
    moved.translate_sites(range(len(moved)), [0.1, 0.2, 0.3])
    scaled = SALT.copy()
    scaled.scale_lattice(SALT.volume * 1.1)
    result = reconstruction([SALT] * 6, [SALT, moved, scaled, SALT.get_sorted_structure(reverse=True), ALLOY, None])
    assert (result.matched.hits, result.matched.n) == (4, 6)
    assert result.rmse == pytest.approx(0, abs=1e-6)


def test_rmse_is_that_of_the_matched_in_units_of_the_mean_spacing():
    apart = ALLOY.copy()
    apart.translate_sites([1], [0.2 / 2.9, 0, 0])
    result = reconstruction([ALLOY, ALLOY], [apart, SALT])
    spacing = (ALLOY.volume / len(ALLOY)) ** (1 / 3)
    assert result.rmse == pytest.approx(0.1 / spacing, rel=1e-3)  # each moves by half once centred
    assert result.rmse_interval == pytest.approx((result.rmse, result.rmse))  # one crystal has no spread
    nothing = reconstruction([SALT], [None])
    assert (nothing.rmse, nothing.rmse_interval) == (None, None)


def test_the_interval_of_the_rmse_holds_the_mean_of_unlike_crystals():
    apart = ALLOY.copy()
    apart.translate_sites([1], [0.2 / 2.9, 0, 0])
    result = reconstruction([ALLOY, ALLOY], [ALLOY, apart])
    low, high = result.rmse_interval
    assert 0 == low < result.rmse < high


def test_an_invalid_rebuilt_crystal_is_a_miss_even_where_it_matches():
    assert reconstruction([CLOSE], [CLOSE]).matched.hits == 0
    charged = reconstruction([CHARGED], [CHARGED])
    assert (charged.matched.hits, charged.matched_and_neutral.hits) == (1, 0)


def test_validity_by_distance_own_images_and_composition():
    found = validity([SALT, ALLOY, CHARGED, CLOSE, FLAT, None])
    assert found.structural == Share(4, 6)
    assert found.with_own_images == Share(3, 6)
    assert found.compositional == Share(4, 6)
    assert found.both == Share(3, 6)


def test_a_cell_that_is_not_finite_or_has_no_volume_is_invalid():
    nan = Structure(Lattice(np.full((3, 3), np.nan)), ["Na"], [[0, 0, 0]])
    thin = Structure(Lattice.orthorhombic(5, 5, 1e-3), ["Na"], [[0, 0, 0]])
    assert not structurally_valid(nan)
    assert not structurally_valid(thin)


def test_success_counts_all_designed_and_improvement_is_over_random():
    score = design_score(10, [-0.5, -0.45, -0.3, np.nan], [-0.5, 0, 0, 0, 0], -0.5, 0.06)
    assert score.valid == Share(4, 10)
    assert score.success == Share(2, 10)
    assert score.random == Share(1, 5)
    assert score.improvement == pytest.approx(0)
    assert score.times_random == pytest.approx(1)
    assert design_score(1, [0], [5], 0, 1).improvement is None
    assert design_score(0, [], [0], 0, 1).times_random is None


def test_the_edge_of_a_band_is_inside():
    assert in_band([-0.56, -0.44, -0.57], -0.5, 0.0600001).tolist() == [True, True, False]


def test_shares_are_apart_only_where_their_intervals_are():
    assert Share(80, 100).above(Share(20, 100))
    assert not Share(8, 10).above(Share(5, 10))
    assert Share(0, 0).value is None
    low, high = Share(7, 18).interval
    assert (low, high) == (pytest.approx(0.203, abs=2e-3), pytest.approx(0.614, abs=2e-3))


def test_a_row_of_a_share_has_its_interval_and_that_of_a_number_none():
    of_share = row("x", Share(5, 10), published=0.7, seconds=1.26)
    assert (of_share["ours"], of_share["n"], of_share["seconds"]) == (0.5, 10, 1.3)
    assert of_share["ours_low"] < 0.5 < of_share["ours_high"]
    of_number = row("y", 0.031234567, n=3)
    assert (of_number["ours"], of_number["ours_low"], of_number["n"]) == (0.03123, None, 3)
    assert of_share.keys() == of_number.keys()
