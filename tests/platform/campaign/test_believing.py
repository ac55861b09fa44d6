import numpy as np
import pytest

from fermiloop.platform.campaign.believing import (
    belief_of,
    computed_parts,
    predictions,
    with_belief,
)
from fermiloop.platform.representations.conditions import Condition
from fermiloop.platform.representations.spectrum import DOS_GRID
from fermiloop.platform.representations.training import Target

TARGET = Target(grid=DOS_GRID, curve=np.full(DOS_GRID.n, 1 / 15), stability=Condition("energy_above_hull", high=0.1))
ROWS = [
    {"predicted_similarity": 0.95, "predicted_similarity_std": 0.05, "predicted_energy_above_hull": 0.0,
     "predicted_energy_above_hull_std": 0.05, "potential_energy_above_hull": 0.0},
    {"predicted_similarity": 0.95, "predicted_similarity_std": 0.05, "predicted_energy_above_hull": 0.15,
     "predicted_energy_above_hull_std": 0.05},
    {},
]  # fmt: skip


def test_predictions_come_from_the_names_of_scores():
    found = predictions(TARGET, ROWS)
    assert list(found) == ["similarity", "energy_above_hull"]
    assert found["energy_above_hull"][0][:2].tolist() == [0.0, 0.15]
    assert predictions(TARGET, [{"predicted_band_gap": 1.0}]) == {}
    assert belief_of(TARGET, []).probability.shape == (0,)


def test_a_stable_candidate_is_the_likelier_hit_and_nothing_is_said_of_the_unknown():
    first, second, third = with_belief(TARGET, ROWS)
    assert first["predicted_probability"] == pytest.approx(0.841345 * 0.977250, abs=1e-4)
    assert second["predicted_probability"] == pytest.approx(0.841345 * 0.158655, abs=1e-4)
    assert first["predicted_score"] > second["predicted_score"]
    assert first["potential_energy_above_hull"] == 0.0
    assert third == {}


def test_a_target_without_hits_has_no_probability():
    (found,) = with_belief(
        Target(windows=(Condition("band_gap", direction="maximise"),)), [{"predicted_band_gap": 1.0}]
    )
    assert "predicted_probability" not in found
    assert 0 < found["predicted_score"] < 1


def test_computed_parts_are_those_of_the_engine():
    scores = {"computed_similarity": 0.5, "computed_score": 0.4, "similarity": 0.5, "hit": False}
    assert computed_parts(scores) == {"similarity": 0.5, "score": 0.4}
