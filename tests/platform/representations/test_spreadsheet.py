"""Cells that a spreadsheet must not run."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fermiloop.platform.representations.spreadsheet import STARTS, safe_cell


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "\n=1", "＝1+1", '=HYPERLINK("http://x";"y")', "-2+3|cmd"],
)
def test_formulas_become_texts(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize(
    ("value", "cell"),
    [(-1.5, -1.5), (0, 0), (-3, -3), (True, True), (None, None), ("AlNi", "AlNi"), ("a=b", "a=b"), ("", "")],
)
def test_numbers_and_plain_words_stay(value: Any, cell: Any) -> None:
    assert safe_cell(value) == cell
    assert type(safe_cell(value)) is type(cell)


def test_what_is_not_finite_is_nothing() -> None:
    assert safe_cell(math.nan) is None
    assert safe_cell(math.inf) is None


@given(st.text())
def test_no_text_begins_like_a_formula(text: str) -> None:
    assert str(safe_cell(text)).lstrip()[:1] not in STARTS
    assert str(safe_cell(text)).removeprefix("'") == text.removeprefix("'") or str(safe_cell(text)) == f"'{text}"
