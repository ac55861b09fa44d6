"""The materials generator and its labels."""

import numpy as np
import pytest

from fermiloop.platform.generators.imatgen.labels import above_line, parent_labels, potential_labels
from fermiloop.platform.generators.imatgen.network import GeneratorPlan, MaterialsGenerator, train_generator


def silent(what, share):
    pass


def two_dimensional(n=200, width=12):
    """Codes that depend on two numbers, one of which decides about stability."""
    random = np.random.default_rng(0)
    hidden = random.normal(size=(n, 2))
    codes = np.tanh(hidden @ random.normal(size=(2, width))) * 3 + 5
    codes[:, 0] = 1.0
    return codes, (hidden[:, 0] > 0).astype(float)


def test_codes_come_back_and_stability_is_read_from_them():
    codes, stable = two_dimensional()
    stable[::5] = np.nan
    model = MaterialsGenerator(12, 32, 4)
    history = train_generator(model, codes, stable, GeneratorPlan(60, np.ones(12)), 0, silent)
    assert history[-1] < history[0]
    back = model.decode(model.encode(codes))
    assert np.mean((back - codes) ** 2) < 0.2 * codes.var(axis=0).mean()
    assert back[:, 0] == pytest.approx(np.ones(200), abs=0.5)
    truth = two_dimensional()[1]
    assert np.mean((model.stability(model.encode(codes)) > 0.5) == truth) > 0.9


def test_unlabelled_crystals_train_without_a_classifier():
    codes, stable = two_dimensional(40)
    model = MaterialsGenerator(12, 16, 2)
    before = model.classifier[2].bias.detach().clone()
    history = train_generator(model, codes, np.full_like(stable, np.nan), GeneratorPlan(2, np.ones(12)), 0, silent)
    assert np.isfinite(history).all()
    assert before.numpy() == pytest.approx(model.classifier[2].bias.detach().numpy(), abs=1e-3)


def test_the_line_is_that_of_most_crystals():
    share = np.linspace(0.2, 0.8, 50)
    energies = -8 + 3 * share
    energies[::10] += 20
    above = above_line(energies, share)
    assert np.median(np.abs(above)) < 0.1
    assert (above[::10] > 19).all()


def test_parents_pass_on_their_label(dos_library):
    energies = dos_library.labels["formation_energy_per_atom"]
    labels = parent_labels(dos_library, np.array([3, 3, 40]), float(energies[3]))
    assert labels[:2].tolist() == [1, 1]
    assert labels[2] == (energies[40] <= energies[3])
    no_labels = type(dos_library)(**{**vars(dos_library), "labels": {}})
    assert np.isnan(parent_labels(no_labels, np.array([0, 1]), 0.5)).all()


def test_a_potential_labels_as_many_as_it_may(dos_library):
    crystals = [s for s in dos_library.structures if len(s.composition) == 2][:8]
    told = []
    labels = potential_labels(
        crystals, "Al", "analytic", 5, 0.0, np.random.default_rng(0), lambda what, share: told.append(share)
    )
    assert (~np.isnan(labels)).sum() == 5
    assert set(labels[~np.isnan(labels)]) <= {0.0, 1.0}
    assert told[-1] == 1
    assert np.isnan(potential_labels(crystals, "Al", "analytic", 0, 0.0, np.random.default_rng(0), silent)).all()


def test_a_linear_start_brings_new_codes_back_that_dense_layers_do_not():
    random = np.random.default_rng(0)
    basis = random.normal(size=(6, 24))
    learned, new = (random.normal(size=(n, 6)) @ basis for n in (40, 20))
    errors = []
    for linear in (False, True):
        model = MaterialsGenerator(24, 16, 24, linear=linear)
        train_generator(model, learned, np.full(40, np.nan), GeneratorPlan(4, np.ones(24)), 0, silent)
        errors.append(float(np.mean((model.decode(model.encode(new)) - new) ** 2) / new.var()))
    assert errors[0] > 0.3
    assert errors[1] < 0.01


def test_a_linear_start_may_have_more_latent_numbers_than_a_code_has():
    codes = np.random.default_rng(0).normal(size=(20, 4))
    model = MaterialsGenerator(4, 8, 7, linear=True)
    model.standardise(codes)
    model.start_linear(codes)
    assert model.encode(codes).shape == (20, 7)
    assert model.decode(model.encode(codes)) == pytest.approx(codes, abs=1e-4)
