"""Ensembles learn, say how sure they are, and come back from disk."""

from dataclasses import replace

import numpy as np
import pytest

from fermiloop.platform.errors import InputError
from fermiloop.platform.predictors.ensemble import EnsembleOptions, PropertyEnsemble

QUICK = EnsembleOptions(members=3, width=24, epochs=40, batch_size=32, learning_rate=1e-2)
NAME = "formation_energy_per_atom"


def silent(what, share):
    pass


@pytest.fixture(scope="module")
def data(make_library):
    return make_library(("Al", "Ti", "Ni", "Cu", "Pd", "Pt", "Au", "Mg"), every=1)


@pytest.fixture(scope="module")
def model(data):
    model = PropertyEnsemble(NAME, "composition", QUICK)
    model.report = model.fit(data, 0, silent)
    return model


def test_it_learns_what_can_be_learned(model, data):
    mean, std = model.predict(data.structures)
    assert np.abs(mean - data.labels[NAME]).mean() < 0.3 * data.labels[NAME].std()
    assert (std > 0).all()
    assert model.report.metrics["held_out_mae"] < 0.5 * model.report.metrics["held_out_mae_of_mean"]
    assert model.report.n_train + model.report.n_validation == len(data)


def test_held_out_errors_fit_the_intervals(model, data):
    formulas = {s.composition.reduced_formula for s in data.structures}
    assert len(formulas) > 20
    low, high = model.interval(data.structures, 0.9)
    inside = (data.labels[NAME] >= low) & (data.labels[NAME] <= high)
    assert inside.mean() > 0.85
    wider = model.interval(data.structures, 0.99)
    assert (wider[1] - wider[0] >= high - low).all()


def test_a_training_cut_in_two_ends_the_same(model, data, tmp_path):
    calls = []

    def stop(what, share):
        calls.append(share)
        if len(calls) == 15:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        PropertyEnsemble(NAME, "composition", QUICK).fit(data, 0, stop, tmp_path)
    again = PropertyEnsemble(NAME, "composition", QUICK)
    again.fit(data, 0, silent, tmp_path)
    np.testing.assert_array_equal(again.predict(data.structures), model.predict(data.structures))


def test_it_comes_back_from_disk(model, data, tmp_path):
    model.save(tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == {"weights.safetensors", "config.json"}
    loaded = PropertyEnsemble.load(tmp_path)
    np.testing.assert_allclose(loaded.predict(data.structures), model.predict(data.structures), rtol=1e-6)
    np.testing.assert_allclose(loaded.interval(data.structures), model.interval(data.structures), rtol=1e-6)
    (tmp_path / "config.json").write_text('{"name": "property_ensemble"}')
    with pytest.raises(InputError):
        PropertyEnsemble.load(tmp_path)


def test_unlabelled_crystals_are_left_out(data):
    values = data.labels[NAME].copy()
    values[::2] = np.nan
    model = PropertyEnsemble(NAME, "structure", replace(QUICK, epochs=2))
    report = model.fit(replace(data, labels={NAME: values}), 0, silent)
    assert report.n_train + report.n_validation == np.isfinite(values).sum()


def test_what_cannot_be_negative_is_not(data):
    model = PropertyEnsemble("band_gap", "composition", replace(QUICK, epochs=3))
    model.fit(data, 0, silent)
    assert (model.predict(data.structures)[0] >= 0).all()


def test_no_crystals_give_no_numbers(model):
    assert [len(part) for part in model.predict([])] == [0, 0]


@pytest.mark.parametrize("case", ["few", "one composition", "no such label", "infinite"])
def test_data_that_teach_nothing_are_refused(case, data):
    labels = {NAME: data.labels[NAME].copy()}
    if case == "few":
        labels[NAME][10:] = np.nan
    if case == "infinite":
        labels[NAME][3] = np.inf
    if case == "no such label":
        labels = {}
    broken = replace(data, labels=labels)
    if case == "one composition":
        broken = broken.subset([0] * 30)
    with pytest.raises(InputError, match="infinite" if case == "infinite" else "needs at least 12 labels"):
        PropertyEnsemble(NAME, "composition", QUICK).fit(broken, 0, silent)


def test_wrong_questions_are_refused(model, data):
    with pytest.raises(InputError, match="not trained"):
        PropertyEnsemble(NAME).predict(data.structures)
    with pytest.raises(InputError, match=r"composition or structure"):
        PropertyEnsemble(NAME, "graph")
    with pytest.raises(InputError, match="coverage"):
        model.interval(data.structures, 1.5)
