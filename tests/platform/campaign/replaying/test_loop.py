"""The loop on recorded answers: what it asks for, what it sees, and what it refuses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fermiloop.platform.campaign import choosing
from fermiloop.platform.campaign.replaying.loop import Oracle, replay
from fermiloop.platform.campaign.spec import CampaignSpec
from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.conditions import Condition
from fermiloop.platform.representations.training import Target, TrainingSet

ENERGY = "formation_energy_per_atom"
KNOWN = range(0, 120, 8)


def changed(file: CampaignSpec, **parts: dict[str, object]) -> CampaignSpec:
    return CampaignSpec.model_validate({**file.as_dict(), **parts})


def test_a_run_is_seeded_whole_and_counted(file: CampaignSpec, lowest_tenth: Oracle):
    one, again, other = (replay(file, lowest_tenth.target, lowest_tenth, KNOWN, seed) for seed in (3, 3, 4))
    assert one == again
    assert one.asked != other.asked
    assert len(set(one.known + one.asked)) == len(KNOWN) + 25
    hit = dict(zip(lowest_tenth.pool.ids, lowest_tenth.hits.tolist(), strict=True))
    assert list(one.hits) == [sum(hit[key] for key in one.asked[i : i + 10]) for i in (0, 10, 20)]
    assert sum(one.hits) > 2 * 25 * lowest_tenth.hits.mean()  # what learns is ahead of chance


def test_answers_that_nobody_asked_for_are_not_seen(file: CampaignSpec, lowest_tenth: Oracle):
    first = changed(file, budget={"rounds": 1, "evaluations": 8, "per_round": 8})
    values = lowest_tenth.pool.labels[ENERGY].copy()
    hidden = np.setdiff1d(np.arange(len(values)), KNOWN)
    values[hidden] = 77.0
    blind = replace(lowest_tenth.pool, labels={ENERGY: values})
    runs = [replay(first, lowest_tenth.target, pool, KNOWN, 1) for pool in (lowest_tenth.pool, blind)]
    assert runs[0].asked == runs[1].asked


def test_a_surrogate_learns_again_once_enough_is_new(
    file: CampaignSpec, lowest_tenth: Oracle, monkeypatch: pytest.MonkeyPatch
):
    sizes: list[int] = []
    train = choosing.train

    def counted(*given: object) -> object:
        sizes.append(len(given[2]))  # type: ignore[arg-type]
        return train(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(choosing, "train", counted)
    n = len(KNOWN)
    for few, told in ((1, [n, n + 10, n + 20]), (11, [n, n + 20]), (10_000, [n])):
        sizes.clear()
        replay(changed(file, retrain={"min_new_labels": few}), lowest_tenth.target, lowest_tenth, KNOWN, 0)
        assert sizes == told


def test_excluded_formulas_and_crystals_without_an_answer_are_not_asked_for(salts: TrainingSet):
    values = salts.labels[ENERGY].copy()
    values[5] = np.nan
    target = Target(windows=(Condition(ENERGY, high=-4.0),), exclude_formulas=("NaCl",))
    oracle = Oracle(replace(salts, labels={ENERGY: values}), target)
    left_out = {key for key, allowed in zip(salts.ids, oracle.allowed, strict=True) if not allowed}
    assert left_out == {"NaCl-B1", "NaCl-B2", salts.ids[5]}


def test_too_small_a_pool_is_refused(file: CampaignSpec, lowest_tenth: Oracle):
    with pytest.raises(InputError, match="120 are there, 10 of which may be asked for; ask for fewer calls"):
        replay(file, lowest_tenth.target, lowest_tenth, range(110), 0)


def test_what_nothing_predicts_is_chosen_all_the_same(file: CampaignSpec, salts: TrainingSet):
    target = Target(windows=(Condition("band_gap", high=1.0), Condition(ENERGY, high=-4.0)))
    run = replay(file, target, salts, [0, 1], 0)
    assert len(set(run.asked)) == 25
    assert sum(run.hits) == 0  # no crystal has a gap, so none is known to be a hit
