"""Patterns are spelt out, wherever they stand in a query."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

from fermiloop import schemas
from fermiloop.schemas.base import BaseDocument
from fermiloop.schemas.material import Material
from fermiloop.schemas.queryset import SafeQuerySet, spell_out_patterns


def test_a_pattern_becomes_an_operator():
    query = {"formula": re.compile("^fe", re.IGNORECASE | re.MULTILINE), "n": 3}
    assert spell_out_patterns(query) == {"formula": {"$regex": "^fe", "$options": "im"}, "n": 3}


def test_patterns_within_lists():
    query = {"$or": [{"a": re.compile("x")}, {"a": {"$not": re.compile("y")}}, {"a": 1}]}
    assert spell_out_patterns(query) == {
        "$or": [
            {"a": {"$regex": "x", "$options": ""}},
            {"a": {"$not": {"$regex": "y", "$options": ""}}},
            {"a": 1},
        ]
    }


def test_all_documents_use_it():
    names = {path.stem for path in Path(schemas.__path__[0]).glob("*.py")} - {"__init__", "base", "fields", "queryset"}
    for name in names:
        importlib.import_module(f"fermiloop.schemas.{name}")
    documents = BaseDocument.__subclasses__()
    assert len(documents) >= 13
    for document in documents:
        assert document._meta["queryset_class"] is SafeQuerySet, document
        assert not document._meta["auto_create_index"], document


def test_no_pattern_is_left_in_what_mongoengine_makes():
    made = SafeQuerySet(Material, None)(formula__istartswith="fe", prototype__contains="L1")
    assert made._query == {
        "formula": {"$regex": "^fe", "$options": "i"},
        "prototype": {"$regex": "L1", "$options": ""},
    }
