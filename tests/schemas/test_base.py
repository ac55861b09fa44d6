"""Ids come from content, errors in one sentence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fermiloop.platform.errors import InputError
from fermiloop.schemas.base import content_id, now
from fermiloop.schemas.candidate import Candidate
from fermiloop.schemas.method import Method

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=4), PLAIN, max_size=4))
def test_the_order_of_keys_does_not_matter(settings):
    turned = dict(reversed(settings.items()))
    assert content_id("x", turned) == content_id("x", settings)


@given(PLAIN, PLAIN)
def test_parts_do_not_run_together(a, b):
    assert content_id("x", [a], [b]) != content_id("x", [a, b])
    assert content_id("x", a).startswith("x-")
    assert len(content_id("x", a)) == 18


def test_now_knows_its_zone():
    assert now().utcoffset().total_seconds() == 0


def test_the_code_version_is_no_part_of_a_method():
    one = Method.make("gpaw", "PBE", {"cutoff": 400}, {"gpaw": "26.7"})
    assert one.id == Method.make("gpaw", "PBE", {"cutoff": 400}, {"gpaw": "26.8"}).id
    others = [
        Method.make("gpaw", "PBE", {"cutoff": 500}, {}),
        Method.make("gpaw", "PBEsol", {"cutoff": 400}, {}),
        Method.make("external", "PBE", {"cutoff": 400}, {}),
    ]
    assert len({one.id, *(other.id for other in others)}) == 4


def test_the_first_fault_is_told_in_one_sentence():
    with pytest.raises(InputError, match=r"^Candidate c-1: \w+ is invalid: [^\n]*\.$"):
        Candidate(id="c-1").check()
