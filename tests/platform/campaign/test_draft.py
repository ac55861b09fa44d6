"""The file to start from is read as it is, and says what was asked for."""

from __future__ import annotations

import pytest

from fermiloop.platform.campaign.draft import ELEMENTS, draft
from fermiloop.platform.campaign.spec import parse_spec
from fermiloop.platform.errors import SpecError


def test_it_is_a_campaign_and_every_section_has_a_comment() -> None:
    text = draft("first")
    spec = parse_spec(text)
    assert (spec.name, spec.target.dos.material, spec.space.elements) == ("first", "Pd", ELEMENTS)
    assert spec.target.exclude == ("Pd",)
    assert text.count("#") > 10


def test_what_is_asked_for_is_in_it() -> None:
    spec = parse_spec(draft("mine", "Pt3Ni", ("Cu", "Pt", "Ni"), "vasp"))
    assert (spec.target.dos.material, spec.target.exclude, spec.engine.name) == ("Pt3Ni", ("NiPt3",), "vasp")
    assert spec.space.elements == ("Cu", "Pt", "Ni")
    assert parse_spec(draft("one", elements=("Cu",))).space.components == (1, 1)
    assert parse_spec(draft("by-id", "m-0123456789abcdef")).target.exclude == ()


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (("Bad Name",), "Bad Name"),
        (("x", "Pd", ("Al", "Xq")), "Xq"),
        (("x", "Pd", ("Al",), "wien2k"), "wien2k"),
        (("x", "no formula"), "no formula"),
    ],
)
def test_what_is_none_is_refused_in_words(given: tuple, says: str) -> None:
    with pytest.raises(SpecError, match=says):
        draft(*given)
