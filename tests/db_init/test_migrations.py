"""Migrations: forward on a populated database, once, and what a dry run promises."""

from __future__ import annotations

from typing import Any

import pytest
from pymongo import MongoClient

from fermiloop.db_init import setup
from fermiloop.db_init.migrations import runner
from fermiloop.platform.errors import DatabaseError
from fermiloop.platform.store import connection, materials


def contents() -> dict[str, Any]:
    database = connection.database()
    names = sorted(database.list_collection_names())
    return {name: (list(database[name].find().sort("_id", 1)), database[name].index_information()) for name in names}


@pytest.fixture
def old(populated: str) -> None:
    """A database written before lower-case formulas were kept."""
    changed = connection.database()["materials"].update_many({}, {"$unset": {"formula_lower": 1}})
    assert changed.modified_count == 2


@pytest.mark.usefixtures("old")
def test_a_dry_run_tells_what_is_done_and_changes_nothing() -> None:
    before = contents()
    promised = setup.migrate(dry_run=True)
    assert contents() == before
    assert "1 indexes and lower-case formulas: formula_lower on 2 materials" in promised
    assert setup.migrate() == promised
    assert setup.migrate(dry_run=True) == setup.migrate() == []


@pytest.mark.usefixtures("old")
def test_forward_on_a_populated_database() -> None:
    setup.init()
    database = connection.database()
    assert runner.version(database) == connection.SCHEMA_VERSION
    assert sorted(m.formula_lower for m in materials.find(materials.MaterialQuery())) == ["al", "ni"]
    applied = database["schema_version"].find_one({"_id": "schema"})["applied"]
    assert [one["version"] for one in applied] == sorted(runner.MIGRATIONS)
    assert setup.init() == []


def test_migrations_are_numbered_without_gaps_up_to_the_version() -> None:
    assert max(runner.MIGRATIONS) == connection.SCHEMA_VERSION


def test_init_mends_a_lost_index(database: str) -> None:
    setup.init()
    connection.database()["materials"].drop_index([("formula", 1)])
    steps: list[float] = []
    assert setup.init(lambda _, fraction: steps.append(fraction)) == ["1 indexes made again"]
    assert steps == [0.5, 1.0]


def test_a_newer_database_is_left_alone(database: str, server_uri: str) -> None:
    connection.database()["schema_version"].insert_one({"_id": "schema", "version": 99})
    with pytest.raises(DatabaseError, match="upgrade fermiloop"):
        runner.run()
    with MongoClient(server_uri) as client:
        assert client[database].list_collection_names() == ["schema_version"]
