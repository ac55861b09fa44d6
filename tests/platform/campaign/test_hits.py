import numpy as np
import pytest

from fermiloop.platform.campaign import goal, hits
from fermiloop.platform.campaign.hits import definition, missed
from fermiloop.platform.representations.conditions import Condition, PropertyWindow
from fermiloop.platform.representations.spectrum import DOS_GRID
from fermiloop.platform.representations.training import Target

CURVE = np.full(DOS_GRID.n, 1 / 15)
STABLE = Condition("energy_above_hull", high=0.1)
WHOLE = Target(
    grid=DOS_GRID, curve=CURVE, windows=(PropertyWindow("band_gap", 1.5, 0.5), Condition("magnetic_moment", low=1.0)),
    stability=STABLE,
)  # fmt: skip


def test_a_definition_names_every_condition_with_its_unit():
    assert definition(Target(grid=DOS_GRID, curve=CURVE, stability=STABLE), "gpaw (method-1)") == (
        "cosine ≥ 0.9 and energy above the hull ≤ 0.1 eV/atom, by gpaw (method-1)"
    )
    assert definition(WHOLE) == (
        "cosine ≥ 0.9 and band gap 1 to 2 eV and magnetic moment ≥ 1 μB/cell and energy above the hull ≤ 0.1 eV/atom"
    )
    wish = Condition("band_gap", direction="maximise")
    assert definition(Target(windows=(wish,))) == (
        "nothing is a hit: the target is band_gap maximised, without a bound"
    )
    assert definition(Target(windows=(wish, Condition("energy_per_atom", high=-3.0)))).endswith(
        "beyond that band_gap maximised"
    )


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({}, ()),
        ({"similarity": 0.8}, ("cosine 0.800 < 0.9",)),
        ({"energy_above_hull": 0.24}, ("energy above the hull 0.240 > 0.1 eV/atom",)),
        ({"band_gap": 0.5, "magnetic_moment": 0.0}, ("band gap 0.500 < 1 eV", "magnetic moment 0.000 < 1 μB/cell")),
        ({"energy_above_hull": float("nan")}, ("energy above the hull is not known",)),
    ],
)
def test_what_keeps_a_candidate_from_being_a_hit_is_told(change, why):
    computed = {"similarity": 0.95, "band_gap": 1.5, "magnetic_moment": 1.0, "energy_above_hull": 0.0} | change
    assert missed(WHOLE, computed) == why
    assert hits.is_hit(WHOLE, computed) is not bool(why)
    assert goal.score_of(WHOLE, computed)[1] is not bool(why)


def test_what_an_engine_could_not_give_is_told_with_its_reason():
    wanted = Target(windows=(Condition("hydrogen_interstitial_energy", high=0.0),))
    why = {"hydrogen_interstitial_energy": "the crystal has no interstitial site"}
    told = "interstitial hydrogen is not known: the crystal has no interstitial site"
    assert missed(wanted, {"energy_per_atom": -1.0}, why) == (told,)
    assert goal.score_of(wanted, {"energy_per_atom": -1.0}) == (0.0, False)
