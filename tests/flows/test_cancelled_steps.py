"""Long steps of a campaign that was cancelled: they end soon, in this process and by workers alike."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from fermiloop.flows.campaigns import cancelling, managing
from fermiloop.flows.campaigns.steps import spec_of, step
from fermiloop.flows.campaigns.targets import resolve
from fermiloop.flows.driving import launching
from fermiloop.platform.campaign.spec import parse_spec
from fermiloop.platform.errors import StoppedError
from fermiloop.platform.predictors.potential.analytic import AnalyticPotential
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.screening.funnel import Context, run_funnel
from fermiloop.platform.settings import settings
from fermiloop.platform.store import campaigns
from fermiloop.schemas.vocabulary import CampaignState, RoundState

LONG = "{name: dos_composer, preset: factorised, proposals: 5, options: {epochs: 1000000, potential: none}}"


@pytest.fixture
def held(library: str, campaign: Any) -> str:
    """A campaign in the store with a planned round."""
    spec, text = campaign("held")
    campaigns.create(spec.name, spec.as_dict(), text)
    campaigns.plan_round(spec.name, 1)
    return str(spec.name)


def test_a_step_hears_of_it_and_no_failure_is_noted(held: str) -> None:
    with step(held, 1, "retrain"):
        cancelling.tell("training", 0.5)
        cancelling.check(0.0)
    managing.cancel(held)
    with pytest.raises(StoppedError, match="held was cancelled"), step(held, 1, "retrain"):
        cancelling.check(0.0)
    assert campaigns.round_of(held, 1).decision.failed is None
    assert "retrain" in campaigns.round_of(held, 1).costs


def test_without_a_campaign_and_without_a_database_nothing_stops(held: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from pymongo.errors import AutoReconnect

    managing.cancel(held)
    cancelling.tell("training", 0.1)
    cancelling.check(0.0)

    def away(_name: str) -> bool:
        raise AutoReconnect("away")

    monkeypatch.setattr(campaigns, "is_cancelled", away)
    with cancelling.of(held):
        cancelling.check(0.0)


def test_a_training_of_a_cancelled_campaign_ends(library: str, campaign: Any) -> None:
    _, text = campaign("long")
    text = text.replace("{name: substitution, proposals: 12}", LONG)
    begun = threading.Event()

    def cancel() -> None:
        if begun.wait(60):
            managing.cancel("long")

    def progress(what: str, _: float) -> None:
        if "training dos_composer" in what:
            begun.set()

    other = threading.Thread(target=cancel)
    other.start()
    launching.launch(parse_spec(text), text, progress=progress)
    other.join()
    found = campaigns.round_of("long", 1)
    assert campaigns.get("long").state is CampaignState.CANCELLED
    assert (found.state, found.decision.reason) == (RoundState.CLOSED, "The campaign was cancelled.")
    assert dict(found.checkpoints) == {}
    assert list((settings().data_dir / "trainings").iterdir()), "the same training would go on from here"


def test_a_funnel_of_a_cancelled_campaign_ends(held: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cancelling, "EVERY", 0.0)
    structures = [PROTOTYPES["A1"].build(symbol, None, 14.0) for symbol in ("Al", "Ni", "Cu")]
    context = Context(
        target=resolve(spec_of(held)), space=spec_of(held).space.space(), potential=AnalyticPotential(), known=()
    )
    seen: list[float] = []

    def tell(what: str, share: float) -> None:
        seen.append(share)
        if len(seen) == 2:
            managing.cancel(held)
        cancelling.tell(what, share)

    with pytest.raises(StoppedError), step(held, 1, "screen"):
        run_funnel(structures, ["geometry"], context, np.random.default_rng(0), tell)
    assert len(seen) == 2
