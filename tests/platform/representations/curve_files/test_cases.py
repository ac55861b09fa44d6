"""The small files of ``../shared/cases/dos`` and VASP's own outputs, each with its right numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.curve_files.reading import Wish
from fermiloop.platform.representations.curve_files.registry import read_curve_file
from fermiloop.platform.representations.spectrum import DOS_GRID, cosine

SHARED = Path(__file__).parents[4] / ".." / "shared"
CASES = SHARED / "cases" / "dos"
here = pytest.mark.skipif(not CASES.is_dir(), reason="the folder ../shared with the cases is not here")


def truth(x):
    """The curve that all of these files hold, of one spin, states/eV over eV about the Fermi level."""
    return np.exp(-((x + 2.0) ** 2)) + 0.5 * np.exp(-((x - 3.0) ** 2) / 2)


@here
@pytest.mark.parametrize(
    ("name", "wish", "level", "spins", "said"),
    [
        ("doscar", Wish(), 5.839, 1, "5.839 eV of the DOSCAR"),
        ("pmg_dos.json", Wish(), 5.8, 1, "5.8 eV of the Dos"),
        ("qe2col.dos", Wish(), 5.839, 1, "5.839 eV of the heading"),
        ("qe2col_wide.dat", Wish(), 5.839, 1, "5.839 eV of the heading"),
        ("qe_spin.dos", Wish(), 5.839, 2, "Two spins were summed"),
        ("aims_KS_DOS_total.dat", Wish(), 0.0, 1, "about the Fermi level"),
        ("aims_KS_DOS_total_raw.dat", Wish(fermi=-5.1), -5.1, 1, "-5.1 eV was taken as given"),
        ("vaspkit_TDOS.dat", Wish(), 0.0, 1, "names no Fermi level"),
        ("sumo_total_dos.dat", Wish(), 0.0, 2, "Two spins were summed"),
        ("wannier-dos.dat", Wish(fermi=7.3), 7.3, 1, "7.3 eV was taken as given"),
        ("at_xmgrace.agr", Wish(), 0.0, 1, "names no Fermi level"),
        ("twohead.csv", Wish(), 0.0, 1, "names no Fermi level"),
        ("fortranD.dat", Wish(), 0.0, 1, "names no Fermi level"),
        ("hartree.dat", Wish(), 0.0, 1, "converted to eV"),
        ("down_only.dat", Wish(one_spin=True), 0.0, 2, "doubled, as asked"),
    ],
)
def test_zero_unit_and_sum_of_spins_of_every_case(name, wish, level, spins, said):
    found = read_curve_file(CASES / name, wish)
    assert found.level == pytest.approx(level)
    x = found.energies - found.level
    # the files round energies to 1e-3 and values to 1e-5
    np.testing.assert_allclose(found.density, spins * truth(x), atol=spins * 2e-3)
    assert x[0] <= -7.5
    assert x[-1] >= 7.5
    assert any(said in remark for remark in found.remarks)


@here
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("percent.dat", "percent"),
        ("down_only.dat", "one spin alone"),
        ("aims_KS_DOS_total_raw.dat", "vacuum"),
        ("wannier-dos.dat", "postw90"),
    ],
)
def test_cases_that_are_refused_in_words(name, words):
    with pytest.raises(InputError, match=words) as caught:
        read_curve_file(CASES / name)
    assert name in str(caught.value)


@here
def test_silicon_of_vasp_has_its_gap_its_middle_and_its_electrons():
    found = read_curve_file(SHARED / "vasp" / "Si" / "dos" / "vasprun.xml.gz")
    assert found.edges is not None
    assert found.edges.gap == pytest.approx(0.6503, abs=1e-4)
    zeroed = found.about()
    assert zeroed.gap == found.edges.gap
    inside = (zeroed.energies >= -10) & (zeroed.energies <= 0)
    assert np.trapezoid(found.density[inside], zeroed.energies[inside]) == pytest.approx(7.178, abs=2e-3)


@here
def test_iron_of_vasp_is_a_metal_with_both_spins():
    found = read_curve_file(SHARED / "vasp" / "Fe" / "vasprun.xml.gz")
    zeroed = found.about()
    assert zeroed.gap == 0.0
    assert "Two spins were summed." in found.remarks
    below = zeroed.energies <= 0
    assert np.trapezoid(found.density[below], zeroed.energies[below]) == pytest.approx(32.1, abs=0.1)


@here
def test_two_runs_of_silicon_lie_at_one_zero_whatever_level_vasp_gave():
    broadened = []
    for run in ("dos", "scf"):
        found = read_curve_file(SHARED / "vasp" / "Si" / run / "vasprun.xml.gz")
        x, fine = found.about().energies, np.arange(-9, 9, 0.01)
        density = gaussian_filter1d(np.interp(fine, x, found.density), 0.1 / 0.01)
        broadened.append(np.interp(DOS_GRID.points, fine, density))
    assert float(cosine(*broadened)) > 0.99
