"""Strategies compared: they start alike, repeat, and are counted rightly."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fermiloop.platform.campaign.replaying.loop import Oracle
from fermiloop.platform.campaign.replaying.replay import BASELINES, Course, compare, course_for, score
from fermiloop.platform.campaign.spec import CampaignSpec
from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.conditions import Condition
from fermiloop.platform.representations.training import Target

COURSE = Course(known=12, calls=25, batch=10)


def test_strategies_of_a_seed_start_alike(file: CampaignSpec, lowest_tenth: Oracle):
    runs = [score(lowest_tenth, file, name, COURSE, [5]).runs[0] for name in ("random", "substitution", "camd_shipped")]
    assert len({run.known for run in runs}) == 1
    for run in runs:
        assert len(set(run.known + run.asked)) == 37
        assert len(run.hits) == 3


def test_what_learns_is_far_ahead_of_chance_and_baselines_are_marked(file: CampaignSpec, lowest_tenth: Oracle):
    found = {one.strategy: one for one in compare(lowest_tenth, file, ["default"], COURSE, range(3))}
    assert set(found) == {"default", *BASELINES}
    assert found["default"].low > found["random"].high
    assert found["default"].row()["times_random"] > 2
    assert found["default"].hits == pytest.approx(found["default"].curve[-1])
    marked = {name: one.row()["baseline"] for name, one in found.items()}
    assert marked == {"default": False, "random": True, "substitution": True, "greedy": True}


def test_random_finds_what_chance_expects(file: CampaignSpec, lowest_tenth: Oracle):
    found = score(lowest_tenth, file, "random", COURSE, range(100))
    assert found.low < found.chance < found.high


def test_a_generator_that_runs_dry_leaves_the_rest_to_chance(file: CampaignSpec, lowest_tenth: Oracle):
    course = Course(known=2, calls=115, batch=40)
    run = score(lowest_tenth, file, "random", course, [0], "substitution").runs[0]
    assert len(set(run.asked)) == 115


def test_one_seed_has_the_interval_of_its_calls(file: CampaignSpec, lowest_tenth: Oracle):
    found = score(lowest_tenth, file, "random", COURSE, [0])
    assert 0 <= found.low < found.high < COURSE.calls


def test_a_set_without_hits_has_no_factor(file: CampaignSpec, lowest_tenth: Oracle):
    target = Target(windows=(Condition("formation_energy_per_atom", high=-99.0),))
    row = score(Oracle(lowest_tenth.pool, target), file, "random", COURSE, [0, 1]).row()
    assert row["hits"] == 0
    assert row["times_random"] is None


def test_a_course_suits_its_pool_and_is_a_budget(file: CampaignSpec):
    assert course_for(5000, None, None, None) == Course(25, 250, 25)
    small = course_for(20, None, None, None)
    assert small.known + small.calls <= 20
    assert course_for(20, 4, 6, 3) == Course(4, 6, 3)
    budget = Course(4, 7, 3).spent_by(file).budget
    assert (budget.rounds, budget.evaluations, budget.per_round) == (3, 7, 3)


@pytest.mark.parametrize(("course", "said"), [((25, 250, 0), "batch of 1"), ((1, 5, 5), "at least 2 known")])
def test_a_senseless_course_is_refused(course: tuple[int, int, int], said: str):
    with pytest.raises(InputError, match=said):
        Course(*course)


def test_too_small_a_pool_no_seed_and_unknown_names_are_refused(file: CampaignSpec, lowest_tenth: Oracle):
    with pytest.raises(InputError, match="120 are there; ask for fewer calls"):
        score(lowest_tenth, file, "random", Course(), [0])
    with pytest.raises(InputError, match="at least one seed"):
        score(lowest_tenth, file, "random", COURSE, [])
    with pytest.raises(InputError, match=r"'best' is no strategy.*default"):
        score(lowest_tenth, file, "best", COURSE, [0])
    with pytest.raises(InputError, match=r"'ftcp' is no generator.*substitution"):
        score(lowest_tenth, file, "random", COURSE, [0], "ftcp")
    with pytest.raises(InputError, match="does not suit the target"):
        score(replace(lowest_tenth), file, "hypervolume", COURSE, [0])
