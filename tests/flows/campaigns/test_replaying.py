"""A campaign's records as the pool of a replay."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

from fermiloop.flows.campaigns.replaying import recorded
from fermiloop.flows.campaigns.targets import resolve
from fermiloop.platform.campaign.replaying.replay import Course, score
from fermiloop.platform.errors import InputError, NotFoundError
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.representations.spectrum import DOS_GRID
from fermiloop.platform.store import campaigns, candidates, materials, spectra
from fermiloop.schemas.candidate import Candidate
from fermiloop.schemas.vocabulary import Origin, Stage

PAIRS = tuple(product(("Al", "Ni", "Cu"), ("Pd", "Ti", "Pt", "Zn", "Mg")))


def silent(what: str, share: float) -> None:
    pass


def launch(campaign: Any, library: str, name: str, n: int, kind: str = "B1", first: int = 0) -> None:
    """A campaign with `n` evaluated candidates, every third one with the target's own curve, and one rejected."""
    spec, text = campaign(name)
    spec = spec.model_copy(update={"target": spec.target.model_copy(update={"stable_within": None})})
    campaigns.create(name, spec.model_dump(mode="json"), text)
    wanted, made = resolve(spec).curve, []
    for i, (a, b) in enumerate(PAIRS[first : first + n + 1]):
        crystal = PROTOTYPES[kind].build(a, b, 14.0)
        formula, done = crystal.composition.reduced_formula, i < n
        material = None
        if done:
            material = materials.save(crystal, origin=Origin.CAMPAIGN, source={"name": "test"})
            curve = wanted if i % 3 == 0 else np.where(DOS_GRID.points > 3.0, 1.0 + 0.1 * i, 0.01)
            spectra.save(material, DOS_GRID.points, curve, method=library, gap=0.0)
        made.append(
            Candidate(
                id=Candidate.make_id(name, 1, "x", i), campaign=name, round=1, index=i, seed=0, score=0.0,
                generator="substitution" if i % 2 else "random_pick", preset="group" if i % 2 else None,
                structure=crystal.as_dict(),
                formula=formula, formula_lower=formula.lower(), elements=sorted([a, b]),
                chemical_system="-".join(sorted([a, b])), n_sites=len(crystal), material=material,
                stage=Stage.EVALUATED if done else Stage.REJECTED,
                scores={"computed_score": 0.5} if done else {}, calculation=f"calc-{a}{b}" if done else None,
            )
        )  # fmt: skip
    candidates.save_many(made)


def test_answers_are_those_stored_and_a_replay_repeats(library: str, campaign: Any) -> None:
    launch(campaign, library, "one", 13)
    found = recorded("one", None, silent)
    assert len(found.oracle.pool) == 13
    assert found.oracle.hits.sum() == 5
    assert found.oracle.scores[found.oracle.hits] == pytest.approx(1.0, abs=1e-3)
    assert found.campaigns == ("one",)
    assert found.spec.name == "one"
    course = Course(known=4, calls=6, batch=3)
    first, again = (score(recorded("one", None, silent).oracle, found.spec, "trees", course, [2]) for _ in range(2))
    assert first == again
    assert set(first.runs[0].asked) <= {c.material for c in candidates.of_campaign("one")}


def test_sisters_with_the_same_target_join_and_shared_calculations_count_once(library: str, campaign: Any) -> None:
    launch(campaign, library, "one", 9)
    launch(campaign, library, "two", 9, first=4)  # five of its crystals are those of the first
    found = recorded("one", None, silent)
    assert found.campaigns == ("one", "two")
    assert len(found.oracle.pool) == 13


def test_one_generator_alone(library: str, campaign: Any) -> None:
    launch(campaign, library, "one", 14)
    with pytest.raises(InputError, match="has 7 evaluated candidates, and a replay needs 8"):
        recorded("one", "substitution", silent)
    with pytest.raises(InputError, match="by 'ftcp'; there are those of random_pick, substitution"):
        recorded("one", "ftcp", silent)


def test_what_is_not_there_is_said(library: str, campaign: Any) -> None:
    with pytest.raises(NotFoundError, match="no campaign none"):
        recorded("none", None, silent)
    launch(campaign, library, "small", 3)
    with pytest.raises(InputError, match="--oracle FILE"):
        recorded("small", None, silent)
