"""Trees kept as arrays give what scikit-learn's give."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import AdaBoostRegressor, ExtraTreesRegressor

from fermiloop.platform.predictors.surrogates.forest import Forest, grow

RNG = np.random.default_rng(1)
X, Y = RNG.normal(size=(60, 7)), RNG.normal(size=60)
NEW = RNG.normal(size=(200, 7))


def test_every_tree_predicts_as_the_one_it_was_made_of():
    grown = ExtraTreesRegressor(9, random_state=0).fit(X.astype(np.float32), Y)
    found = Forest.of(grown.estimators_).predict(NEW)
    for tree, told in zip(grown.estimators_, found, strict=True):
        assert told.tolist() == tree.predict(NEW.astype(np.float32)).tolist()


def test_boosted_trees_too():
    grown = AdaBoostRegressor(n_estimators=4, random_state=0).fit(X.astype(np.float32), Y)
    found = Forest.of(grown.estimators_).predict(NEW)
    assert found[1].tolist() == grown.estimators_[1].predict(NEW.astype(np.float32)).tolist()


def test_state_restores_it_and_a_seed_repeats_it():
    forest = grow(X, Y, 5, 0.5, seed=2**40 + 3)
    assert Forest.restore(forest.state()).predict(NEW).tolist() == forest.predict(NEW).tolist()
    assert grow(X, Y, 5, 0.5, seed=2**40 + 3).predict(NEW).tolist() == forest.predict(NEW).tolist()
    assert grow(X, Y, 5, 0.5, seed=4).predict(NEW).tolist() != forest.predict(NEW).tolist()


@pytest.mark.parametrize("name", ["left", "value"])
def test_broken_state_is_refused(name: str):
    state = grow(X, Y, 2, 0.5, seed=0).state()
    state[name] = state[name][:-1] if name == "value" else np.where(state[name] > 3, 10**6, state[name])
    with pytest.raises(ValueError, match="do not fit"):
        Forest.restore(state)
