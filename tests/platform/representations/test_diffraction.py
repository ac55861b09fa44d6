"""Powder patterns: known peaks, unit area, the same for every description of a crystal."""

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.diffraction import xrd_pattern, xrd_patterns
from fermiloop.platform.representations.grids import GRIDS, XRD_GRID
from fermiloop.platform.representations.spectrum import cosine
from fermiloop.schemas.curve_kinds import SpectrumKind

COPPER = Structure.from_spacegroup("Fm-3m", Lattice.cubic(3.615), ["Cu"], [[0, 0, 0]])


def test_copper_has_its_textbook_peaks():
    curve = xrd_pattern(COPPER)
    inner = (curve[1:-1] > curve[:-2]) & (curve[1:-1] > curve[2:]) & (curve[1:-1] > 0.02 * curve.max())
    np.testing.assert_allclose(XRD_GRID.points[1:-1][inner], [43.3, 50.4, 74.1], atol=0.15)
    assert XRD_GRID.points[curve.argmax()] == pytest.approx(43.3, abs=0.15)
    assert np.trapezoid(curve, XRD_GRID.points) == pytest.approx(1)


@pytest.mark.parametrize(
    "other",
    [COPPER.get_primitive_structure(), COPPER * (2, 1, 1), COPPER.copy().translate_sites(range(4), [0.1, 0.2, 0.3])],
    ids=["primitive", "supercell", "moved"],
)
def test_the_pattern_is_the_crystals_not_the_cells(other):
    assert cosine(xrd_pattern(COPPER), xrd_pattern(other)) == pytest.approx(1, abs=1e-6)


def test_a_small_strain_changes_little_and_another_metal_much():
    strained = COPPER.copy()
    strained.scale_lattice(COPPER.volume * 1.003)
    gold = Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.08), ["Au"], [[0, 0, 0]])
    pattern = xrd_pattern(COPPER)
    assert cosine(pattern, xrd_pattern(strained)) > 0.95
    assert cosine(pattern, xrd_pattern(gold)) < 0.3


def test_a_crystal_without_reflections_is_told_and_left_nan():
    tiny = Structure(Lattice.cubic(0.4), ["H"], [[0, 0, 0]])
    with pytest.raises(InputError, match=r"no diffraction pattern|no area"):
        xrd_pattern(tiny)
    told = []
    found = xrd_patterns([COPPER, tiny], progress=lambda what, share: told.append(share))
    assert np.isfinite(found[0]).all()
    assert np.isnan(found[1]).all()
    assert told


def test_every_kind_has_a_grid_in_the_unit_it_is_stored_in():
    assert set(GRIDS) == set(SpectrumKind)
    for kind, grid in GRIDS.items():
        declared = kind.declared
        assert (grid.unit, grid.alignment) == (declared.axis_unit, declared.alignment)
        assert (grid.lo, grid.hi, grid.n) == (declared.lo, declared.hi, declared.n)
