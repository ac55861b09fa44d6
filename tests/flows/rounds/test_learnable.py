"""What may be learned: nothing that a campaign proposed and no calculation confirmed, and never the tenth held out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fermiloop.flows.campaigns.enqueue import enqueue
from fermiloop.flows.rounds import learnable
from fermiloop.flows.rounds.retrain import RetrainMaker
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.store import campaigns, labels, materials, snapshots


def proposed(method: str, calculation: str | None) -> str:
    """A crystal that a campaign proposed, with a label by the Method."""
    crystal = PROTOTYPES["B1"].build("Ni", "Ti" if calculation else "Cu", 15.0)
    made = materials.save(crystal, origin="campaign", source={"name": "campaign c"}, candidate="c-1")
    labels.save(made, "energy_per_atom", -4.0, method=method, calculation=calculation)
    return made


@pytest.fixture
def both(library: str) -> tuple[str, str]:
    """One that a calculation has confirmed, and one that none has."""
    return proposed(library, "calc-0123456789abcdef"), proposed(library, None)


def test_what_no_calculation_confirmed_is_left_out(library: str, both: tuple[str, str]) -> None:
    sound, loose = both
    found = learnable.verified(library)
    assert sound in found
    assert loose not in found
    given = learnable.split("random_pick", library)
    assert given.dropped["unverified"] == 1
    assert sorted([*given.learn, *given.test]) == found
    assert {learnable.is_held_out(key) for key in given.learn} == {False}
    assert {learnable.is_held_out(key) for key in given.test} <= {True}


def test_a_campaign_learns_by_the_same_rule_and_from_all_of_it(
    library: str, both: tuple[str, str], campaign: Callable[..., Any]
) -> None:
    spec, text = campaign("learns")
    enqueue(spec, text)
    campaigns.plan_round("learns", 1)
    RetrainMaker().make.original(RetrainMaker(), "learns", 1)
    assert snapshots.ids(campaigns.round_of("learns", 1).snapshot) == learnable.verified(library)
