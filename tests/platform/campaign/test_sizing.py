"""How many candidates are proposed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fermiloop.platform.campaign.records import RoundRecord
from fermiloop.platform.campaign.sizing import LEAST, MOST, scale, sized
from fermiloop.platform.campaign.spec import CampaignSpec, parse_spec


def spec(sizing: str = "measured", more: str = "") -> CampaignSpec:
    return parse_spec(
        "{name: sized, target: {dos: {material: Pd}}, space: {elements: [Ni, Pt]}, "
        f"generators: [{{name: substitution, proposals: 100}}], funnel: {{sizing: {sizing}, choice: 3}}, "
        f"budget: {{rounds: 9, evaluations: 90, per_round: 10{more}}}}}"
    )


def test_the_first_round_and_a_fixed_funnel_propose_what_the_file_says() -> None:
    assert scale(spec(), [], {}) == 1.0
    assert scale(spec("fixed"), [RoundRecord(1, proposed=100, passed=2)], {}) == 1.0


def test_a_low_pass_rate_asks_for_more_and_a_high_one_for_fewer() -> None:
    # 10 evaluations × 3 to choose from at (9 + 1) / (98 + 2): 300 proposals of the file's 100
    assert scale(spec(), [RoundRecord(1, proposed=98, passed=9)], {}) == pytest.approx(3.0)
    assert scale(spec(), [RoundRecord(1, proposed=98, passed=79)], {}) == pytest.approx(0.375)
    assert scale(spec(), [RoundRecord(1, proposed=98, passed=0)], {}) == MOST


def test_the_core_hours_left_for_the_funnel_bound_it() -> None:
    rounds = [RoundRecord(1, proposed=98, passed=0)]
    bounded = spec(more=", stage_core_hours: {screen: 1}")
    # 2450 s spent on 98 proposals, 25 s each; 1150 s are left, which pay for 46
    assert scale(bounded, rounds, {"screen": 2450.0}) == pytest.approx(0.46)


@given(st.integers(1, 1000).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))))
def test_it_stays_within_its_bounds(counts: tuple[int, int]) -> None:
    proposed, passed = counts
    assert LEAST <= scale(spec(), [RoundRecord(1, proposed=proposed, passed=passed)], {}) <= MOST


def test_nobody_is_sized_away() -> None:
    assert sized(3, 0.01) == 1
    assert sized(100, 0.375) == 38
