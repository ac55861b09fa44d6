"""What a spreadsheet would run is text, numbers stay numbers, and all of it comes back."""

from __future__ import annotations

import csv
import io

import pytest

from fermiloop.platform.cli.output import csv_text
from fermiloop.platform.spreadsheets import guarded

FORMULAS = (
    "=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "-", "=", "-2+3+cmd|' /C calc'!A0",
    "=HYPERLINK(\"http://x\")", "＝1+1", "－1+1", "+1 ", "-1,2", "-inf+1",
)  # fmt: skip
PLAIN = ("", "NiAl", "Ni-Al", "a=b", "'=1", "'quoted", "-1.5", "+3", "-1e-3", "1.0", "[-1, 2]", "x@y", "c-1")


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_is_written_as_text(text: str) -> None:
    assert guarded(text) == f"'{text}"


@pytest.mark.parametrize("text", PLAIN)
def test_what_is_none_stays_as_it_is(text: str) -> None:
    assert guarded(text) == text


@pytest.mark.parametrize("value", [-1.5, 0, -3, None, True, 1e-300])
def test_numbers_stay_numbers(value: object) -> None:
    assert guarded(value) is value


def test_every_cell_of_a_csv_and_its_heading_goes_through_it() -> None:
    rows = [{"@id": "=cmd", "e": -0.5, "tags": ["=a"], "by": {"=k": "-v"}, "none": None}]
    (heading, cells) = csv.reader(io.StringIO(csv_text(rows, list(rows[0]))))
    assert heading == ["'@id", "e", "tags", "by", "none"]
    assert cells == ["'=cmd", "-0.5", '["=a"]', '{"=k": "-v"}', ""]
