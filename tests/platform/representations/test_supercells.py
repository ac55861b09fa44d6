"""Supercells in which an atom keeps its distance from its images."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Lattice, Structure

from fermiloop.platform.errors import EngineError
from fermiloop.platform.representations.supercells import (
    hermite_forms,
    images_apart,
    matrix_for,
    primitive,
    repeated,
)

PD = Structure.from_spacegroup("Fm-3m", Lattice.cubic(3.95), ["Pd"], [[0, 0, 0]])
MO3CO = Structure.from_spacegroup("Pm-3m", Lattice.cubic(3.9), ["Co", "Mo"], [[0, 0, 0], [0.5, 0.5, 0.0]])


def sigma_sum(n: int) -> int:
    """Sublattices of index n of a lattice in three dimensions: sum over d | n of d σ(d)."""
    return sum(d * sum(k for k in range(1, d + 1) if d % k == 0) for d in range(1, n + 1) if n % d == 0)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 6, 8])
def test_every_sublattice_comes_once(n: int) -> None:
    forms = list(hermite_forms(n))
    assert len(forms) == sigma_sum(n)
    assert len({form.tobytes() for form in forms}) == len(forms)
    assert {round(np.linalg.det(form)) for form in forms} == {n}


def test_two_cells_of_a_primitive_cubic_crystal_keep_five_angstrom() -> None:
    cell = repeated(MO3CO, matrix_for(MO3CO, 5.0))
    assert len(cell) == 8
    assert images_apart(cell.lattice) == pytest.approx(3.9 * np.sqrt(2))


def test_fewer_cells_are_the_most_that_are_taken() -> None:
    assert (matrix_for(MO3CO, 5.0, 1) == np.eye(3)).all()
    four = repeated(primitive(PD), matrix_for(primitive(PD), 5.0, 4))
    assert len(four) == 4
    assert four.lattice.parameters == pytest.approx((3.95, 3.95, 3.95, 90, 90, 90))  # the conventional cell


def test_what_takes_too_many_cells_is_refused() -> None:
    with pytest.raises(EngineError, match="ask for less"):
        matrix_for(primitive(PD), 15.0)


def test_moments_stay_with_their_atoms() -> None:
    chromium = Structure(Lattice.cubic(2.88), ["Cr", "Cr"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    up, both = (chromium.copy(site_properties={"magmom": given}) for given in ([1.0, 1.0], [1.0, -1.0]))
    assert [len(primitive(one)) for one in (chromium, up, both)] == [1, 1, 2]
    assert "magmom" not in primitive(chromium).site_properties
    cell = repeated(primitive(both), matrix_for(primitive(both), 5.0))
    for site in cell:
        nearest = min(cell.get_neighbors(site, 2.6), key=lambda one: one.nn_distance)
        assert nearest.properties["magmom"] == -site.properties["magmom"]


def test_it_is_the_same_crystal_where_it_was() -> None:
    cell = repeated(primitive(PD), matrix_for(primitive(PD), 5.0))
    assert StructureMatcher(primitive_cell=True).fit(cell, PD)
    sites = PD.lattice.get_fractional_coords(cell.cart_coords) * 2  # every atom of it lies on one of the given crystal
    assert np.allclose(sites, np.round(sites), atol=1e-4)


@settings(max_examples=20, deadline=None)
@given(
    lengths=st.tuples(*3 * [st.floats(2.6, 6.0)]),
    angles=st.tuples(*3 * [st.floats(65.0, 110.0)]),
    separation=st.floats(3.0, 5.5),
)
def test_images_are_apart_in_any_lattice(
    lengths: tuple[float, float, float], angles: tuple[float, float, float], separation: float
) -> None:
    crystal = primitive(Structure(Lattice.from_parameters(*lengths, *angles), ["Pd"], [[0, 0, 0]]))
    cell = repeated(crystal, matrix_for(crystal, separation))
    assert images_apart(cell.lattice) >= separation - 2e-3
