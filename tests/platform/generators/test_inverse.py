"""From a curve to ranked compositions."""

import numpy as np
import pytest

from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.experts import forward_scores, log_prior
from fermiloop.platform.generators.heads import HeadsOptions, augment
from fermiloop.platform.generators.held_out import ranks_of
from fermiloop.platform.generators.inverse import InverseSpectrumModel
from fermiloop.platform.generators.regression import BETTER, RegressionModel, RegressionOptions
from fermiloop.platform.generators.samples import fold_numbers, samples_of
from fermiloop.platform.representations.composition import ratio_of


def silent(stage, share):
    pass


@pytest.fixture(scope="module")
def samples(dos_library):
    return samples_of(dos_library)


@pytest.fixture(scope="module")
def factorised(samples):
    model = InverseSpectrumModel("factorised", epochs=2)
    model.fit(samples, 0, silent)
    return model


def places(model, samples):
    return [model.table.index[row] for row in samples.rows]


def test_the_published_network_memorises(samples):
    few = samples.subset(range(0, len(samples), 2))
    model = RegressionModel(RegressionOptions(epochs=60, vector_epochs=150, batch_size=8, **BETTER))
    history = model.fit(few, 0, silent)
    ranks = ranks_of(model.log_probabilities(few.curves, few.systems), places(model, few))
    assert history[-1] < 0.1 * history[0]
    assert (ranks < 5).mean() >= 0.9


def test_the_paper_preset_has_a_network_for_each_crystal_system(samples):
    model = RegressionModel(RegressionOptions(epochs=3, vector_epochs=60))
    model.fit(samples, 0, silent)
    assert set(model.networks) == set(samples.systems.tolist())
    assert model.scale == 1.0
    one, other = (model.regress(samples.curves[:2], np.array([name] * 2)) for name in ("cubic", "hexagonal"))
    assert not np.allclose(one, other)
    largest = next(iter(model.networks))
    np.testing.assert_array_equal(
        model.regress(samples.curves[:2], np.array(["", "monoclinic"])),
        model.regress(samples.curves[:2], np.array([largest] * 2)),
    )
    back = RegressionModel.restore(model.config(), model.state(), samples.curves.shape[1])
    found, expected = (one.regress(samples.curves, samples.systems) for one in (back, model))
    np.testing.assert_array_equal(found, expected)


def test_a_model_of_before_has_one_network_for_all(samples):
    model = RegressionModel(RegressionOptions(epochs=1, vector_epochs=60, **BETTER))
    model.fit(samples, 0, silent)
    config = model.config()
    for name in BETTER:
        del config["options"][name]
    del config["systems"]
    back = RegressionModel.restore(config, model.state(), samples.curves.shape[1])
    assert back.options == model.options
    found, expected = (one.regress(samples.curves, samples.systems) for one in (back, model))
    np.testing.assert_array_equal(found, expected)


def test_factorised_reads_compositions_that_it_never_saw(samples):
    folds = fold_numbers(samples.rows, 4, np.random.default_rng(0))
    test, rest = samples.subset(np.flatnonzero(folds == 0)), samples.subset(np.flatnonzero(folds != 0))
    model = InverseSpectrumModel("factorised", epochs=2)
    model.fit(rest, 0, silent)
    assert not set(test.rows) & set(rest.rows)
    ranks = ranks_of(model.log_probabilities(test.curves, test.systems), [model.table.index.get(r) for r in test.rows])
    assert (ranks < 5).mean() > 10 * 5 / len(model.table) * 0.5


@pytest.mark.parametrize("system", ["cubic", "hexagonal", None])
def test_answers_are_ranked_and_their_probabilities_sum_to_one(system, factorised, samples):
    answers = factorised.predict(samples.curves[0], len(factorised.table), system)
    probabilities = [answer.probability for answer in answers]
    assert sum(probabilities) == pytest.approx(1)
    assert probabilities == sorted(probabilities, reverse=True)
    known = {answer.row for answer in answers if answer.known}
    assert known == set(samples.rows)
    assert max(answer.similarity for answer in answers if answer.known) == pytest.approx(1)


def test_order_of_the_training_set_does_not_matter_to_the_forward_expert(samples):
    order = np.random.default_rng(0).permutation(len(samples))
    scores = []
    for part in (samples, samples.subset(order)):
        model = InverseSpectrumModel("factorised", epochs=0)
        model.fit(part, 0, silent)
        asked = part.subset([0]) if part is samples else part.subset([int(np.flatnonzero(order == 0)[0])])
        scores.append(forward_scores(model.model.process, asked, model.model.rows))
        scores[-1] -= scores[-1].max()
    np.testing.assert_allclose(*scores, atol=1e-6)


def test_a_curve_of_another_length_and_unknown_presets_are_refused(factorised):
    with pytest.raises(InputError, match="shape"):
        factorised.predict(np.ones(10))
    with pytest.raises(InputError, match="factorised"):
        InverseSpectrumModel("best")
    with pytest.raises(InputError, match="-1"):
        InverseSpectrumModel("paper", -1)


def test_the_prior_is_a_distribution_that_favours_what_was_seen(factorised, samples):
    prior = np.exp(log_prior(factorised.model.rows, samples.rows))
    by_ratio = {ratio_of(row): p for row, p in zip(factorised.table.rows, prior, strict=True)}
    assert by_ratio[1, 1] > by_ratio[2, 3]
    assert prior.sum() == pytest.approx(1, abs=0.1)


def test_folds_keep_groups_together(samples):
    folds = fold_numbers(samples.rows, 3, np.random.default_rng(1))
    for row in set(samples.rows):
        assert len({f for f, other in zip(folds, samples.rows, strict=True) if other == row}) == 1
    assert set(folds) == {0, 1, 2}


def test_augmentation_shifts_by_whole_points_and_adds_noise():
    curves = np.zeros((50, 41))
    curves[:, 20] = 1
    moved = augment(curves, HeadsOptions(noise=0.0, shift=2), np.random.default_rng(0))
    assert set(moved.argmax(axis=1)) == {18, 19, 20, 21, 22}
    assert (augment(curves, HeadsOptions(noise=1.0), np.random.default_rng(0)) >= 0).all()
