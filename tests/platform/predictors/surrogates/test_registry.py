"""Every surrogate learns all parts of a target, knows how uncertain it is, and is the same after saving."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fermiloop.platform.errors import InputError, NotFoundError
from fermiloop.platform.plugins.surrogates import SURROGATES
from fermiloop.platform.plugins.surrogates import surrogate as declared
from fermiloop.platform.predictors.surrogates import learners
from fermiloop.platform.predictors.surrogates.protocol import COVERAGE, SIMILARITY, Surrogate, answers, parts_of
from fermiloop.platform.predictors.surrogates.registry import load_surrogate
from fermiloop.platform.representations.training import PropertyWindow, Target, TrainingSet

ENERGY = "formation_energy_per_atom"
KNOWN = [i for i in range(80) if i % 3]
NEW = list(range(0, 80, 3))


def build_surrogate(name: str, options: dict | None = None) -> Surrogate:
    return declared(name).build(options)


def silent(_what: str, _share: float) -> None:
    """Progress that nobody asks for."""


@pytest.fixture(scope="session")
def known(salts: TrainingSet) -> TrainingSet:
    return salts.subset(KNOWN)


@pytest.mark.parametrize("name", SURROGATES)
def test_it_learns_what_there_are_answers_to_and_is_the_same_from_its_files(
    name: str, known: TrainingSet, salts: TrainingSet, both: Target, tmp_path: Path
):
    surrogate = build_surrogate(name)
    report = surrogate.fit(known, both, 0, silent)
    surrogate.save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json", "weights.safetensors"]
    new = salts.subset(NEW)
    found, again = surrogate.predict(new.structures), load_surrogate(name, tmp_path).predict(new.structures)
    assert list(found) == list(again) == [SIMILARITY, ENERGY]  # no crystal has a gap
    for part, (mean, std) in found.items():
        truth, usual = answers(new, both, part), answers(known, both, part).mean()
        assert mean.shape == std.shape == (len(NEW),)
        assert (std >= 0).all()
        assert np.abs(mean - truth).mean() < 0.7 * np.abs(usual - truth).mean(), part
        assert again[part][0] == pytest.approx(mean, abs=1e-9)
        assert again[part][1] == pytest.approx(std, abs=1e-9)
    assert report.n_train >= 30


@pytest.mark.parametrize("name", ["blend", "trees", "process"])
def test_the_spread_covers_what_was_held_out(name: str, salts: TrainingSet, both: Target):
    report = build_surrogate(name).fit(salts, both, 0, silent)
    assert 0.8 <= report.metrics[COVERAGE] <= 1.0


def test_of_many_labels_the_processes_see_some_and_the_trees_all(
    known: TrainingSet, salts: TrainingSet, both: Target, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(learners, "MOST_KERNEL_ROWS", 30)
    surrogate = build_surrogate("blend", {"curve": "labels"})
    report = surrogate.fit(known, both, 0, silent)
    truth = answers(salts.subset(NEW), both, ENERGY)
    mean, _ = surrogate.predict(salts.subset(NEW).structures)[ENERGY]
    assert np.abs(mean - truth).mean() < 0.5 * np.abs(truth - truth.mean()).mean()
    assert 0.6 <= report.metrics[COVERAGE] <= 1.0


def test_the_same_seed_predicts_the_same_and_the_order_of_the_question_does_not_matter(
    known: TrainingSet, salts: TrainingSet, both: Target
):
    new = salts.subset(NEW).structures
    first, second = build_surrogate("blend"), build_surrogate("blend")
    for surrogate in (first, second):
        surrogate.fit(known, both, 7, silent)
    mean = first.predict(new)[ENERGY][0]
    assert second.predict(new)[ENERGY][0].tolist() == mean.tolist()
    assert first.predict(new[::-1])[ENERGY][0] == pytest.approx(mean[::-1])


def test_nothing_to_learn_from_is_no_error(salts: TrainingSet, both: Target, tmp_path: Path):
    surrogate = build_surrogate("blend")
    empty = replace(salts.subset([0, 1]), curves=np.full((2, salts.grid.n), np.nan), labels={})
    surrogate.fit(empty, both, 0, silent)
    assert surrogate.predict(salts.structures[:3]) == {}
    surrogate.save(tmp_path)
    assert load_surrogate("blend", tmp_path).predict(salts.structures[:3]) == {}


def test_parts_are_those_of_curve_and_conditions(both: Target):
    assert parts_of(both) == (SIMILARITY, ENERGY, "band_gap")
    twice = Target(windows=(PropertyWindow(ENERGY, 0, 1), PropertyWindow(ENERGY, 0, 2)))
    assert parts_of(twice) == (ENERGY,)


def test_the_similarity_may_be_learned_from_curves(
    known: TrainingSet, salts: TrainingSet, both: Target, tmp_path: Path
):
    surrogate = build_surrogate("trees", {"curve": "model"})
    surrogate.fit(known, both, 0, silent)
    surrogate.save(tmp_path)
    new = salts.structures[:4]
    found = load_surrogate("trees", tmp_path).predict(new)[SIMILARITY]
    assert found[0] == pytest.approx(surrogate.predict(new)[SIMILARITY][0])


def test_what_cannot_be_used_is_refused(known: TrainingSet, both: Target, tmp_path: Path):
    with pytest.raises(NotFoundError, match="forest is no surrogate; choose one of blend"):
        build_surrogate("forest")
    with pytest.raises(InputError, match="no option 'deep'"):
        build_surrogate("blend", {"deep": 1})
    for options in ({"curve": "spline"}, {"calibrated": 3}):
        with pytest.raises(InputError, match="must be"):
            build_surrogate("blend", options)
    with pytest.raises(InputError, match="not trained"):
        build_surrogate("blend").predict(known.structures)
    infinite = replace(known, labels={ENERGY: np.full(len(known), np.inf)})
    with pytest.raises(InputError, match="infinite"):
        build_surrogate("trees").fit(infinite, both, 0, silent)
    with pytest.raises(InputError, match="no readable model"):
        load_surrogate("blend", tmp_path)


def test_files_that_do_not_fit_each_other_are_refused(known: TrainingSet, both: Target, tmp_path: Path):
    surrogate = build_surrogate("trees")
    surrogate.fit(known, both, 0, silent)
    surrogate.save(tmp_path)
    config = (tmp_path / "config.json").read_text(encoding="utf-8")
    (tmp_path / "config.json").write_text(config.replace('"order": ["similarity"', '"order": ["gap"'), encoding="utf-8")
    with pytest.raises(InputError, match="do not fit each other"):
        load_surrogate("trees", tmp_path)
