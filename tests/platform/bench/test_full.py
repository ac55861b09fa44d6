"""Training at scale: what it says before, that it can be stopped, and what it leaves."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from fermiloop.platform.bench import full
from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.ftcp.options import training_of
from fermiloop.platform.plugins.generators import GENERATORS
from fermiloop.platform.predictors.device import best_device, choose_device
from fermiloop.platform.representations.training import TrainingSet

DOS = replace(full.PLANS["dos"], trial={"epochs": 2, "potential": "none"}, crystals=20)
OPTIONS = {"epochs": 3, "potential": "none", "test_share": 0.0}


def silent(what, share):
    pass


@pytest.fixture(scope="module")
def library(make_library) -> TrainingSet:
    return make_library(elements=("Al", "Ni", "Pd"), names=("A1", "B2", "L1_2"), every=1)


@pytest.mark.parametrize("name", full.PLANS)
def test_what_a_plan_counts_is_what_the_published_preset_has(name) -> None:
    plan = full.PLANS[name]
    model = GENERATORS[plan.generator].build(full.PRESET)
    for option, count in plan.whole.items():
        built = getattr(model.options, option)
        if built is None:  # the preset's own
            built = (
                model.models[""].model.options.epochs if name == "dos" else training_of("paper", model.options).epochs
            )
        assert built == count, option
    for stage in plan.stages:
        assert stage.count in plan.whole
        assert int(plan.trial[stage.count]) >= 1
    GENERATORS[plan.generator].build(full.PRESET, plan.trial)


def test_gaps_count_by_part_and_what_came_before_the_first_epoch_is_preparation() -> None:
    clock = full.Clock()
    clock.gaps = {"site a": [9.0, 1.0, 1.0], "site b": [2.0, 2.0], "step": [5.0], "energies": [7.0]}
    stages = (full.Stage("site", "epochs"), full.Stage("step", "steps"))
    found, rest = clock.by_stage(stages)
    assert found == {"site": 3.0 + 4.0, "step": 5.0}
    assert rest == pytest.approx(8.0 + 7.0)


def test_the_estimate_grows_with_crystals_and_epochs(library, monkeypatch) -> None:
    def second_each(self, what, share):
        self.gaps.setdefault(what, []).append(1.0)

    monkeypatch.setattr(full.Clock, "__call__", second_each)
    (stage, _, total) = full.estimate(DOS, library, {"test_share": 0.0}, 0)
    assert stage["epochs"] == 150
    assert stage["seconds_of_one"] == pytest.approx(stage["measured_seconds"] / 2)  # all 12 crystals are in the trial
    assert stage["hours"] == pytest.approx(150 * stage["seconds_of_one"] / 3600)
    assert total["hours"] >= stage["hours"]
    assert total["memory_gib"] > 0


def test_a_training_ends_with_its_hours_and_the_same_call_goes_on(library, tmp_path) -> None:
    with pytest.raises(full.TimeUp, match="the same command goes on"):
        full.train_full(DOS, library, tmp_path, OPTIONS, 0.0, 1, silent)
    report = full.train_full(DOS, library, tmp_path, OPTIONS, None, 1, silent)
    assert report.n_train == len(library)
    assert json.loads((tmp_path / full.MODEL / "config.json").read_text())["preset"] == "paper"
    model = GENERATORS["dos_composer"].load_trained(tmp_path / full.MODEL)
    assert model.name == "dos_composer"
    with pytest.raises(InputError, match="another training"):
        full.train_full(DOS, library, tmp_path, OPTIONS, None, 2, silent)


def test_a_device_that_is_not_there_is_refused_and_one_that_is_is_taken(monkeypatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match="sees no GPU"):
        choose_device("cuda")
    with pytest.raises(InputError, match="no device"):
        choose_device("tpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    choose_device("cpu")
    try:
        assert best_device().type == "cpu"
    finally:
        choose_device(None)
    assert best_device().type == "cuda"


def test_a_file_without_such_crystals_is_refused(tmp_path, library) -> None:
    path = tmp_path / "library.jsonl"
    lines = [
        json.dumps({"key": str(i), "formula": s.composition.reduced_formula, "prototype": library.prototypes[i],
                    "structure": s.as_dict(), "dos": np.ones(361).tolist()})
        for i, s in enumerate(library.structures)
    ]  # fmt: skip
    path.write_text("\n".join(lines))
    with pytest.raises(InputError, match="None of the 12 crystals has 3 elements"):
        full.read_for(full.PLANS["ftcp"], path)
