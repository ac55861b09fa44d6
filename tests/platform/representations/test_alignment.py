"""What lies at zero of a density of states."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.alignment import Edges, edges_about, offset, zero_level
from fermiloop.schemas.vocabulary import Alignment

FINE = np.round(np.arange(-14.0, 14.0005, 0.001), 6)


def insulator(vbm, cbm, step=0.01, broadening=0.0):
    """Bands with square-root edges, sampled every `step` eV."""
    density = np.where((vbm >= FINE) & (vbm - 6 < FINE), np.sqrt(np.maximum(vbm - FINE, 0)), 0.0)
    density += np.where(cbm <= FINE, 1.5 * np.sqrt(np.maximum(FINE - cbm, 0)), 0.0)
    if broadening:
        density = gaussian_filter1d(density, broadening / 0.001, truncate=8)
    every = round(step / 0.001)
    return FINE[::every], density[::every]


def metal(step=0.05):
    x = np.arange(-10, 10, step)
    return x, 0.4 + 4 * np.exp(-((x + 3.0) ** 2) / 0.5)


@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 0.98, 1.0])
@pytest.mark.parametrize("step", [0.01, 0.05, 0.1])
def test_the_gap_of_a_sharp_curve_whatever_level_was_given(share, step):
    found = edges_about(*insulator(4.0, 5.5, step), 4.0 + share * 1.5)
    assert found.vbm == pytest.approx(4.0, abs=step)
    assert found.cbm == pytest.approx(5.5, abs=step)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("broadening", [0.02, 0.05, 0.1, 0.2])
def test_gaussian_tails_are_not_taken_for_states(share, broadening):
    found = edges_about(*insulator(-1.0, 2.0, 0.01, broadening), -1.0 + share * 3.0)
    assert found.middle == pytest.approx(0.5, abs=0.03)
    assert found.gap == pytest.approx(3.0, abs=2.5 * broadening)


def test_a_larger_curve_has_the_same_gap():
    x, y = insulator(0.0, 1.0, 0.02, 0.05)
    assert edges_about(x, 1000 * y, 0.4).vbm == pytest.approx(edges_about(x, y, 0.4).vbm)


def test_a_metal_has_none_also_where_its_level_lies_in_a_low_band():
    assert edges_about(*metal(), 0.0) == Edges()
    assert edges_about(*metal(), 0.0).gap == 0.0


@pytest.mark.parametrize(
    ("x", "y", "level", "words"),
    [
        (*insulator(0.0, 1.0), 20.0, "is not"),
        (*[part[:1450] for part in insulator(0.0, 1.0)], 0.3, "no states above"),
        (*[part[1405:] for part in insulator(0.0, 1.0)], 0.3, "no states below"),
        (np.linspace(-5, 5, 101), np.zeros(101), 0.0, "no states"),
        (*insulator(0.0, 0.6, 0.05, 0.2), 0.3, "narrow gap"),
        (np.linspace(-5, 5, 101), np.abs(np.linspace(-5, 5, 101)), 0.0, "steps"),
        ([0, 1, np.nan], [1, 1, 1], 0.5, "finite"),
    ],
    ids=[
        "level outside",
        "ends below the bands",
        "begins in the gap",
        "empty",
        "filled by broadening",
        "touching",
        "NaN",
    ],
)
def test_it_says_that_it_cannot(x, y, level, words):
    with pytest.raises(InputError, match=words):
        edges_about(x, y, level)


def test_the_level_that_becomes_zero():
    edges = Edges(5.0, 6.5)
    assert zero_level(6.4, edges) == 5.75
    assert zero_level(6.4, edges, Alignment.VBM) == 5.0
    assert zero_level(6.4, edges, Alignment.FERMI) == 6.4
    assert zero_level(6.4, Edges()) == zero_level(6.4, Edges(), Alignment.VBM) == 6.4


def test_edges_are_both_or_none_and_rise():
    with pytest.raises(InputError, match="both or none"):
        Edges(1.0)
    with pytest.raises(InputError, match="above the valence edge"):
        Edges(1.0, 1.0)


def test_offsets_are_exact_and_there_and_back():
    assert offset(Alignment.MIDGAP, Alignment.VBM, 3.0) == 1.5
    assert offset(Alignment.VBM, Alignment.MIDGAP, 3.0) == -1.5
    assert offset(Alignment.MIDGAP, Alignment.VBM, 0.0) == 0.0
    for unknown in (Alignment.FERMI, Alignment.NONE):
        assert offset(unknown, Alignment.VBM, 3.0) == 0.0
