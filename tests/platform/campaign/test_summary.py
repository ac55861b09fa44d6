"""What a summary claims of its hit rates."""

from __future__ import annotations

import pytest

from fermiloop.platform.campaign.counting import Share
from fermiloop.platform.campaign.summary import _apart


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        ((2, 4), (2, 33), False),
        ((1, 4), (1, 26), False),
        ((40, 50), (2, 33), True),
        ((2, 33), (40, 50), True),
        ((0, 0), (2, 33), False),
        ((2, 4), (0, 0), False),
    ],
)
def test_a_rate_beats_another_only_where_the_intervals_are_apart(
    one: tuple[int, int], other: tuple[int, int], apart: bool
) -> None:
    assert _apart(Share(*one).as_dict(), Share(*other).as_dict()) is apart


def test_no_trial_has_no_rate() -> None:
    assert Share(0, 0).as_dict()["rate"] is None
