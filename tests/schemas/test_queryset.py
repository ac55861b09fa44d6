"""Patterns are spelt out, wherever they stand in a query, so that they find what they should on any server."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import ClassVar

import pytest
from mongoengine import Document, IntField, ListField, StringField

from fermiloop import schemas
from fermiloop.schemas.base import BaseDocument
from fermiloop.schemas.material import Material
from fermiloop.schemas.queryset import SafeQuerySet, spell_out_patterns

FORMULAS = ("FeO", "Fe2O3", "Co2MnGa", "feox")


class Sample(Document):
    meta: ClassVar = {"queryset_class": SafeQuerySet, "auto_create_index": False}

    formula = StringField()
    tags = ListField(StringField())
    count = IntField()


@pytest.fixture
def samples(database):
    """Four documents, each field indexed."""
    for field in ("formula", "tags", "count"):
        Sample._get_collection().create_index(field)
    for i, formula in enumerate(FORMULAS):
        Sample(formula=formula, tags=[formula, "all"], count=i).save()
    yield Sample
    Sample._collection = None


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


@pytest.mark.parametrize(
    ("operator", "text", "expected"),
    [
        ("startswith", "Fe", {"FeO", "Fe2O3"}),
        ("istartswith", "fe", {"FeO", "Fe2O3", "feox"}),
        ("contains", "O", {"FeO", "Fe2O3"}),
        ("icontains", "o", set(FORMULAS)),
        ("endswith", "O3", {"Fe2O3"}),
        ("exact", "FeO", {"FeO"}),
        ("iexact", "feo", {"FeO"}),
        ("regex", "^Fe", {"FeO", "Fe2O3"}),
        ("iregex", "^FE.*[0-9]$", {"Fe2O3"}),
    ],
)
def test_text_operators_on_an_indexed_field(samples, operator, text, expected):
    query = {f"formula__{operator}": text}
    assert {s.formula for s in samples.objects(**query)} == expected
    assert samples.objects(**query).count() == len(expected)
    assert len(list(samples.objects(**query).aggregate([]))) == len(expected)


def test_patterns_in_arrays_alternatives_updates_and_deletions(samples):
    assert samples.objects(tags__icontains="co2").count() == 1
    assert samples.objects(__raw__={"$or": [{"formula": re.compile("^Co")}, {"count": 0}]}).count() == 2
    assert samples.objects(formula__startswith="Fe").update(set__count=9) == 2
    assert samples.objects(formula__startswith="Fe").delete() == 2
    assert samples.objects.count() == 2
