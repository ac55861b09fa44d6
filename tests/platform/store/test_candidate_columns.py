"""Columns of candidates: every stored field that is one, in lists, tables, pages and files."""

from __future__ import annotations

from fermiloop.platform.app import candidates as app
from fermiloop.platform.cli import candidates as command
from fermiloop.platform.python import candidates as python
from fermiloop.platform.store import exchange, export_table
from fermiloop.platform.store.candidate_columns import COLUMNS, LISTED, NAMES
from fermiloop.platform.web import database as page
from fermiloop.schemas.candidate import Candidate
from fermiloop.schemas.scores import GENERATOR, HIT, SCORES

INNER = {"id", "index", "structure", "formula_lower", "detail"}
"""Fields that are no columns: the crystal, what finds it, and what its generator noted."""


def test_each_stored_field_is_a_column_or_has_a_reason() -> None:
    assert set(NAMES) | INNER == set(Candidate._fields)


def test_each_column_is_where_it_says() -> None:
    own = {"score": GENERATOR}
    for one in COLUMNS:
        name = own.get(one.name, one.name)
        if one.name == "scores":
            continue
        assert (one.name in app.FIELDS) is one.listed
        assert (name in command.KNOWN) is one.listed
        assert (name in python.COLUMNS) is one.listed
        assert (name in exchange.CANDIDATE) is (one.read is not None)
        assert (name in export_table.CANDIDATE) is (one.listed and one.name != "verdicts")
        assert (name in command.COLUMNS) is one.in_table
        assert (name in page.CANDIDATE) is one.on_page


def test_scores_stand_in_their_place() -> None:
    table = list(export_table.CANDIDATE)
    assert table[table.index("reason") + 1 :][:3] == [GENERATOR, "probability", HIT]
    assert table[-2:] == ["calculation", "material"]
    assert set(SCORES) < set(table)
    assert list(command.COLUMNS)[-1] == "material"
    assert LISTED[0] == "id"
