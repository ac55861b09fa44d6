"""The example of ternaries, by the analytic engine in a space of metals: the store holds the elements alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from fermiloop.db_init import setup
from fermiloop.flows.driving import launching, referencing
from fermiloop.flows.driving.referencing import How
from fermiloop.platform.campaign.spec import parse_spec
from fermiloop.platform.store import campaigns, candidates, materials
from fermiloop.schemas.vocabulary import CampaignState, Stage

pytestmark = pytest.mark.slow
EXAMPLE = Path(__file__).parents[2] / "examples" / "oxides.yaml"
SMALLER = (
    ("engine: {name: chgnet", "engine: {name: analytic"),
    ("elements: [Ba, Sr, Ti, O]", "elements: [Al, Ni, Cu, Ti]"),  # oxides collapse by Lennard-Jones of one length
    ("potential: chgnet", "potential: analytic"),
    ("max_sites: 60", "max_sites: 7"),
    ("proposals: 40, options: {", "proposals: 4, options: {temperature: 0, "),
    ("{rounds: 2, evaluations: 12, per_round: 6}", "{rounds: 1, evaluations: 2, per_round: 2}"),
)


def test_a_store_of_elements_is_enough_for_a_campaign_of_ternaries(database: str) -> None:
    setup.init()
    referencing.references(["Al", "Ni", "Cu", "Ti"], How("analytic", {}))
    text = EXAMPLE.read_text()
    for old, new in SMALLER:
        assert old in text
        text = text.replace(old, new)
    spec = parse_spec(text)
    launching.launch(spec, text)
    done = campaigns.get(spec.name)
    assert done.state is CampaignState.FINISHED, done.reason
    found = candidates.of_campaign(spec.name)
    evaluated = [one for one in found if one.stage is Stage.EVALUATED]
    assert len(evaluated) == 2, [one.reason for one in found]
    kept = materials.get_many(one.material for one in evaluated)
    assert all(set(one.elements) <= set(spec.space.elements) for one in kept.values())
    assert all(3 <= one.n_elements <= 4 for one in kept.values())
    assert all("computed_score" in one.scores for one in evaluated)
