"""Replays repeat, count rightly and find more where the answers follow from chemistry."""

from __future__ import annotations

import numpy as np
import pytest

from fermiloop.platform.campaign.replaying.pool import Goal, Pool
from fermiloop.platform.campaign.replaying.replay import BASELINES, Course, compare, course_for, replay, score
from fermiloop.platform.errors import InputError

COURSE = Course(known=12, calls=25, batch=10)


def test_the_same_seed_asks_for_the_same_crystals(lowest_tenth: tuple[Pool, Goal]):
    pool, goal = lowest_tenth
    first, again, other = (replay(pool, goal, "thompson", Course(12, 20, 10), seed) for seed in (3, 3, 4))
    assert first == again
    assert first.asked != other.asked


def test_strategies_of_a_seed_start_alike_and_never_ask_twice(lowest_tenth: tuple[Pool, Goal]):
    pool, goal = lowest_tenth
    runs = [replay(pool, goal, name, COURSE, 5) for name in ("random", "substitution", "camd_shipped")]
    assert len({run.known for run in runs}) == 1
    for run in runs:
        assert len(set(run.known + run.asked)) == 37
        assert len(run.hits) == 3


def test_hits_are_those_of_the_batches(lowest_tenth: tuple[Pool, Goal]):
    pool, goal = lowest_tenth
    run = replay(pool, goal, "random", COURSE, 1)
    hit = dict(zip(pool.ids, pool.hits.tolist(), strict=True))
    counted = [sum(hit[key] for key in run.asked[i : i + 10]) for i in (0, 10, 20)]
    assert list(run.hits) == counted


def test_what_learns_is_far_ahead_of_chance(lowest_tenth: tuple[Pool, Goal]):
    pool, goal = lowest_tenth
    found = {one.strategy: one for one in compare(pool, goal, ["probability"], COURSE, range(3))}
    assert set(found) == {"probability", *BASELINES}
    assert found["probability"].low > found["random"].high
    assert found["probability"].row()["times_random"] > 3
    assert found["probability"].hits == pytest.approx(found["probability"].curve[-1])


def test_random_finds_what_chance_expects(lowest_tenth: tuple[Pool, Goal]):
    pool, goal = lowest_tenth
    found = score(pool, goal, "random", COURSE, range(200))
    assert found.low < found.chance < found.high


def test_a_generator_that_runs_dry_leaves_the_rest_to_the_lot(lowest_tenth: tuple[Pool, Goal]):
    pool, goal = lowest_tenth
    run = replay(pool, goal, "probability", Course(known=2, calls=160, batch=40), 0, "substitution")
    assert len(set(run.asked)) == 160


def test_one_seed_has_the_interval_of_its_calls(lowest_tenth: tuple[Pool, Goal]):
    pool, goal = lowest_tenth
    found = score(pool, goal, "random", COURSE, [0])
    assert 0 <= found.low < found.high < COURSE.calls


def test_a_set_without_hits_has_no_factor(salts: Pool):
    goal = Goal(-np.inf, -99.0)
    row = score(salts.asked(goal), goal, "random", COURSE, [0, 1]).row()
    assert row["hits"] == 0
    assert row["times_random"] is None


def test_a_course_suits_its_pool():
    assert course_for(5000, None, None, None) == Course(25, 250, 25)
    small = course_for(20, None, None, None)
    assert small.known + small.calls <= 20
    assert course_for(20, 4, 6, 3) == Course(4, 6, 3)


@pytest.mark.parametrize(("course", "said"), [((25, 250, 0), "batch of 1"), ((1, 5, 5), "at least 2 known")])
def test_a_senseless_course_is_refused(course: tuple[int, int, int], said: str):
    with pytest.raises(InputError, match=said):
        Course(*course)


def test_too_small_a_pool_and_no_seed_are_refused(salts: Pool):
    goal = Goal(-np.inf, -4.0)
    with pytest.raises(InputError, match="168 are there; ask for fewer calls"):
        replay(salts, goal, "random", Course(), 0)
    with pytest.raises(InputError, match="at least one seed"):
        score(salts, goal, "random", COURSE, [])
