"""A campaign's records as the pool of a replay."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

from fermiloop.flows.replaying import recorded
from fermiloop.platform.campaign.replaying.replay import Course, replay
from fermiloop.platform.errors import InputError, NotFoundError
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.store import campaigns, candidates
from fermiloop.schemas.candidate import Candidate
from fermiloop.schemas.vocabulary import Stage

PAIRS = tuple(product(("Al", "Ni", "Cu"), ("Pd", "Ti", "Pt", "Zn", "Mg")))


def silent(what: str, share: float) -> None:
    pass


def launch(campaign: Any, name: str, n: int, kind: str = "B2", offset: int = 0) -> None:
    """A campaign with `n` evaluated candidates, every third one a hit, and one that was rejected."""
    spec, text = campaign(name)
    campaigns.create(name, spec.model_dump(mode="json"), text)
    made = []
    for i, (a, b) in enumerate(PAIRS[: n + 1]):
        crystal = PROTOTYPES[kind].build(a, b, 14.0)
        formula, hit = crystal.composition.reduced_formula, i % 3 == 0
        scores = {"computed_score": 0.95 if hit else 0.3 + 0.01 * i, "hit": hit}
        done = i < n
        made.append(
            Candidate(
                id=Candidate.make_id(name, 1, "x", i), campaign=name, round=1, index=i, seed=0, score=0.0,
                generator="substitution/group" if i % 2 else "random_pick", structure=crystal.as_dict(),
                formula=formula, formula_lower=formula.lower(), elements=sorted([a, b]),
                chemical_system="-".join(sorted([a, b])), n_sites=len(crystal),
                stage=Stage.EVALUATED if done else Stage.REJECTED, scores=scores if done else {},
                calculation=f"calc-{kind}-{i + offset}" if done else None,
            )
        )  # fmt: skip
    candidates.save_many(made)


def test_scores_and_hits_are_those_recorded_and_a_replay_repeats(database: str, campaign: Any) -> None:
    launch(campaign, "one", 14)
    found = recorded("one", None, silent)
    assert len(found.pool) == 14
    assert found.pool.hits.sum() == 5
    assert found.pool.values[found.pool.hits].tolist() == [0.95] * 5
    assert (found.goal.low, found.goal.high) == (0.9, np.inf)
    assert found.campaigns == ("one",)
    course = Course(known=3, calls=6, batch=3)
    first, again = (replay(recorded("one", None, silent).pool, found.goal, "greedy", course, 2) for _ in range(2))
    assert first == again
    assert set(first.asked) <= {c.id for c in candidates.of_campaign("one")}


def test_sisters_with_the_same_target_join_and_shared_calculations_count_once(database: str, campaign: Any) -> None:
    launch(campaign, "one", 9)
    launch(campaign, "two", 9, offset=4)  # five of its calculations are those of the first
    found = recorded("one", None, silent)
    assert found.campaigns == ("one", "two")
    assert len(found.pool) == 13


def test_one_generator_alone(database: str, campaign: Any) -> None:
    launch(campaign, "one", 14)
    with pytest.raises(InputError, match="has 7 evaluated candidates, and a replay needs 8"):
        recorded("one", "substitution", silent)
    with pytest.raises(InputError, match="by 'ftcp'; there are those of random_pick, substitution"):
        recorded("one", "ftcp", silent)


def test_what_is_not_there_is_said(database: str, campaign: Any) -> None:
    with pytest.raises(NotFoundError, match="no campaign none"):
        recorded("none", None, silent)
    launch(campaign, "small", 3)
    with pytest.raises(InputError, match="--oracle FILE"):
        recorded("small", None, silent)
