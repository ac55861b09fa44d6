"""A target: its curve on the grid of a model, compared inside its window."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.spectrum import DOS_GRID
from fermiloop.platform.representations.training import Target

CURVE = DOS_GRID.normalise(np.exp(-((DOS_GRID.points + 1) ** 2)))


def test_without_a_window_the_whole_curve_counts() -> None:
    target = Target(grid=DOS_GRID, curve=CURVE)
    assert float(target.similarity(3 * CURVE)) == pytest.approx(1.0)
    assert target.similarity(np.stack([CURVE, CURVE[::-1]]))[1] < 0.5


def test_a_window_leaves_the_rest_out() -> None:
    target = Target(grid=DOS_GRID, curve=CURVE, window=(-3.0, 1.0))
    other = CURVE + np.where(DOS_GRID.points > 2, 1.0, 0.0)
    assert float(target.similarity(other)) == pytest.approx(1.0)
    assert float(replace(target, window=None).similarity(other)) < 0.5


def test_a_model_about_another_zero_is_refused() -> None:
    target = Target(grid=DOS_GRID, curve=CURVE)
    with pytest.raises(InputError, match=r"valence edge .* train it again"):
        target.curve_on(replace(DOS_GRID, alignment="vbm"))


def test_no_curve() -> None:
    with pytest.raises(InputError, match=r"target\.dos"):
        Target().curve_on(DOS_GRID)
