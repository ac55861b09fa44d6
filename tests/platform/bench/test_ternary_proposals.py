"""Proposals for held-out ternaries by their computed curves, on a made-up library with ternaries."""

import numpy as np
import pytest

from fermiloop.platform.bench.ternaries import NONE, asked_of, read_ternaries
from fermiloop.platform.bench.ternary_proposals import (
    MODELS,
    first_mean,
    proposal_rows,
    similarities,
    substituted,
)
from fermiloop.platform.generators.samples import samples_of
from fermiloop.platform.representations.composition import row_of
from fermiloop.platform.search.substitution import Substitution, SubstitutionOptions


def silent(stage, share):
    pass


def test_every_proposer_has_a_row_on_the_same_targets(ternary_library):
    readings = read_ternaries(samples_of(ternary_library), 2, 1, 0, silent)
    rows = proposal_rows(ternary_library, readings, 0, silent)
    assert tuple(row["model"] for row in rows) == MODELS
    by = {row["model"]: row for row in rows}
    assert len({row["n"] for row in rows}) == 1
    assert 0 < rows[0]["n"] <= len(asked_of(samples_of(ternary_library), 0))
    for row in rows:
        assert row["similarity_low"] <= row["similarity"] <= row["similarity_high"] <= 1
        difference = row["similarity"] - by["substitution"]["similarity"]
        assert row["nearer_than_substitution"] == pytest.approx(difference, abs=2e-4)
    assert by["factorised"]["similarity"] > by["random"]["similarity"]  # the curves are mixtures, so they can be read


def test_a_library_without_ternaries_says_so(dos_library):
    readings = read_ternaries(samples_of(dos_library), 2, 1, 0, silent)
    assert proposal_rows(dos_library, readings, 0, silent)[0]["note"] == NONE


def test_a_target_is_no_answer_to_itself_and_the_first_five_count_once(ternary_library):
    samples = samples_of(ternary_library)
    asked = samples.subset(asked_of(samples, 0))
    one = asked.subset([0])
    similar = similarities(asked, one)
    assert one.rows[0] not in similar
    assert set(similar) == set(asked.rows) - {one.rows[0]}
    known = list(similar)[:6]
    wanted = [known[0], known[0], row_of("Au"), *known[1:]]
    assert first_mean(wanted, similar) == pytest.approx(np.mean([similar[row] for row in known[:5]]))
    assert np.isnan(first_mean([row_of("Au")], similar))


def test_substitution_names_ternaries_of_the_columns_of_known_ones(ternary_library):
    search = Substitution(SubstitutionOptions(temperature=0.0))
    search.fit(ternary_library, 0, silent)
    samples = samples_of(ternary_library)
    one = samples.subset(asked_of(samples, 0)[:1])
    found = substituted(search, ternary_library, one)
    assert found
    assert all(len(row) == 3 for row in found)
    assert one.rows[0] not in found
