"""Candidates of a binary system by each way."""

from itertools import islice
from types import SimpleNamespace

import numpy as np
import pytest

from fermiloop.platform.bench import ccdcgan_arms
from fermiloop.platform.bench.ccdcgan_arms import RANDOM, SUBSTITUTED, candidates, substituted, unlike
from fermiloop.platform.generators.protocol import Proposal
from fermiloop.platform.representations.prototypes import PROTOTYPES

SYSTEM = ("Co", "Hf")
LEARNED = [
    PROTOTYPES["B2"].build("Rh", "Zr", 15.0),  # both columns
    PROTOTYPES["L1_2"].build("Ti", "Co", 15.0),  # cobalt itself, beside titanium
    PROTOTYPES["B1"].build("Na", "Cl", 22.0),
    PROTOTYPES["A1"].build("Co", None, 12.0),
]


def rng(seed=0):
    return np.random.default_rng(seed)


def test_substitution_stays_within_columns_and_takes_volumes_by_rule():
    made = list(substituted(LEARNED, SYSTEM, 8, rng()))
    assert sorted(one.composition.reduced_formula for one in made) == ["Hf3Co", "HfCo"]
    assert all(8 < one.volume / len(one) < 30 for one in made)
    assert not list(substituted(LEARNED, SYSTEM, 1, rng()))


def test_random_crystals_have_amounts_of_the_training_set():
    made = list(islice(ccdcgan_arms.random_crystals(LEARNED[1:2], SYSTEM, 8, rng(2)), 3))
    assert all(sorted(one.composition.values()) == [1, 3] for one in made)
    assert all(set(one.symbol_set) == set(SYSTEM) for one in made)


def test_every_way_is_drawn_on_its_own_and_doubles_go(monkeypatch):
    monkeypatch.setattr(
        ccdcgan_arms, "random_crystals", lambda *_: iter([PROTOTYPES["B2"].build("Co", "Hf", 15.0)] * 9)
    )
    twice = [Proposal(PROTOTYPES["B1"].build("Co", "Hf", v), 0.0) for v in (15.0, 15.2)]
    asked = []

    def sample(target, space, n, random):
        asked.append((space.elements, space.n_components, space.max_sites, n, random.random()))
        return twice

    network = SimpleNamespace(sample=sample)
    made = candidates({"CCDCGAN": network, "DCGAN": network}, LEARNED, SYSTEM, 8, 5, 0)
    assert [len(made[name]) for name in ("CCDCGAN", "DCGAN", RANDOM, SUBSTITUTED)] == [1, 1, 1, 2]
    assert [one[:4] for one in asked] == [(SYSTEM, (2, 2), 8, 5)] * 2
    assert asked[0][4] != asked[1][4]
    again = candidates({"CCDCGAN": network}, LEARNED, SYSTEM, 8, 5, 0)
    assert again[SUBSTITUTED] == made[SUBSTITUTED]


def test_impossible_crystals_are_left_out():
    good, dense = PROTOTYPES["B2"].build("Co", "Hf", 15.0), PROTOTYPES["B2"].build("Co", "Hf", 0.5)
    assert ccdcgan_arms._some(iter([dense, good, dense, good]), 5) == [good, good]
    assert ccdcgan_arms._some(iter([dense, good, dense, good]), 5, 3) == [good]


@pytest.mark.parametrize(("volume", "left"), [(15.4, 1), (30.0, 1)])
def test_a_larger_crystal_of_one_kind_is_the_same(volume, left):
    assert len(unlike([PROTOTYPES["B2"].build("Co", "Hf", v) for v in (15.0, volume)])) == left
