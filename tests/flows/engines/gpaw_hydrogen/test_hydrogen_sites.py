"""Interstitial sites of crystals whose sites are in textbooks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure

from fermiloop.flows.engines.gpaw_hydrogen.sites import OCTAHEDRAL, TETRAHEDRAL, interstitial_sites
from fermiloop.platform.representations.supercells import primitive

PD = Structure.from_spacegroup("Fm-3m", Lattice.cubic(3.95), ["Pd"], [[0, 0, 0]])
MO3CO = Structure.from_spacegroup("Pm-3m", Lattice.cubic(3.9), ["Co", "Mo"], [[0, 0, 0], [0.5, 0.5, 0.0]])
MO = Structure.from_spacegroup("Im-3m", Lattice.cubic(3.16), ["Mo"], [[0, 0, 0]])
TI = Structure.from_spacegroup("P6_3/mmc", Lattice.hexagonal(2.95, 4.68), ["Ti"], [[1 / 3, 2 / 3, 0.25]])


def test_face_centred_cubic() -> None:
    octahedral, tetrahedral = interstitial_sites(primitive(PD), 9)
    assert octahedral.label == "octahedral Pd6"
    assert octahedral.coords == pytest.approx((0.5, 0.5, 0.5))
    assert octahedral.radius == pytest.approx(3.95 / 2)
    assert octahedral.multiplicity == 1
    assert tetrahedral.label == "tetrahedral Pd4"
    assert tetrahedral.coords == pytest.approx((0.25, 0.25, 0.25))
    assert tetrahedral.radius == pytest.approx(3.95 * np.sqrt(3) / 4)
    assert tetrahedral.multiplicity == 2


def test_the_conventional_cell_has_the_same_sites_four_times() -> None:
    found = interstitial_sites(PD, 9)
    assert [(site.label, site.multiplicity) for site in found] == [("octahedral Pd6", 4), ("tetrahedral Pd4", 8)]


def test_the_octahedral_sites_of_an_ordered_alloy_differ_by_their_neighbours() -> None:
    found = {site.label: site for site in interstitial_sites(MO3CO, 9)}
    assert set(found) == {"octahedral Mo6", "octahedral Mo4Co2", "tetrahedral Mo3Co1"}
    assert found["octahedral Mo6"].coords == pytest.approx((0.5, 0.5, 0.5))
    assert sorted(found["octahedral Mo4Co2"].coords) == pytest.approx([0.0, 0.0, 0.5])
    assert [site.multiplicity for site in found.values()] == [3, 8, 1]


def test_both_kinds_come_first() -> None:
    assert [site.kind for site in interstitial_sites(MO3CO, 2)] == [OCTAHEDRAL, TETRAHEDRAL]


def test_body_centred_cubic_has_tetrahedral_sites() -> None:
    (found,) = interstitial_sites(primitive(MO), 9)
    assert found.kind == TETRAHEDRAL
    assert found.radius == pytest.approx(3.16 * np.sqrt(5) / 4)
    assert found.multiplicity == 6


def test_hexagonal_close_packing() -> None:
    found = interstitial_sites(primitive(TI), 9)
    assert [(site.kind, site.multiplicity) for site in found] == [(OCTAHEDRAL, 2), (TETRAHEDRAL, 4)]


def test_a_tetragonal_strain_does_not_split_the_centre_of_an_octahedron() -> None:
    strained = MO3CO.apply_strain([0.0, 0.0, -0.06], inplace=False)
    found = interstitial_sites(strained, 9)
    body = next(site for site in found if site.label == "octahedral Mo6")
    assert body.coords == pytest.approx((0.5, 0.5, 0.5), abs=1e-5)
    assert sum(site.multiplicity for site in found if site.kind == OCTAHEDRAL) == 4
    assert sum(site.multiplicity for site in found if site.kind == TETRAHEDRAL) == 8


def test_a_crystal_with_no_room_has_none() -> None:
    assert interstitial_sites(Structure(Lattice.cubic(1.3), ["Pd"], [[0, 0, 0]]), 4) == []


@settings(max_examples=15, deadline=None)
@given(shift=st.tuples(*3 * [st.floats(0.0, 1.0, exclude_max=True)]))
def test_where_the_origin_lies_changes_no_site(shift: tuple[float, float, float]) -> None:
    moved = Structure(MO3CO.lattice, MO3CO.species, MO3CO.frac_coords + np.array(shift), to_unit_cell=True)
    told = {(s.label, round(s.radius, 4), s.multiplicity) for s in interstitial_sites(moved, 9)}
    assert told == {(s.label, round(s.radius, 4), s.multiplicity) for s in interstitial_sites(MO3CO, 9)}
