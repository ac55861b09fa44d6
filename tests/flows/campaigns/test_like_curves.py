"""A campaign of one family of GPAW learns from curves of the other, never from its energies."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fermiloop.flows.campaigns import methods, preflight
from fermiloop.flows.campaigns.enqueue import enqueue
from fermiloop.flows.campaigns.targets import resolve
from fermiloop.flows.engines.lookup import code_of
from fermiloop.flows.rounds import learnable
from fermiloop.flows.rounds.retrain import RetrainMaker, learned_from
from fermiloop.platform.campaign.spec import CampaignSpec, parse_spec
from fermiloop.platform.errors import InputError
from fermiloop.platform.store import campaigns, snapshots
from fermiloop.platform.store import methods as stored
from fermiloop.schemas.campaign import Campaign
from fermiloop.schemas.label import Label
from fermiloop.schemas.spectrum import Spectrum

TEXT = """
name: {name}
target: {target}
space: {{elements: [Al, Ni, Cu, Ti, Pt], components: [1, 2], crystal_systems: [cubic], max_sites: 4}}
generators: [{{name: random_pick, proposals: 16, options: {{potential: none}}}}]
funnel: {{stages: [geometry, duplicates], potential: analytic}}
acquisition: {{name: random}}
engine: {{name: gpaw-hard}}
budget: {{rounds: 1, evaluations: 2, per_round: 2}}
"""
CURVE = "{dos: {material: Pd}, exclude: [Pd]}"


def text(name: str, target: str = CURVE) -> tuple[CampaignSpec, str]:
    written = TEXT.format(name=name, target=target)
    return parse_spec(written), written


@pytest.fixture
def soft(library: str) -> str:
    """Id of the Method of `gpaw`, to which the synthetic library is made to belong."""
    made = code_of("gpaw").method({})
    method = stored.save(made.engine, made.functional, made.settings, made.code_versions)
    for kind in (Label, Spectrum):
        kind.objects(method=library).update(set__method=method)
    return method


def test_curves_of_gpaw_are_what_a_campaign_of_gpaw_hard_begins_with(soft: str) -> None:
    spec, written = text("hard")
    assert preflight.problems(spec) == []
    enqueue(spec, written)
    found = methods.of_campaign(spec)
    assert found.curves == (found.engine, soft)
    assert found.engine != soft
    assert resolve(spec).curve is not None
    campaigns.plan_round("hard", 1)
    RetrainMaker().make.original(RetrainMaker(), "hard", 1)
    snapshot = campaigns.round_of("hard", 1).snapshot
    assert snapshots.curve_methods(snapshot) == (soft,)
    data = learned_from(spec, snapshot, found.training)
    assert data.has_curve.all()
    assert snapshots.ids(snapshot) == learnable.verified(soft)
    assert all(np.isnan(values).all() for values in data.labels.values())


def test_energies_of_gpaw_are_none_for_a_campaign_of_gpaw_hard(soft: str) -> None:
    spec, _ = text("energies", "{properties: [{name: energy_per_atom, at_most: -3}]}")
    assert [one.key for one in preflight.problems(spec)] == ["retrain.source"]


def test_a_campaign_that_was_launched_before_goes_on_as_it_was(soft: str) -> None:
    spec, written = text("old")
    enqueue(spec, written)
    own = methods.of_campaign(spec).engine
    Campaign.objects(id="old").update(unset__resolved__curves=1, unset__resolved__curve=1, unset__resolved__alignment=1)
    assert methods.of_campaign(spec).curves == (own,)
    with pytest.raises(InputError, match=f"without a density of states by the Method {own}"):
        resolve(spec)


def test_methods_that_come_later_change_no_campaign(soft: str) -> None:
    spec, written = text("fixed")
    enqueue(spec, written)
    before: Any = methods.of_campaign(spec)
    finer = code_of("gpaw").method({"kpoint_density": 8})
    later = stored.save(finer.engine, finer.functional, finer.settings, finer.code_versions)
    assert later in methods.here(spec).curves
    assert methods.of_campaign(spec) == before
