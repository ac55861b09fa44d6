"""An asynchronous campaign's next move."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fermiloop.platform.campaign.asynchronous import Move, Standing, next_move
from fermiloop.platform.campaign.counting import Share
from fermiloop.platform.campaign.records import RoundRecord
from fermiloop.platform.campaign.spec import BudgetSpec, CampaignSpec, parse_spec
from fermiloop.platform.campaign.stopping import StopSpec

SPEC = parse_spec(
    "{name: steady, mode: asynchronous, target: {dos: {material: Pd}}, space: {elements: [Ni, Pt]}, "
    "generators: [{name: substitution, proposals: 5}], budget: {rounds: 3, evaluations: 10, per_round: 4}}"
)
NOTHING = Standing((), {}, pool=0, in_flight=0, open_round=False, new_results=0)
ONE = RoundRecord(1, proposed=20, novel=15, passed=8)


def with_budget(**changes: object) -> CampaignSpec:
    return SPEC.model_copy(update={"budget": BudgetSpec(**{**SPEC.budget.model_dump(), **changes})})


def test_a_new_campaign_begins_with_a_generation() -> None:
    assert next_move(SPEC, NOTHING) == Move(plan=True)
    assert next_move(SPEC, replace(NOTHING, open_round=True, rounds=(RoundRecord(1),))) == Move()


def test_free_places_are_filled_as_results_come() -> None:
    standing = replace(NOTHING, rounds=(ONE,), pool=8)
    assert next_move(SPEC, standing).select == 4
    running = replace(ONE, selected=4, evaluated=1)
    assert next_move(SPEC, replace(standing, rounds=(running,), pool=4, in_flight=3)).select == 1
    assert next_move(SPEC, replace(standing, rounds=(running,), pool=4, in_flight=4)) == Move()


def test_a_generation_is_planned_while_evaluations_run_once_there_is_something_to_learn() -> None:
    running = replace(ONE, selected=8, evaluated=4)
    standing = replace(NOTHING, rounds=(running,), pool=0, in_flight=4, new_results=4)
    assert next_move(SPEC, standing) == Move(plan=True)
    assert next_move(SPEC, replace(standing, new_results=0)) == Move()
    assert next_move(SPEC, replace(standing, open_round=True)) == Move()


@pytest.mark.parametrize(
    ("spec", "round_one", "word"),
    [
        (SPEC, replace(ONE, selected=10, evaluated=10), "evaluations"),
        (
            SPEC.model_copy(update={"stop": StopSpec(hits=2)}),
            replace(ONE, selected=4, evaluated=4, hits=2),
            "Converged",
        ),
        (with_budget(core_hours=1), replace(ONE, selected=4, evaluated=4), "core-hours"),
        (with_budget(rounds=1), replace(ONE, selected=4, evaluated=4), "rounds"),
        (SPEC, RoundRecord(1, proposed=9, novel=2, passed=0), "left nothing new"),
    ],
)
def test_it_ends_for_a_reason_and_only_when_nothing_runs(spec: CampaignSpec, round_one: RoundRecord, word: str) -> None:
    over = Standing((round_one,), {"evaluate": 4000.0}, pool=0, in_flight=0, open_round=False, new_results=0)
    assert word in str(next_move(spec, over).finish)
    assert next_move(spec, replace(over, in_flight=1)).finish is None
    assert next_move(spec, replace(over, open_round=True)).finish is None


def test_a_campaign_no_better_than_chance_ends() -> None:
    spec = with_budget(evaluations=1000).model_copy(update={"stop": StopSpec(no_better_than="random", after=50)})
    poor = Standing((replace(ONE, selected=200, evaluated=200, hits=10),), {}, 5, 0, False, 9, Share(500, 5000))
    assert "Against random" in str(next_move(spec, poor).finish)
    good = replace(poor, rounds=(replace(ONE, selected=200, evaluated=200, hits=60),))
    assert next_move(spec, good).select == 4
    assert next_move(spec, replace(poor, baseline=None)).select == 4
    assert next_move(spec, replace(poor, baseline=Share(1, 1))).select == 4  # one trial is no measure


def test_a_baseline_that_proposes_itself_is_compared_with_the_others() -> None:
    spec = with_budget(evaluations=1000).model_copy(update={"stop": StopSpec(no_better_than="substitution", after=50)})
    # 70 of 200 in all, but 60 of them are the baseline's 100: the others found 10 of 100
    mixed = Standing((replace(ONE, selected=200, evaluated=200, hits=70),), {}, 5, 0, False, 9, Share(60, 100, True))
    assert "10 of 100" in str(next_move(spec, mixed).finish)


@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12), st.integers(0, 12)), max_size=3),
    st.integers(0, 20),
    st.integers(0, 6),
    st.booleans(),
    st.integers(0, 9),
)
def test_it_never_overspends_and_never_waits_for_nothing(
    counts: list[tuple[int, int, int]], pool: int, in_flight: int, open_round: bool, new: int
) -> None:
    rounds = tuple(
        RoundRecord(i, proposed=20, passed=max(passed, selected), selected=selected, evaluated=min(selected, evaluated))
        for i, (passed, selected, evaluated) in enumerate(counts, 1)
    )
    open_round = open_round and bool(rounds)
    if not rounds:
        pool = in_flight = new = 0
    move = next_move(SPEC, Standing(rounds, {}, pool, in_flight, open_round, new))
    spent = sum(max(one.selected, one.evaluated) for one in rounds)
    assert move.select <= max(0, SPEC.budget.evaluations - spent)
    assert move.select + in_flight <= max(SPEC.budget.per_round, in_flight)
    assert not (move.finish and (in_flight or open_round))
    if not in_flight and not open_round:  # nothing will come by itself, so something must be done
        assert move.select or move.plan or move.finish


def test_what_runs_is_paid_in_advance_at_the_measured_cost() -> None:
    spec = with_budget(core_hours=3)
    done = replace(ONE, selected=2, evaluated=2)
    standing = replace(NOTHING, rounds=(done,), spent={"evaluate": 7200.0}, pool=6)
    assert next_move(spec, standing).select == 1  # an hour is left, and an evaluation costs one
    running = replace(standing, rounds=(replace(done, selected=3),), pool=5, in_flight=1)
    assert next_move(spec, running) == Move()
    assert next_move(with_budget(core_hours=4), running).select == 1
    assert next_move(SPEC, running).select == 3
