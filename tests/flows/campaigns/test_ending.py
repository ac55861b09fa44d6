"""How a campaign ends without a result: the reason says what its generators were trained on."""

from __future__ import annotations

from typing import Any

import pytest

from fermiloop.flows.campaigns.ending import finish, trained_on
from fermiloop.flows.rounds import learnable
from fermiloop.platform.store import campaigns, methods, snapshots
from fermiloop.schemas.vocabulary import CampaignState

NAME = "empty"


@pytest.fixture
def running(library: str, campaign: Any) -> str:
    """A campaign whose first round is planned and has trained nothing."""
    spec, text = campaign(NAME)
    campaigns.create(spec.name, spec.as_dict(), text)
    campaigns.plan_round(NAME, 1)
    return library


def test_what_the_generators_were_trained_on_is_part_of_the_reason(running: str) -> None:
    ids = learnable.verified(running)[:4]
    frozen = snapshots.freeze(ids, query={}, split_seed=0, method=running)
    campaigns.update_round(NAME, 1, snapshot=frozen)
    finish(NAME, "Nothing more to choose from.")
    found = campaigns.get(NAME)
    assert found.state is CampaignState.FAILED
    assert found.reason == (
        "Nothing was evaluated, as the generators, trained on 4 crystals of the source analytic (retrain.source), "
        "proposed nothing. Nothing more to choose from."
    )


def test_imported_labels_are_told_by_their_source(running: str) -> None:
    imported = methods.save("external", "PBE", {"source": "Materials Project"}, {})
    campaigns.update_round(NAME, 1, snapshot=snapshots.freeze([], query={}, split_seed=0, method=imported))
    assert trained_on(NAME) == "0 crystals of the source Materials Project (retrain.source)"


def test_before_the_first_training_nothing_is_told_of_it(running: str) -> None:
    assert trained_on(NAME) is None
    finish(NAME, "Cancelled in time.")
    assert campaigns.get(NAME).reason == "Nothing was evaluated, as the generators proposed nothing. Cancelled in time."
