"""The model of the similarity to one target curve."""

import numpy as np
import pytest

from fermiloop.platform.errors import InputError
from fermiloop.platform.predictors.curve_similarity import CurveSimilarity
from fermiloop.platform.representations.grids import PHONON_GRID
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.representations.training import Target, TrainingSet


def aimed_at(data, row, window=None):
    """The curve of one row as target."""
    return Target(data.grid, data.grid.normalise(data.curves[row]), window=window)


@pytest.fixture(scope="module")
def trained(dos_library):
    model = CurveSimilarity()
    return model, model.fit(dos_library, aimed_at(dos_library, 0), 0, lambda stage, share: None)


def test_the_known_are_near_their_own_value_and_surer_than_the_unknown(trained, dos_library):
    model = trained[0]
    truth = aimed_at(dos_library, 0).similarity(dos_library.curves)
    stranger = PROTOTYPES["B1"].build("Cs", "Cl", 30.0)
    mean, std = model.similarity([*dos_library.structures, stranger])
    assert np.corrcoef(mean[:-1], truth)[0, 1] > 0.95
    assert std[-1] > np.median(std[:-1])
    assert ((mean >= 0) & (mean <= 1)).all()
    assert (std > 0).all()


def test_the_interval_covers_what_was_held_out(trained, dos_library):
    metrics = trained[1].metrics
    assert 0.8 < metrics["held_out_coverage_90"] < 0.98
    spread = aimed_at(dos_library, 0).similarity(dos_library.curves).std()
    assert metrics["held_out_similarity_error"] < spread
    assert trained[1].n_train == len(dos_library)


def test_progress_is_told_and_the_same_seed_gives_the_same_model(trained, dos_library):
    told = []
    again = CurveSimilarity()
    report = again.fit(dos_library, aimed_at(dos_library, 0), 0, lambda stage, share: told.append((stage, share)))
    assert told[-1] == ("curve_similarity", 1.0)
    assert report.metrics == trained[1].metrics
    some = dos_library.structures[:4]
    np.testing.assert_array_equal(again.similarity(some), trained[0].similarity(some))


def test_a_supercell_is_the_same_crystal(trained, dos_library):
    structure = dos_library.structures[5]
    once, twice = trained[0].similarity([structure]), trained[0].similarity([structure * (2, 1, 1)])
    np.testing.assert_allclose(once, twice, atol=1e-6)


def test_only_the_window_counts(dos_library):
    target = aimed_at(dos_library, 3, window=(-6.0, 1.0))
    changed = dos_library.curves.copy()
    changed[:, dos_library.grid.points > 1.05] += 5.0
    other = TrainingSet(
        dos_library.ids,
        dos_library.structures,
        dos_library.crystal_systems,
        dos_library.prototypes,
        dos_library.grid,
        changed,
    )
    found = []
    for data in (dos_library, other):
        model = CurveSimilarity()
        model.fit(data, target)
        found.append(model.similarity(data.structures[:9])[0])
    np.testing.assert_allclose(found[0], found[1], atol=1e-9)
    assert found[0][3] > 0.9


def test_eight_curves_suffice_and_rows_without_one_are_left_out(dos_library):
    curves = dos_library.curves[:20].copy()
    curves[8:] = np.nan
    few = dos_library.subset(range(20))
    few = TrainingSet(few.ids, few.structures, few.crystal_systems, few.prototypes, few.grid, curves)
    model = CurveSimilarity()
    assert model.fit(few, aimed_at(dos_library, 0)).n_train == 8
    mean, std = model.similarity(dos_library.structures)
    assert np.isfinite(mean).all()
    assert (std > 0).all()
    truth = aimed_at(dos_library, 0).similarity(dos_library.curves)
    assert np.corrcoef(mean[8:], truth[8:])[0, 1] > 0.3


def test_elements_that_no_curve_was_known_of_are_predicted(trained):
    mean, std = trained[0].similarity([PROTOTYPES["A1"].build(symbol, None, 20.0) for symbol in ("He", "Gd")])
    assert np.isfinite(mean).all()
    assert (std > 0).all()
    assert trained[0].similarity([])[0].shape == (0,)


