"""Hits, shares, baselines and cost of a campaign, counted in one place."""

from __future__ import annotations

import pytest

from fermiloop.platform.campaign import cost, counting
from fermiloop.platform.campaign.counting import Share, Trial
from fermiloop.platform.campaign.statistics import wilson

TRIALS = [
    Trial("ftcp/paper", True, True), Trial("ftcp/structured", True, False), Trial("ftcp/paper", False, False),
    Trial("substitution", True, True), Trial("random_pick", False, True),
]  # fmt: skip


def test_hits_are_of_results_and_shares_of_what_was_paid_for() -> None:
    assert counting.results(TRIALS) == Share(2, 3)
    assert counting.paid(TRIALS) == {"ftcp": (1, 3), "substitution": (1, 1), "random_pick": (0, 1)}
    assert counting.paid(TRIALS, presets=True)["ftcp/paper"] == (1, 2)
    first = counting.shares(TRIALS)[0]
    assert (first["generator"], first["share"]) == ("ftcp", 0.6)


def test_baselines() -> None:
    assert counting.results_of("substitution", TRIALS) == Share(1, 1, inside=True)
    assert counting.results_of("ftcp", TRIALS) == Share(1, 2, inside=True)
    assert counting.picks([True, True, False]) == Share(2, 3)
    assert counting.picks([]) == Share(0, 0)


def test_a_share_has_its_interval_and_none_without_trials() -> None:
    low, high = wilson(1, 4)
    assert Share(1, 4).as_dict() == {"hits": 1, "n": 4, "rate": 0.25, "low": low, "high": high}
    assert set(Share(0, 0).as_dict().values()) == {0, None}


def test_cost_is_all_evaluations_and_all_other_steps() -> None:
    by_step = cost.spent(7.0, [{"screen": 1.0, "retrain": 2.0}, {"screen": 0.5}, {}])
    assert by_step == {"retrain": 2.0, "sample": 0.0, "screen": 1.5, "evaluate": 7.0}
    assert cost.total(by_step) == pytest.approx(10.5)
    assert cost.parts({"evaluate": 3600.0, "sample": 0.0, "screen": 36.0}) == "evaluate 1.000, screen 0.010"
