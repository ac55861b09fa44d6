"""Curves that were drawn."""

from __future__ import annotations

from typing import Any

import pytest

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
