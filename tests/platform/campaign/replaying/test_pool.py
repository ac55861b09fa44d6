"""What a pool tells of its crystals, and what a goal counts as a hit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fermiloop.platform.campaign.replaying.pool import Goal, Pool, make_pool
from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.prototypes import PROTOTYPES

REAL = st.floats(-5, 5)


def test_like_elements_share_their_columns(salts: Pool):
    columns = dict(zip(salts.ids, salts.columns, strict=True))
    assert columns["NaCl-B1"] == columns["KBr-B2"] == "1:1 17:1"
    assert columns["NaCl-B1"] != columns["MgO-B1"]


def test_descriptors_are_scaled_and_their_components_uncorrelated(salts: Pool):
    assert np.abs(salts.scaled).max() <= 6
    parts = salts.components(103, 271, 5)
    spread = parts.T @ parts
    assert np.abs(spread - np.diag(np.diag(spread))).max() < 1e-6 * spread.max()
    assert (np.diff(np.diag(spread)) <= 0).all()


def test_a_subset_keeps_the_order_asked_for(salts: Pool):
    part = salts.subset(np.array([5, 2]))
    assert part.ids == (salts.ids[5], salts.ids[2])
    assert part.values.tolist() == salts.values[[5, 2]].tolist()
    assert len(part.columns) == len(part.prototypes) == len(part) == 2


@given(st.lists(REAL, min_size=1), REAL, st.floats(0.01, 3))
def test_hits_lie_in_the_window_and_are_the_nearest(values: list[float], low: float, width: float):
    goal, found = Goal(low, low + width), np.array(values)
    near, hit = goal.nearness(found), goal.holds(found)
    if hit.any() and not hit.all():
        assert near[hit].min() >= near[~hit].max() - 1e-9


def test_one_end_may_be_open():
    values = np.array([-1.0, 0.0, 2.0])
    assert Goal(-np.inf, 0.0).holds(values).tolist() == [True, True, False]
    assert Goal(-np.inf, 0.0).nearness(values).tolist() == [1.0, 0.0, -2.0]
    assert Goal(0.0, np.inf).nearness(values).tolist() == [-1.0, 0.0, 2.0]


@pytest.mark.parametrize("ends", [(1.0, 1.0), (2.0, 1.0), (-np.inf, np.inf), (np.nan, 1.0)])
def test_a_window_without_width_is_refused(ends: tuple[float, float]):
    with pytest.raises(InputError, match="between two numbers"):
        Goal(*ends)


@pytest.mark.parametrize(
    ("ids", "values", "said"), [(("a", "a"), (0.0, 1.0), "same id"), (("a", "b"), (0.0, np.nan), "finite")]
)
def test_what_cannot_be_replayed_is_refused(ids: tuple[str, str], values: tuple[float, float], said: str):
    salt = PROTOTYPES["B1"].build("Na", "Cl", 22.0)
    with pytest.raises(InputError, match=said):
        make_pool(
            ids, [salt, salt], ["B1", "B1"], np.array(values), np.zeros(2, dtype=bool), lambda _what, _share: None
        )
