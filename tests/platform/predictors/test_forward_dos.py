"""The forward model."""

import numpy as np
import pytest

from fermiloop.platform.errors import InputError
from fermiloop.platform.predictors.dos_process import DosProcess, Inputs, ProcessOptions
from fermiloop.platform.predictors.forward_dos import N_MODELS, ForwardDos
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.representations.spectrum import cosine
from fermiloop.platform.representations.training import Target


@pytest.fixture(scope="module")
def trained(dos_library):
    model = ForwardDos()
    return model, model.fit(dos_library, 0, lambda stage, share: None)


def test_it_beats_mixed_centroids_on_held_out_compositions(trained):
    metrics = trained[1].metrics
    assert metrics["held_out_cosine"] > metrics["held_out_cosine_of_centroid_mix"]
    assert metrics["held_out_cosine"] > 0.9


def test_curves_are_an_ensemble_of_unit_area(trained, dos_library):
    curves = trained[0].predict(dos_library.structures[:3])
    assert curves.shape == (N_MODELS, 3, dos_library.grid.n)
    assert (curves >= 0).all()
    np.testing.assert_allclose(np.trapezoid(curves, dx=dos_library.grid.step), 1)
    assert trained[0].predict([]).shape == (N_MODELS, 0, dos_library.grid.n)


def test_the_known_are_near_their_own_curve_and_surer_than_the_unknown(trained, dos_library):
    model = trained[0]
    target = Target(dos_library.grid, dos_library.grid.normalise(dos_library.curves[0]))
    stranger = PROTOTYPES["B1"].build("Cs", "Cl", 30.0)
    mean, spread = model.similarity([*dos_library.structures[:6], stranger], target)
    assert mean.argmax() == 0
    assert mean[0] > 0.95
    assert spread[6] > spread[:6].max()


def test_a_supercell_is_the_same_crystal(trained, dos_library):
    structure = dos_library.structures[0]
    once, twice = trained[0].predict([structure]), trained[0].predict([structure * (2, 1, 1)])
    np.testing.assert_allclose(once, twice, atol=1e-6)


def test_saved_and_loaded_predicts_the_same(trained, dos_library, tmp_path):
    trained[0].save(tmp_path)
    again = ForwardDos.load(tmp_path).predict(dos_library.structures[:2])
    np.testing.assert_allclose(again, trained[0].predict(dos_library.structures[:2]))


@pytest.mark.parametrize("name", ["weights.safetensors", "config.json"])
def test_broken_files_are_refused(name, trained, tmp_path):
    trained[0].save(tmp_path)
    (tmp_path / name).write_bytes(b"garbage")
    with pytest.raises(InputError):
        ForwardDos.load(tmp_path)


def test_what_cannot_be_learned_or_asked_is_refused(trained, dos_library):
    with pytest.raises(InputError, match="at least"):
        ForwardDos().fit(dos_library.subset([0, 1]), 0, lambda stage, share: None)
    with pytest.raises(InputError, match="fit"):
        ForwardDos().predict(dos_library.structures)
    with pytest.raises(InputError, match="target"):
        trained[0].similarity(dos_library.structures, Target())
    with pytest.raises(InputError, match="U"):
        trained[0].predict([PROTOTYPES["A1"].build("U", None, 20.0)])


def test_the_process_reproduces_what_it_saw_when_noise_is_small():
    rng = np.random.default_rng(0)
    fractions = np.eye(4)
    inputs = Inputs(fractions, np.array(["cubic"] * 4), np.zeros((4, 0)))
    curves = rng.random((4, 30))
    process = DosProcess((3, 13, 28, 17), ProcessOptions(noise=1e-6, smoothing=0.1)).fit(inputs, curves)
    mean, variance = process.predict(inputs)
    np.testing.assert_allclose(process.mean_curve + mean @ process.basis, curves, atol=1e-3)
    scores = process.log_likelihood(curves, mean, variance)
    assert scores.argmax(axis=1).tolist() == [0, 1, 2, 3]


def test_the_spread_fits_held_out_errors(trained, dos_library):
    metrics = trained[1].metrics
    assert metrics["stretch"] > 0
    assert metrics["floor"] > 0
    rows = np.arange(len(dos_library))
    train, test = dos_library.subset(rows[::2].tolist()), dos_library.subset(rows[1::2].tolist())
    model = ForwardDos()
    model.fit(train, 0, lambda stage, share: None)
    curves = dos_library.grid.normalise(test.curves)
    standardised = []
    for row in range(0, len(test), 4):
        mean, std = model.similarity(test.structures, Target(dos_library.grid, curves[row]))
        assert (std >= model.floor).all()
        standardised.append((cosine(curves, curves[row]) - mean) / std)
    assert 0.3 < np.sqrt(np.mean(np.square(standardised))) < 3


def test_one_composition_alone_holds_nothing_out(dos_library):
    model = ForwardDos()
    report = model.fit(dos_library.subset([0] * 8), 0, lambda stage, share: None)
    assert report.metrics == {"stretch": 1.0, "floor": 0.0}
