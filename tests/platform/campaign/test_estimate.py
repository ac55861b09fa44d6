"""What a campaign would cost, from measured costs alone."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fermiloop.platform.campaign.draft import draft
from fermiloop.platform.campaign.estimate import (
    Estimate,
    Measured,
    batches,
    plan,
    spread,
    spread_of_sum,
)
from fermiloop.platform.campaign.spec import BudgetSpec, CampaignSpec, parse_spec

SPEC = parse_spec(draft("x"))
COSTS = [20.0, 30.0, 40.0, 50.0, 60.0]


def with_budget(**budget: int) -> CampaignSpec:
    return SPEC.model_copy(update={"budget": BudgetSpec(**budget)})


@pytest.mark.parametrize(
    ("budget", "expected"),
    [
        ({"rounds": 2, "evaluations": 4, "per_round": 2}, (2, 2)),
        ({"rounds": 5, "evaluations": 7, "per_round": 3}, (3, 3, 1)),
        ({"rounds": 2, "evaluations": 9, "per_round": 3}, (3, 3)),
    ],
)
def test_rounds_end_with_the_first_limit(budget: dict[str, int], expected: tuple[int, ...]) -> None:
    assert batches(with_budget(**budget)) == expected


def test_without_rounds_to_wait_for_the_whole_budget_is_counted() -> None:
    spec = with_budget(rounds=2, evaluations=9, per_round=3)
    assert batches(spec.model_copy(update={"mode": "asynchronous"})) == (3, 6)


def test_nothing_is_estimated_from_too_little() -> None:
    made = plan(SPEC, Measured([30.0, 40.0], "two"), [], 432, 1)
    assert made.total == made.per_evaluation == made.wall == Estimate()
    assert json.loads(json.dumps(made.as_dict()))["core_hours"] == {"median": None, "low": None, "high": None}


def test_a_sum_is_near_n_times_the_mean_and_narrower_than_n_times_the_spread() -> None:
    total, one = spread_of_sum(COSTS, 100, np.random.default_rng(0)), spread(COSTS)
    assert total.median == pytest.approx(100 * 40.0, rel=0.02)
    assert total.high - total.low < 0.2 * 100 * (one.high - one.low)
    assert one.low < one.median < one.high


def test_workers_share_the_evaluations_and_not_the_other_steps() -> None:
    alone, four = (plan(SPEC, Measured(COSTS, "five"), [10.0] * 5, 432, workers) for workers in (1, 4))
    assert four.total == alone.total
    assert alone.overhead.median == 20.0  # two rounds
    assert four.wall.median == pytest.approx(alone.total.median / 4 + 20.0)
    assert alone.as_dict()["evaluations"] == 4
    assert alone.as_dict()["rounds"][1] == {"number": 2, "evaluations": 2, "proposals": 40}


@given(st.lists(st.floats(0.1, 1e5), min_size=3, max_size=30), st.integers(1, 50))
def test_estimates_are_ordered_and_within_what_is_possible(seconds: list[float], n: int) -> None:
    total = spread_of_sum(seconds, n, np.random.default_rng(1), draws=50)
    assert total.low <= total.median <= total.high
    assert n * min(seconds) * (1 - 1e-9) <= total.low
    assert total.high <= n * max(seconds) * (1 + 1e-9)
