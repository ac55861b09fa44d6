"""What scheduled training learns from."""

from __future__ import annotations

import pytest

from fermiloop.flows.rounds import learnable
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.store import (
    labels,
    materials,
)
from fermiloop.schemas.vocabulary import Origin, Property


def test_nobody_learns_from_what_nothing_has_confirmed(method: str) -> None:
    loose = materials.save(
        PROTOTYPES["B2"].build("Ni", "Al", 12.0), origin=Origin.CAMPAIGN, source={"name": "campaign"}, candidate="c-1"
    )
    labels.save(loose, Property.ENERGY_PER_ATOM, -4.0, method=method)  # the cheap potential's word, no calculation
    given = learnable.split("dos_composer", method)
    assert given.dropped["unverified"] == 1
    assert loose not in {*given.learn, *given.test}
    labels.save(loose, Property.BAND_GAP, 0.1, method=method, calculation="calc-1")
    assert learnable.split("dos_composer", method).dropped["unverified"] == 0


def test_a_generators_own_proposals_are_at_most_half(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    learn = learnable.split("dos_composer", method).learn
    own = learn[:-3]
    monkeypatch.setattr(learnable.training, "proposed_by", lambda ids, generator: own)
    given = learnable.split("dos_composer", method)
    assert len(set(given.learn) & set(own)) == 3
    assert given.dropped["own proposals above their share"] == len(own) - 3
