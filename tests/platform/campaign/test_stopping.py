"""When a campaign ends, how large its next batch is, and intervals."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fermiloop.platform.campaign.budget import evaluations_left, next_batch
from fermiloop.platform.campaign.records import RoundRecord
from fermiloop.platform.campaign.spec import BudgetSpec, load_spec
from fermiloop.platform.campaign.statistics import discovery_factor, wilson
from fermiloop.platform.campaign.stopping import StopSpec, decide

SPEC = load_spec(Path(__file__).parents[3] / "examples" / "pd-like.yaml")
BUDGET = BudgetSpec(rounds=3, evaluations=10, per_round=4, core_hours=1)
FULL = RoundRecord(1, proposed=40, novel=20, passed=9, selected=2, evaluated=2)


@pytest.mark.parametrize(
    ("rounds", "seconds", "action", "word"),
    [
        ([], 0, "next", "Round 1"),
        ([FULL], 60, "next", "2 evaluations"),
        ([FULL, FULL], 60, "stop", "evaluations"),
        ([RoundRecord(1, selected=1, evaluated=1)] * 2, 60, "stop", "rounds"),
        ([FULL], 7200, "stop", "core-hours"),
        ([RoundRecord(1, proposed=40, novel=3)], 0, "stop", "40 proposed"),
    ],
)
def test_the_first_reason_that_holds(rounds: list[RoundRecord], seconds: float, action: str, word: str) -> None:
    decision = decide(SPEC, rounds, {"evaluate": seconds})
    assert decision.action == action
    assert word in decision.reason


def test_enough_hits_end_it() -> None:
    spec = SPEC.model_copy(update={"stop": StopSpec(hits=1)})
    assert decide(spec, [FULL], {}).action == "next"
    assert "Converged" in decide(spec, [RoundRecord(1, selected=2, evaluated=2, hits=1)], {}).reason


def test_a_batch_fits_in_what_is_left() -> None:
    four = RoundRecord(1, selected=4, evaluated=3, failed=1)
    assert next_batch(BUDGET, [], {"evaluate": 0}) == 4
    assert next_batch(BUDGET, [four, four], {"evaluate": 100}) == 2
    assert next_batch(BUDGET, [four], {"evaluate": 2400}) == 2  # 600 s each, 1200 s left
    assert next_batch(BUDGET, [four], {"evaluate": 3500}) == 1
    assert next_batch(BUDGET, [four], {"evaluate": 3600}) == 0


def test_failed_and_waiting_evaluations_are_paid_for() -> None:
    assert evaluations_left(BUDGET, [RoundRecord(1, selected=4, evaluated=1, failed=1)]) == 6


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_holds_its_share_and_mirrors(kn: tuple[int, int]) -> None:
    k, n = kn
    low, high = wilson(k, n)
    assert 0 <= low <= k / n <= high <= 1
    mirrored = wilson(n - k, n)
    assert (1 - mirrored[1], 1 - mirrored[0]) == pytest.approx((low, high))
    assert high - low >= wilson(2 * k, 2 * n)[1] - wilson(2 * k, 2 * n)[0]


def test_wilson_as_tabulated() -> None:
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-3)


def test_a_discovery_factor_needs_both_rates() -> None:
    assert discovery_factor(0.5, 0.1) == pytest.approx(5)
    assert discovery_factor(0.0, 0.1) == 0
    assert discovery_factor(0.5, 0.0) is None
    assert discovery_factor(None, 0.1) is None
