"""Strategies are campaign files with a change, or baselines that choose from what is left."""

from __future__ import annotations

import numpy as np
import pytest

from fermiloop.platform.campaign.replaying.baselines import REPLAY_GENERATORS, kinship, nearness
from fermiloop.platform.campaign.replaying.loop import Oracle, replay
from fermiloop.platform.campaign.replaying.strategies import REPLAY_STRATEGIES
from fermiloop.platform.campaign.spec import CampaignSpec
from fermiloop.platform.plugins.acquisitions import ACQUISITIONS
from fermiloop.platform.plugins.surrogates import SURROGATES
from fermiloop.platform.representations.conditions import Condition, PropertyWindow
from fermiloop.platform.representations.training import Target

ENERGY = "formation_energy_per_atom"
RULES = [name for name, plan in REPLAY_STRATEGIES.items() if plan.rule is not None]


def test_whatever_is_no_campaigns_is_a_baseline():
    for name, plan in REPLAY_STRATEGIES.items():
        assert plan.baseline or plan.rule is None, name
        assert plan.title
    assert all(REPLAY_STRATEGIES[name].baseline for name in RULES)
    assert set(REPLAY_STRATEGIES) >= set(ACQUISITIONS) | set(SURROGATES) - {"blend", "camd"}


@pytest.mark.parametrize("name", [name for name in REPLAY_STRATEGIES if name not in (*RULES, "hypervolume")])
def test_a_campaigns_strategy_changes_what_it_says_and_nothing_else(name: str, file: CampaignSpec):
    plan = REPLAY_STRATEGIES[name]
    before, after = file.as_dict(), plan.of(file).as_dict()
    assert {key for key in before if before[key] != after[key]} <= set(plan.changes)
    for part, values in plan.changes.items():
        assert {key: after[part][key] for key in values} == dict(values)
    assert plan.suits(file)


def test_options_of_another_surrogate_are_dropped(file: CampaignSpec):
    assert file.surrogate.options == {"calibrated": False}
    assert REPLAY_STRATEGIES["networks"].of(file).surrogate.options == {}
    assert REPLAY_STRATEGIES["plain"].of(file).surrogate.options == {"calibrated": False}


@pytest.mark.parametrize("name", RULES)
def test_a_baseline_is_seeded_and_does_not_see_hidden_answers(name: str, file: CampaignSpec, lowest_tenth: Oracle):
    rule, known = REPLAY_STRATEGIES[name].rule, np.arange(0, 120, 8)
    left = np.setdiff1d(np.arange(120), known)
    values = lowest_tenth.pool.labels[ENERGY].copy()
    values[left] = 77.0
    blind = Oracle(
        type(lowest_tenth.pool)(**{**vars(lowest_tenth.pool), "labels": {ENERGY: values}}), lowest_tenth.target
    )
    assert rule is not None
    picked = [rule(one, known, left, 8, np.random.default_rng(1)) for one in (lowest_tenth, lowest_tenth, blind)]
    assert picked[0] == picked[1] == picked[2]
    assert len(set(picked[0])) == 8
    assert set(picked[0]) <= set(left.tolist())
    small = CampaignSpec.model_validate({**file.as_dict(), "budget": {"rounds": 1, "evaluations": 4, "per_round": 4}})
    assert len(replay(small, lowest_tenth.target, lowest_tenth, known, 0, baseline=rule).asked) == 4


def test_children_of_substitution_share_columns_and_the_best_parent_counts(lowest_tenth: Oracle):
    place = {key: i for i, key in enumerate(lowest_tenth.pool.ids)}
    known = np.array([place["NaCl-B1"], place["NiN-B2"], place["MgO-B1"]])
    kin = kinship(lowest_tenth, known)
    assert kin[place["KF-B1"]] > kin[place["KF-B2"]] > -np.inf
    assert kin[place["KO-B1"]] == -np.inf
    left = np.setdiff1d(np.arange(120), known)
    children = REPLAY_GENERATORS["substitution"][1]
    assert children is not None
    slate = children(lowest_tenth, known, left, np.random.default_rng(0))
    assert {lowest_tenth.pool.ids[i] for i in slate} >= {"KF-B1", "CaS-B1"}


def test_a_random_pick_is_some_of_what_is_left(lowest_tenth: Oracle):
    some = REPLAY_GENERATORS["random_pick"][1]
    assert some is not None
    left = np.arange(20, 60)
    slate = some(lowest_tenth, np.arange(20), left, np.random.default_rng(0))
    assert set(slate.tolist()) <= set(left.tolist())


def test_nearness_is_to_the_middle_of_windows_and_into_bounds():
    values = {ENERGY: np.array([-1.0, 0.0, 0.5, np.nan])}
    window = nearness(Target(windows=(PropertyWindow(ENERGY, 0.0, 0.5),)), values)
    assert window[:3].tolist() == [-2.0, 0.0, -1.0]
    assert window[3] < -100
    bound = nearness(Target(windows=(Condition(ENERGY, high=0.0),)), values)
    assert bound[:3].tolist() == [10.0, 0.0, -5.0]


def test_of_predictions_the_expected_distance_counts():
    rng, target = np.random.default_rng(0), Target(windows=(PropertyWindow(ENERGY, 0.5, 1.0),))
    mean, std = np.array([-1.0, 0.5, 4.0]), np.array([0.5, 2.0, 0.1])
    drawn = nearness(target, {ENERGY: (mean + std * rng.standard_normal((100_000, 3))).ravel()}).reshape(-1, 3)
    assert nearness(target, {ENERGY: mean}, {ENERGY: std}) == pytest.approx(drawn.mean(axis=0), abs=0.02)
