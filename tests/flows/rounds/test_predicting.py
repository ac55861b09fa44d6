"""The surrogate of a round: asked part by part, kept with its snapshot, and made for rounds of an earlier version."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from pymatgen.core import Structure

from fermiloop.flows.campaigns.enqueue import enqueue
from fermiloop.flows.rounds.predicting import Asked, PropertyPart, models
from fermiloop.flows.rounds.retrain import SURROGATE, wanted
from fermiloop.platform.generators.protocol import Target
from fermiloop.platform.predictors.surrogates import learners
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.store import campaigns, checkpoints, snapshots, training


@pytest.fixture(autouse=True)
def few_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learners, "TREES", 5)


def test_a_round_that_an_earlier_version_trained_gets_its_surrogate_once(library: str, campaign: Any) -> None:
    spec, text = campaign("old")
    enqueue(spec, text)
    snapshot = snapshots.freeze(
        training.materials_of(library), query={"method": library}, split_seed=3, method=library, campaign="old"
    )
    former = {"substitution": "ckpt-a", "forward_dos": "ckpt-b", "property_ensemble/band_gap": ""}
    campaigns.plan_round("old", 1)
    campaigns.update_round("old", 1, snapshot=snapshot, checkpoints=former)
    similarity, _ = models(spec, "old", 1)
    assert similarity is not None
    kept = dict(campaigns.round_of("old", 1).checkpoints)
    assert {key: kept[key] for key in former} == former
    assert checkpoints.get(kept[SURROGATE]).snapshot == snapshot
    crystals = [PROTOTYPES["B2"].build("Al", "Pt", 14.0), PROTOTYPES["A1"].build("Pd", None, 14.0)]
    mean, std = similarity.similarity(crystals, Target())
    assert mean.shape == std.shape == (2,)
    again, _ = models(spec, "old", 1)
    assert campaigns.round_of("old", 1).checkpoints == kept
    assert again is not None
    assert again.similarity(crystals, Target())[0].tolist() == mean.tolist()


def test_without_the_stage_nothing_is_trained_to_predict(library: str, campaign: Any) -> None:
    spec, _ = campaign("blind")
    assert SURROGATE in wanted(spec)
    funnel = spec.funnel.model_copy(update={"stages": ("geometry",)})
    assert SURROGATE not in wanted(spec.model_copy(update={"funnel": funnel}))


def test_parts_of_one_batch_are_predicted_at_once() -> None:
    class Counted:
        name, calls = "counted", 0

        def predict(self, structures: Sequence[Structure]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
            Counted.calls += 1
            return {part: (np.full(len(structures), value), np.ones(len(structures))) for part, value in PARTS.items()}

    asked = Asked(Counted())  # type: ignore[arg-type]  # of a surrogate it asks for predictions alone
    before, batch = Counted.calls, [PROTOTYPES["A1"].build("Al", None, 16.0)]
    told = {part: PropertyPart(asked, part).predict(batch)[0].tolist() for part in PARTS}
    assert told == {part: [value] for part, value in PARTS.items()}
    assert Counted.calls == before + 1
    asked.part("band_gap", list(batch))
    assert Counted.calls == before + 2


PARTS = {"band_gap": 1.5, "energy_above_hull": 0.1}
