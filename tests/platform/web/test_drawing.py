"""Curves that were drawn or pasted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.spectrum import DOS_GRID
from fermiloop.platform.web import drawing


def test_the_newest_drawn_path_is_a_curve() -> None:
    shapes = [{"path": "M0,0L1,1"}, {"path": "M-2,0.5L-1,1.5L1e0,2.5L3,0"}]
    energies, values = drawing.of_shapes({"shapes": shapes})  # type: ignore[misc]
    assert energies.tolist() == [-2, -1, 1, 3]
    assert values.tolist() == [0.5, 1.5, 2.5, 0]
    assert drawing.of_shapes({"shapes[0].path": "M0,0L1,1"}) is not None


@pytest.mark.parametrize("change", [None, {}, 7, {"shapes": [{"x0": 1}]}, {"shapes": [{"path": {"$gt": ""}}]}])
def test_nothing_drawn(change: Any) -> None:
    assert drawing.of_shapes(change) is None


def test_a_pen_that_goes_back_counts_with_its_mean() -> None:
    energies, values = drawing.of_shapes({"shapes": [{"path": "M0,1L1,2L0,3"}]})  # type: ignore[misc]
    assert energies.tolist() == [0, 1]
    assert values.tolist() == [2, 2]


@pytest.mark.parametrize("text", ["", "1 2 3", "0 1\nx y", "0 1", "0 nan\n1 2", "0 1\n1 inf", "0 1\n1 2\n0 3\n"])
def test_pastes_that_are_no_curve(text: str) -> None:
    with pytest.raises(InputError):
        drawing.of_paste(text)


def test_a_pasted_file_is_read_as_its_program_wrote_it() -> None:
    x = np.round(np.arange(-9.0, 9.01, 0.1), 6)
    rows = "".join(f"{e + 3.5:.3f} {np.exp(-(e**2)):.6f}\n" for e in x)
    (energies, values), said = drawing.of_paste("# E (eV) dos(E) EFermi = 3.5 eV\n" + rows)
    np.testing.assert_allclose(energies, x, atol=1e-3)
    assert values.max() == pytest.approx(1.0)
    assert said == ("The Fermi level 3.5 eV of the heading was taken.",)


def test_a_coarse_paste_is_refused_and_a_coarse_drawing_is_not() -> None:
    curve = (np.array([-8.0, 0.0, 8.0]), np.array([1.0, 2.0, 1.0]))
    assert drawing.on_grid(curve, (-7.5, 7.5)).max() == 2.0
    with pytest.raises(InputError, match="largest step"):
        drawing.on_grid(curve, (-7.5, 7.5), drawn=False)


@pytest.mark.parametrize("window", [(1.0, 0.0), (0.0, 0.1), (-9.0, 0.0), (-5.0, 5.0), (float("nan"), 1.0)])
def test_windows_that_do_not_hold(window: tuple[float, float]) -> None:
    with pytest.raises(InputError):
        drawing.on_grid((np.array([-2.0, 2.0]), np.array([1.0, 1.0])), window)


@given(st.floats(-7.0, 0.0), st.floats(1.0, 7.0))
def test_a_flat_curve_is_flat_inside_its_window_and_zero_outside(lo: float, hi: float) -> None:
    curve = (np.array([-8.0, 8.0]), np.array([2.0, 2.0]))
    values = drawing.on_grid(curve, (lo, hi))
    inside = (DOS_GRID.points >= lo) & (DOS_GRID.points <= hi)
    assert (values[inside] == 2).all()
    assert values[(DOS_GRID.points < lo - 0.11) | (DOS_GRID.points > hi + 0.11)].sum() == 0