def test_curves_in_other_units_need_no_element_curves(dos_library):
    rng = np.random.default_rng(0)
    curves = rng.random((len(dos_library), 1)) + rng.random((len(dos_library), PHONON_GRID.n))
    data = TrainingSet(
        dos_library.ids,
        dos_library.structures,
        dos_library.crystal_systems,
        dos_library.prototypes,
        PHONON_GRID,
        curves,
    )
    model = CurveSimilarity()
    model.fit(data, aimed_at(data, 0))
    assert np.isfinite(model.similarity(data.structures[:3])).all()


def test_the_crystal_of_the_target_is_known_too(dos_library):
    few, crystal = dos_library.subset(range(10, 30)), dos_library.structures[0]
    plain = aimed_at(dos_library, 0)
    told = Target(plain.grid, plain.curve, crystal=crystal)
    means = []
    for target in (plain, told):
        model = CurveSimilarity()
        assert model.fit(few, target).n_train == 20
        means.append(model.similarity([crystal])[0][0])
    assert means[0] < means[1]
    assert means[1] > 0.85


def test_of_too_many_curves_the_nearest_are_kept(dos_library, monkeypatch):
    monkeypatch.setattr("fermiloop.platform.predictors.curve_similarity.MOST", 20)
    monkeypatch.setattr("fermiloop.platform.predictors.curve_similarity.PORTION", 7)
    model = CurveSimilarity()
    target = aimed_at(dos_library, 0)
    assert model.fit(dos_library, target).n_train == 20
    truth = target.similarity(dos_library.curves)
    kept = set(model.process.values.tolist())
    assert set(np.sort(truth)[-10:].tolist()) <= kept
    one_by_one = np.array([model.similarity([structure])[0][0] for structure in dos_library.structures[:9]])
    np.testing.assert_allclose(model.similarity(dos_library.structures[:9])[0], one_by_one)


@pytest.mark.parametrize("window", [None, (-6.0, 1.0)])
def test_saved_and_loaded_predicts_the_same(window, dos_library, tmp_path):
    model = CurveSimilarity()
    model.fit(dos_library, aimed_at(dos_library, 2, window))
    model.save(tmp_path)
    again = CurveSimilarity.load(tmp_path)
    np.testing.assert_allclose(
        again.similarity(dos_library.structures[:5]), model.similarity(dos_library.structures[:5])
    )


@pytest.mark.parametrize("name", ["weights.safetensors", "config.json"])
def test_broken_files_are_refused(name, trained, tmp_path):
    trained[0].save(tmp_path)
    (tmp_path / name).write_bytes(b"garbage")
    with pytest.raises(InputError):
        CurveSimilarity.load(tmp_path)


def test_one_composition_alone_holds_nothing_out(dos_library):
    report = CurveSimilarity().fit(dos_library.subset([0] * 8), aimed_at(dos_library, 0))
    assert report.metrics == {}


def test_what_cannot_be_learned_or_asked_is_refused(trained, dos_library):
    target = aimed_at(dos_library, 0)
    with pytest.raises(InputError, match="at least 8"):
        CurveSimilarity().fit(dos_library.subset([0, 1]), target)
    with pytest.raises(InputError, match="target"):
        CurveSimilarity().fit(dos_library, Target())
    with pytest.raises(InputError, match="not trained"):
        CurveSimilarity().similarity(dos_library.structures)
    with pytest.raises(InputError, match="not U"):
        trained[0].similarity([PROTOTYPES["A1"].build("U", None, 20.0)])
    holed = dos_library.curves.copy()
    holed[0, 3] = np.nan
    rows = (dos_library.ids, dos_library.structures, dos_library.crystal_systems, dos_library.prototypes)
    with pytest.raises(InputError, match="NaN"):
        CurveSimilarity().fit(TrainingSet(*rows, dos_library.grid, holed), target)
