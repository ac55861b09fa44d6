"""Which known crystals come near a target."""

import numpy as np
import pytest

from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.nearness import nearness
from fermiloop.platform.generators.protocol import PropertyWindow, Target
from fermiloop.platform.representations.spectrum import DOS_GRID

GAP = PropertyWindow("band_gap", 1.0, 0.5)


def test_the_crystal_itself_is_nearest_by_its_curve(dos_library):
    target = Target(DOS_GRID, DOS_GRID.normalise(dos_library.curves[4]))
    found = nearness(DOS_GRID, 3 * dos_library.curves, {}, target)
    assert found.argmax() == 4
    assert found[4] == pytest.approx(1)
    assert found.min() >= 0


def test_windows_score_half_at_their_edge_and_unknown_is_nothing():
    curves = np.full((4, DOS_GRID.n), np.nan)
    labels = {"band_gap": np.array([1.0, 1.5, 0.5, np.nan])}
    assert nearness(DOS_GRID, curves, labels, Target(windows=(GAP,))).tolist() == [1, 0.5, 0.5, 0]
    assert nearness(DOS_GRID, curves, {}, Target(windows=(GAP,))).tolist() == [0] * 4


def test_all_that_is_asked_for_counts(dos_library):
    curves = dos_library.curves[:3].copy()
    curves[2] = np.nan
    target = Target(DOS_GRID, DOS_GRID.normalise(curves[0]), windows=(GAP,))
    found = nearness(DOS_GRID, curves, {"band_gap": np.array([1.5, 1.0, 1.0])}, target)
    assert found[0] == pytest.approx(0.5)
    assert 0 < found[1] < 1
    assert found[2] == 0


def test_a_target_that_asks_for_nothing_is_refused():
    with pytest.raises(InputError, match="neither"):
        nearness(DOS_GRID, np.ones((1, DOS_GRID.n)), {}, Target())
    with pytest.raises(InputError, match="needs a target curve"):
        Target(windows=(GAP,)).curve_on(DOS_GRID)


def test_a_curve_counts_in_its_window_alone(dos_library):
    inside = DOS_GRID.points < 0
    half = np.where(inside, dos_library.curves[4], 0.0)
    found = nearness(DOS_GRID, dos_library.curves, {}, Target(DOS_GRID, half, window=(-7.5, -0.1)))
    assert found.argmax() == 4
    assert found[4] == pytest.approx(1)
