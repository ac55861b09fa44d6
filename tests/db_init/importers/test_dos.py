"""Imported densities of states lie about one zero, that of the engines."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fermiloop.db_init.importers.dos import curve_of, gap_in, on_even_grid
from fermiloop.db_init.importers.entries import external
from fermiloop.flows.engines.curve import DosGrid, on_grid
from fermiloop.platform.representations.alignment import Edges
from fermiloop.platform.representations.curve_files.registry import read_curve_file
from fermiloop.platform.representations.spectrum import DOS_GRID, cosine
from fermiloop.schemas.spectrum import Spectrum
from fermiloop.schemas.vocabulary import Alignment

SILICON = Path(__file__).parents[3] / ".." / "shared" / "vasp" / "Si" / "dos" / "vasprun.xml.gz"
METHOD = external("elsewhere", "PBE", "CC0")
X = np.round(np.arange(-14.0, 18.0, 0.02), 6)
BANDS = np.where((X > 0) & (X <= 5), 2.0, 0.0) + np.where(X > 7, 1.0, 0.0)  # gap 5 to 7 eV


@pytest.mark.parametrize("level", [5.0, 5.4, 6.0, 6.9, 7.0])
@pytest.mark.parametrize("edges", [Edges(5.0, 7.0), None], ids=["eigenvalues", "the curve alone"])
def test_wherever_the_level_lies_in_the_gap_the_curve_is_the_same(level, edges):
    curve, said = curve_of(X, [BANDS / 2, BANDS / 2], level, METHOD, edges)
    assert said == ()
    assert curve.gap == pytest.approx(2.0, abs=0.03)
    assert curve.energies[np.flatnonzero(curve.values > 1.5)[-1]] == pytest.approx(-1.0, abs=0.06)
    assert curve.energies[0] <= -10.0 - 1.0 + 0.05
    spectrum = Spectrum.from_arrays("m-1", curve.energies, curve.values, method=METHOD.id, gap=curve.gap)
    spectrum.check()
    assert spectrum.alignment is Alignment.MIDGAP


def test_a_metal_keeps_its_level_and_its_gap_is_zero():
    curve, said = curve_of(X, [BANDS], 2.5, METHOD)
    assert (curve.gap, said) == (0.0, ())
    assert curve.values[np.argmin(np.abs(curve.energies + 2.4))] == pytest.approx(2.0)


def test_a_curve_that_cannot_say_is_kept_about_its_level_and_told():
    filled = np.maximum(np.abs(X - 6.0), 0.02)
    curve, said = curve_of(X, [filled], 6.0, METHOD)
    assert curve.gap is None
    assert len(said) == 1
    assert "kept about the Fermi level as given" in said[0]
    spectrum = Spectrum.from_arrays("m-1", curve.energies, curve.values, method=METHOD.id, gap=curve.gap)
    assert spectrum.alignment is Alignment.FERMI


def test_gaps_in_curves():
    assert gap_in(X - 6.0, BANDS) == pytest.approx(2.0, abs=0.05)
    assert gap_in(X - 2.0, BANDS) == 0.0
    assert gap_in(X - 30.0, BANDS) is None


@pytest.mark.skipif(not SILICON.exists(), reason="the folder ../shared with VASP's outputs is not here")
def test_silicon_imported_is_the_engines_silicon():
    found = read_curve_file(SILICON)
    grid = DosGrid()
    middle = found.edges.middle
    engine = DOS_GRID.resample(grid.energies, on_grid(found.energies, found.density, middle, grid))
    imported = DOS_GRID.resample(*on_even_grid(found.energies, [found.density], found.level, found.edges))
    by_curve, _ = curve_of(found.energies, [found.density], found.level, METHOD)
    as_given = DOS_GRID.resample(*on_even_grid(found.energies, [found.density], found.level))
    assert float(cosine(engine, imported)) > 0.99
    assert float(cosine(engine, DOS_GRID.resample(by_curve.energies, by_curve.values))) > 0.99
    assert float(cosine(engine, as_given)) < 0.95
