"""Queries in the form that the embedded server answers rightly mean the same."""

from __future__ import annotations

import pytest

from fermiloop.platform.store import optimade_query


@pytest.mark.parametrize(
    ("query", "form"),
    [
        ({}, {}),
        ({"a": {"$in": ["x"]}}, {"a": "x"}),
        ({"a": {"$in": ["x", "y"]}}, {"a": {"$in": ["x", "y"]}}),
        ({"a": {"$all": ["x", "y"]}}, {"a": {"$all": ["x", "y"]}}),
        ({"a.b": {"$all": ["x", "y"]}}, {"$and": [{"a.b": "x"}, {"a.b": "y"}]}),
        ({"a.b": {"$not": {"$all": ["x", "y"]}}}, {"$nor": [{"$and": [{"a.b": "x"}, {"a.b": "y"}]}]}),
        (
            {"$or": [{"a.b": {"$all": ["x"]}}, {"c": 1}], "c": 2},
            {"$or": [{"$and": [{"a.b": "x"}]}, {"c": 1}], "c": 2},
        ),
        (
            {"a.b": {"$all": ["x"]}, "c.d": {"$all": ["y"]}},
            {"$and": [{"$and": [{"a.b": "x"}]}, {"$and": [{"c.d": "y"}]}]},
        ),
    ],
)
def test_safe(query, form):
    assert optimade_query.safe(query) == form


@pytest.mark.parametrize(
    ("query", "stages"),
    [
        ({}, []),
        ({"nsites": 2}, [{"nsites": 2}]),
        ({"$and": [{"x": 1}, {"y": {"$gt": 2}}]}, [{"$and": [{"x": 1}, {"y": {"$gt": 2}}]}]),
        ({"$and": [{"x": 1}, {"elements": {"$in": ["Fe"]}}]}, [{"elements": "Fe"}, {"x": 1}]),
        ({"elements": {"$all": ["Fe", "O"]}}, [{"elements": "Fe"}, {"elements": {"$all": ["Fe", "O"]}}]),
        (
            {"$and": [{"nsites": {"$eq": 2}}, {"elements": {"$all": ["Fe", "O"]}}]},
            [{"elements": "Fe"}, {"$and": [{"nsites": {"$eq": 2}}, {"elements": {"$all": ["Fe", "O"]}}]}],
        ),
        ({"$or": [{"id": "a"}, {"id": "b"}]}, [{"$or": [{"id": "a"}, {"id": "b"}]}]),
    ],
)
def test_what_an_index_serves_comes_first(query, stages):
    assert optimade_query._stages(query) == stages
