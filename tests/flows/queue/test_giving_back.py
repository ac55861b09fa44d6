"""Giving back: what one campaign no longer wants another may be waiting for, and a kill in the middle is repeated."""

from __future__ import annotations

from typing import Any

import pytest

from fermiloop.flows.campaigns.steps import method_of, spec_of
from fermiloop.flows.queue.giving_back import release
from fermiloop.flows.rounds.sample import document
from fermiloop.platform.generators.protocol import Proposal
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.store import calculations, campaigns, candidates
from fermiloop.schemas.vocabulary import CalculationState, Stage

CRYSTAL = PROTOTYPES["L1_2"].build("Ti", "Cu", 13.0)


def selected(campaign: Any, name: str) -> str:
    """A candidate of a campaign of its own, whose calculation is planned; its id."""
    spec, text = campaign(name)
    campaigns.create(spec.name, spec.as_dict(), text)
    made = document(name, 1, "substitution", 0, Proposal(CRYSTAL, 1.0), "ckpt-none", 5)
    candidates.save_many([made])
    calculation = calculations.plan(
        made.id, CRYSTAL, engine="analytic", method=method_of(spec_of(name)), settings={}, campaign=name
    )
    candidates.update(made.id, stage=Stage.SELECTED, calculation=calculation)
    return str(made.id)


def test_a_calculation_that_another_campaign_waits_for_stays_and_is_its_own_then(library: str, campaign: Any) -> None:
    first, second = (candidates.get(selected(campaign, name)) for name in ("one", "two"))
    assert first.calculation == second.calculation
    release(first)
    assert (candidates.get(first.id).stage, candidates.get(first.id).calculation) == (Stage.PASSED, None)
    left = calculations.get(second.calculation)
    assert (left.state, left.campaign, left.candidate) == (CalculationState.WAITING, "two", second.id)
    release(candidates.get(second.id))
    assert not calculations.exists(second.calculation)


def test_a_release_that_was_killed_in_the_middle_is_repeated(
    library: str, campaign: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = candidates.get(selected(campaign, "one"))
    for module, what in ((candidates, "update"), (calculations, "discard")):
        with monkeypatch.context() as patch:
            patch.setattr(module, what, interrupted)
            with pytest.raises(KeyboardInterrupt):
                release(one)
    release(one)
    assert candidates.get(one.id).calculation is None
    assert not calculations.exists(one.calculation)
    release(one)


def test_one_that_runs_or_has_ended_is_not_given_back(library: str, campaign: Any) -> None:
    one = candidates.get(selected(campaign, "one"))
    calculations.start(one.calculation, "somebody")
    release(one)
    assert candidates.get(one.id).stage is Stage.SELECTED


def interrupted(*_: object, **__: object) -> None:
    raise KeyboardInterrupt
