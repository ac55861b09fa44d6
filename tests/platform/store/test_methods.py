"""Methods are saved once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from fermiloop.platform.errors import NotFoundError
from fermiloop.platform.store import labels, methods
from fermiloop.schemas.method import Method


def test_a_repeat_keeps_the_first_code_versions(method):
    assert methods.save("gpaw", "PBE", {"cutoff": 400}, {"gpaw": "27.0"}) == method
    assert methods.get(method).code_versions == {"gpaw": "26.7"}
    assert methods.get(method).settings == {"cutoff": 400}


def test_writers_at_the_same_time_write_one(database):
    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(lambda _: methods.save("gpaw", "PBE", {"cutoff": 500}, {}), range(16)))
    assert len(ids) == Method.objects.count() == 1


def test_those_of_an_engine(method, other_method):
    second = methods.save("gpaw", "PBE", {"cutoff": 500}, {})
    assert [m.id for m in methods.of_engine("gpaw")] == sorted([method, second])
    assert [m.id for m in methods.of_engine("chgnet")] == [other_method]
    assert methods.of_engine("analytic") == []


def test_what_is_not_there(database):
    with pytest.raises(NotFoundError, match="method-none"):
        methods.get("method-none")


def test_labels_of_an_engine_are_a_source_and_those_of_most_labels_come_first(method, database):
    second = methods.save("gpaw", "PBE", {"cutoff": 500}, {})
    for number in range(2):
        labels.save(f"m-{number}", "band_gap", 1.0, method=second)
    labels.save("m-9", "band_gap", 1.0, method=method)
    assert methods.of_source("gpaw").id == second
    with pytest.raises(NotFoundError, match="no labels that vasp computed; load some: fermiloop db load seed"):
        methods.of_source("vasp")
