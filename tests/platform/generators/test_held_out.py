"""What a composer says of compositions that it did not learn from."""

import numpy as np
import pytest

from fermiloop.platform.generators.held_out import metrics_of, outcomes_of
from fermiloop.platform.generators.inverse import InverseSpectrumModel
from fermiloop.platform.generators.samples import samples_of


def silent(stage, share):
    pass


def refuse(samples):
    raise AssertionError("no other model is needed")


@pytest.fixture(scope="module")
def model(dos_library):
    model = InverseSpectrumModel("factorised", 2)
    model.fit(samples_of(dos_library), 0, silent)
    return model


def test_a_fold_shares_no_composition_with_what_its_scores_come_from(model):
    inner = model.model
    rows = inner.samples.rows
    apart = {rows[i] for i in inner.apart}
    assert apart
    assert not apart & {row for i, row in enumerate(rows) if i not in set(inner.apart.tolist())}


def test_another_curve_of_a_held_out_sample_changes_no_score_but_its_own(dos_library):
    samples = samples_of(dos_library)
    plain = InverseSpectrumModel("factorised", 1)
    plain.fit(samples, 0, silent)
    places, scores = plain.model.held_out()
    curves = samples.curves.copy()
    curves[places[0]] = np.roll(curves[places[0]], 40)
    other = InverseSpectrumModel("factorised", 1)
    other.fit(type(samples)(curves, samples.rows, samples.systems, samples.step, samples.zero), 0, silent)
    other.model.weights_apart = plain.model.weights_apart  # four numbers, from experts of the other folds
    again, changed = other.model.held_out()
    np.testing.assert_array_equal(places, again)
    np.testing.assert_allclose(changed[1:], scores[1:], atol=1e-9)
    assert not np.allclose(changed[0], scores[0])


def test_factorised_is_measured_without_another_model_and_so_after_a_restore(model, tmp_path):
    ranks, mass = outcomes_of(model, 0.2, 0, refuse)
    assert len(ranks) == len(model.model.apart)
    assert ((mass > 0) & (mass <= 1 + 1e-9)).all()
    back = InverseSpectrumModel.restore(model.config(), model.state())
    np.testing.assert_allclose(outcomes_of(back, 0.2, 0, refuse), (ranks, mass), rtol=1e-6)


def test_the_published_network_is_measured_on_one_that_has_not_seen_the_test(dos_library):
    samples, learned = samples_of(dos_library), []

    def fit(part):
        learned.append(part)
        other = InverseSpectrumModel("paper", 1)
        other.fit(part, 0, silent)
        return other

    whole = fit(samples)
    ranks, _ = outcomes_of(whole, 0.25, 0, fit)
    left = set(samples.rows) - set(learned[1].rows)
    assert len(ranks) == sum(row in left for row in samples.rows)
    assert len(learned) == 2
    none, _ = outcomes_of(whole, 0.9, 0, refuse)
    assert len(none) == 0


def test_metrics_are_of_all_test_samples_together():
    half = np.array([0.0, 6.0]), np.array([0.5, 0.5])
    metrics, n = metrics_of([half, (np.zeros(0), np.zeros(0)), half])
    assert (n, metrics["held_out_top1"], metrics["held_out_top5"]) == (4, 0.5, 0.5)
    assert (metrics["held_out_median_rank"], metrics["held_out_calibration_error"]) == (3.0, 0.0)
    assert metrics_of([]) == metrics_of([(np.zeros(0), np.zeros(0))]) == ({}, 0)
