"""Every strategy chooses from what is left, and what it foretells is put to the target rightly."""

from __future__ import annotations

import numpy as np
import pytest

from fermiloop.platform.campaign.replaying.pool import Goal, Pool
from fermiloop.platform.campaign.replaying.strategies import (
    REPLAY_GENERATORS,
    REPLAY_STRATEGIES,
    check_names,
    choose,
    kinship,
    propose,
)
from fermiloop.platform.errors import InputError


@pytest.mark.parametrize("name", REPLAY_STRATEGIES)
def test_a_choice_is_new_whole_and_seeded(name: str, lowest_tenth: tuple[Pool, Goal]):
    pool, goal = lowest_tenth
    plan, known = REPLAY_STRATEGIES[name], np.arange(0, len(pool), 8)
    left = np.setdiff1d(np.arange(len(pool)), known)
    first, again = (
        choose(
            plan, plan.surrogate() if plan.surrogate else None, pool, goal, known, left, 10, np.random.default_rng(4)
        )
        for _ in range(2)
    )
    assert first == again
    assert len(set(first)) == 10
    assert set(first) <= set(left.tolist())


def test_the_answers_of_others_are_not_seen(lowest_tenth: tuple[Pool, Goal]):
    pool, goal = lowest_tenth
    known = np.arange(0, len(pool), 8)
    left = np.setdiff1d(np.arange(len(pool)), known)
    hidden = pool.values.copy()
    hidden[left] = 77.0
    blind = Pool(
        pool.ids, pool.descriptors, pool.mixtures, pool.bonds, pool.columns, pool.prototypes, hidden, pool.hits
    )
    for plan in REPLAY_STRATEGIES.values():
        picked = [
            choose(
                plan, plan.surrogate() if plan.surrogate else None, one, goal, known, left, 8, np.random.default_rng(1)
            )
            for one in (pool, blind)
        ]
        assert picked[0] == picked[1], plan.title


def test_children_of_substitution_share_columns_and_the_best_parent_counts(salts: Pool):
    goal, place = Goal(-np.inf, -4.0), {key: i for i, key in enumerate(salts.ids)}
    known = np.array([place["NaCl-B1"], place["CuN-B2"], place["MgO-B1"]])
    kin = kinship(salts, goal, known)
    assert kin[place["KBr-B1"]] > kin[place["KBr-B2"]] > -np.inf
    assert kin[place["KO-B1"]] == -np.inf
    slate = propose("substitution", salts, goal, known, np.arange(len(salts)), np.random.default_rng(0))
    assert {salts.ids[i] for i in slate} >= {"KBr-B1", "CaS-B1"}
    assert all(np.isfinite(kin[slate]))


def test_generators_propose_from_what_is_left(salts: Pool):
    left = np.arange(20, 60)
    for name in REPLAY_GENERATORS:
        slate = propose(name, salts, Goal(-np.inf, -4.0), np.arange(20), left, np.random.default_rng(0))
        assert set(slate.tolist()) <= set(left.tolist())


def test_unknown_names_are_refused_with_those_that_are_known():
    with pytest.raises(InputError, match=r"'best' is no strategy.*probability"):
        check_names(["random", "best"])
    with pytest.raises(InputError, match=r"'ftcp' is no generator.*substitution"):
        check_names(["random"], ["ftcp"])
