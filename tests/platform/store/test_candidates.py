"""Candidates are saved once, moved on by one, and found by every filter."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from fermiloop.platform.errors import InputError, NotFoundError
from fermiloop.platform.store import candidates
from fermiloop.platform.store.candidates import CandidateQuery
from fermiloop.schemas.candidate import Candidate
from fermiloop.schemas.vocabulary import Stage


@pytest.fixture
def proposed(database, proposal) -> dict[str, str]:
    """Four candidates of two rounds and another campaign: name to id."""
    made = [
        proposal(("Ni", "Al"), 1, 0, stage=Stage.PASSED, scores={"predicted_score": 0.9}),
        proposal(("Ni", "Pt"), 1, 1, stage=Stage.REJECTED, scores={"predicted_score": 0.4}),
        proposal(("Pd", "Al"), 2, 0, generator="dos_composer", preset="paper"),
        proposal(("Cu", "Pd"), campaign="other"),
    ]
    return dict(zip(("AlNi", "NiPt", "AlPd", "CuPd"), candidates.save_many(made), strict=True))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (CandidateQuery(), {"AlNi", "NiPt", "AlPd", "CuPd"}),
        (CandidateQuery(campaign="pd-like"), {"AlNi", "NiPt", "AlPd"}),
        (CandidateQuery(campaign="pd-like", round=1), {"AlNi", "NiPt"}),
        (CandidateQuery(stage="rejected"), {"NiPt"}),
        (CandidateQuery(generator="dos_composer"), {"AlPd"}),
        (CandidateQuery(generator="dos_composer", preset="paper"), {"AlPd"}),
        (CandidateQuery(generator="dos_composer", preset="factorised"), set()),
        (CandidateQuery(formula="NiAl"), {"AlNi"}),
        (CandidateQuery(elements=("Al",)), {"AlNi", "AlPd"}),
        (CandidateQuery(elements=("Pd", "Al")), {"AlPd"}),
        (CandidateQuery(chemical_system="Pd-Cu"), {"CuPd"}),
        (CandidateQuery(n_sites=(3, 9)), set()),
        (CandidateQuery(scores={"predicted_score": (0.5, 1.0)}), {"AlNi"}),
        (CandidateQuery(scores={"predicted_score": (0.0, 1.0)}), {"AlNi", "NiPt"}),
        (CandidateQuery(ids=()), set()),
    ],
)
def test_find(proposed, query, expected):
    back = {key: name for name, key in proposed.items()}
    assert {back[c.id] for c in candidates.find(query)} == expected


def test_the_order_is_stable_and_the_limit_kept(proposed):
    everything = [c.id for c in candidates.find(CandidateQuery())]
    assert [c.id for c in candidates.find(CandidateQuery(limit=3))] == everything[:3]
    assert candidates.find(CandidateQuery(limit=1))[0].campaign == "other"


def test_with_a_range_the_best_come_first(database, proposal):
    rng = np.random.default_rng(0)
    values = {i: (float(rng.gamma(1, 0.1)) - 0.02, float(rng.random())) for i in range(60)}
    made = [
        proposal((("Ni", "Fe")[i % 2], "Al"), 1, i, scores={"energy_above_hull": h, "predicted_score": s})
        for i, (h, s) in values.items()
    ]
    place = {key: i for i, key in enumerate(candidates.save_many([*made, proposal(("Ni", "Al"), 2, 0)]))}
    for limit in (1, 7, 100):
        query = CandidateQuery(elements=("Ni",), scores={"energy_above_hull": (-math.inf, 0.1)}, limit=limit)
        right = sorted((i for i in values if i % 2 == 0 and values[i][0] <= 0.1), key=lambda i: values[i][0])
        assert [place[c.id] for c in candidates.find(query)] == right[:limit]
        query = CandidateQuery(
            elements=("Al", "Ni"), scores={"predicted_score": (0.2, 1), "energy_above_hull": (0, 0.1)}, limit=limit
        )
        right = [i for i in values if i % 2 == 0 and values[i][1] >= 0.2 and 0 <= values[i][0] <= 0.1]
        right.sort(key=lambda i: -values[i][1])
        rows = candidates.rows(query, ("formula",))
        assert [place[row["id"]] for row in rows] == right[:limit]
        assert all(row.keys() == {"id", "formula"} for row in rows)


def test_rows_are_what_find_finds(proposed):
    for row in candidates.rows(CandidateQuery()):
        whole = candidates.get(row["id"])
        assert {name: getattr(whole, name) for name in row if name != "created_at"} == {
            name: value for name, value in row.items() if name != "created_at"
        }


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        (CandidateQuery(limit=-1), "limit"),
        (CandidateQuery(stage="passsed"), "'passsed' is unknown"),
        (CandidateQuery(formula="Zz"), "no chemical formula"),
        (CandidateQuery(scores={"$where": (0, 1)}), "no name of a score"),
    ],
)
def test_queries_that_make_no_sense(database, query, reason):
    with pytest.raises(InputError, match=reason):
        candidates.find(query)


def test_a_repeated_sampling_changes_nothing(proposed, proposal):
    candidates.update(proposed["AlPd"], stage=Stage.SELECTED)
    again = [proposal(("Ni", "Al"), 2, 0, generator="dos_composer", preset="paper"), proposal(("Ti", "Al"), 2, 1)]
    ids = candidates.save_many(again)
    assert ids[0] == proposed["AlPd"]
    kept = candidates.get(ids[0])
    assert (kept.formula, kept.stage) == ("AlPd", Stage.SELECTED)
    assert Candidate.objects.count() == 5


def test_two_workers_that_sample_the_same_round(database, proposal):
    made = [proposal(("Ni", "Al"), 1, i) for i in range(30)]
    with ThreadPoolExecutor(4) as pool:
        ids = list(pool.map(lambda _: candidates.save_many(made), range(8)))
    assert all(one == ids[0] for one in ids)
    assert Candidate.objects.count() == 30


def test_one_bad_candidate_and_none_is_saved(database, proposal):
    bad = proposal(("Ni", "Al"), 1, 1)
    bad.score = float("nan")
    with pytest.raises(InputError, match="score is invalid"):
        candidates.save_many([proposal(), bad])
    assert Candidate.objects.count() == 0


def test_fields_are_set_whole(proposed):
    candidates.update(proposed["AlNi"], stage=Stage.EVALUATED, material="m-1", scores={"score": 0.7})
    candidates.update(proposed["AlNi"])
    kept = candidates.get(proposed["AlNi"])
    assert (kept.stage, kept.material) == (Stage.EVALUATED, "m-1")
    assert kept.scores == {"score": 0.7}


def test_those_of_a_round_and_of_a_campaign(proposed, crystal):
    assert [c.id for c in candidates.of_round("pd-like", 1)] == [proposed["AlNi"], proposed["NiPt"]]
    assert [c.round for c in candidates.of_campaign("pd-like")] == [1, 1, 2]
    assert candidates.get(proposed["AlNi"]).to_structure() == crystal("Ni", "Al")
    with pytest.raises(NotFoundError, match="c-none"):
        candidates.get("c-none")
