"""Synthesizability from positives and unlabelled ones."""

import numpy as np
import pytest
from pymatgen.core import Composition

from fermiloop.platform.errors import FermiloopError, InputError
from fermiloop.platform.predictors.synthesizability import Synthesizability, SynthesizabilityOptions, shipped

QUICK = SynthesizabilityOptions(members=3, width=16, epochs=12, batch_size=64, learning_rate=5e-3)
METALS = ("Li", "Na", "K", "Mg", "Ca", "Sr", "Ba", "Zn", "Al", "Ti")
LIGANDS = ("O", "S", "Se", "F", "Cl", "Br", "I", "N", "P", "As")


def quiet(_what, _share):
    return None


def examples(labelled=0.6, seed=0):
    """Compounds with a halogen can be made, and 60 % of these were; the others cannot."""
    items = [Composition({a: n, b: m}) for a in METALS for b in LIGANDS for n, m in ((1, 1), (1, 2), (2, 3))]
    truth = np.array([not {"F", "Cl", "Br", "I"}.isdisjoint(item.as_dict()) for item in items])
    return items, truth, truth & (np.random.default_rng(seed).random(len(items)) < labelled)


@pytest.fixture(scope="module")
def model():
    items, _, made = examples()
    found = Synthesizability(QUICK)
    report = found.fit(items, made, 0, quiet)
    return found, report


def test_unlabelled_positives_are_found_among_the_unlabelled(model):
    items, truth, made = examples()
    probability, spread = model[0].predict(items)
    assert ((probability >= 0) & (probability <= 1)).all()
    assert (spread >= 0).all()
    hidden, others = probability[truth & ~made], probability[~truth]
    assert np.median(hidden) > 0.8
    assert np.median(others) < 0.3


def test_the_constant_is_the_share_of_positives_that_are_labelled(model):
    found, report = model
    assert found.constant == pytest.approx(0.6, abs=0.2)
    assert report.metrics["share_labelled"] == pytest.approx(0.24, abs=0.08)
    assert (report.n_train, report.n_validation) == (255, 45)


def test_it_is_the_same_after_saving_and_for_a_seed(model, tmp_path):
    items, _, made = examples()
    model[0].save(tmp_path)
    again = Synthesizability.load(tmp_path)
    assert again.predict(items)[0].tolist() == model[0].predict(items)[0].tolist()
    other = Synthesizability(QUICK)
    other.fit(items, made, 0, quiet)
    assert other.predict(items[:9])[0].tolist() == model[0].predict(items[:9])[0].tolist()


def test_what_cannot_be_learned_or_asked_is_refused(tmp_path):
    items, _, made = examples()
    with pytest.raises(InputError, match="0 crystals that were made and 300 others"):
        Synthesizability(QUICK).fit(items, made & False, 0, quiet)
    with pytest.raises(InputError, match="not trained"):
        Synthesizability().predict(items)
    with pytest.raises(FermiloopError, match="train it again"):
        Synthesizability.load(tmp_path)


def test_the_model_that_comes_along_knows_salts_and_nothing_of_no_crystals():
    probability, _ = shipped().predict([Composition("NaCl"), Composition("BaTiO3"), Composition("Tm1Mg1Hg2")])
    assert probability[:2].min() > 0.5 > probability[2]
    assert len(shipped().predict([])[0]) == 0
