"""Indexes: the table is what the database has, however often it is asked for."""

from __future__ import annotations

import pytest

from fermiloop.db_init import indexes
from fermiloop.platform.store import connection
from fermiloop.schemas.base import BaseDocument
from fermiloop.schemas.calculation import Calculation
from fermiloop.schemas.campaign import Campaign, Round
from fermiloop.schemas.candidate import Candidate
from fermiloop.schemas.checkpoint import Checkpoint
from fermiloop.schemas.label import Label
from fermiloop.schemas.material import Material
from fermiloop.schemas.method import Method
from fermiloop.schemas.optimade_entry import OptimadeEntry
from fermiloop.schemas.quarantine import Quarantine
from fermiloop.schemas.schedule import Schedule, ScheduleRun
from fermiloop.schemas.setting import Setting
from fermiloop.schemas.snapshot import Snapshot, SnapshotPage
from fermiloop.schemas.spectrum import Spectrum
from fermiloop.schemas.token import Token

DOCUMENTS = (
    Calculation, Campaign, Candidate, Checkpoint, Label, Material, Method, Quarantine, Round, Snapshot, SnapshotPage,
    Spectrum, OptimadeEntry, Schedule, ScheduleRun, Setting, Token,
)  # fmt: skip


def test_create_makes_all_and_then_none(database: str) -> None:
    there = connection.database()
    wanted = sum(len(keys) for keys in indexes.INDEXES.values())
    assert len(indexes.missing(there)) == wanted
    assert indexes.create(there) == wanted
    assert indexes.missing(there) == []
    assert indexes.create(there) == 0


def test_one_that_was_dropped_comes_back_alone(database: str) -> None:
    there = connection.database()
    indexes.create(there)
    there["labels"].drop_index([("calculation", 1)])
    assert indexes.missing(there) == [("labels", (("calculation", 1),))]
    assert indexes.create(there) == 1


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_indexed_field_is_a_field(document: type[BaseDocument]) -> None:
    fields = {field.partition(".")[0] for keys in indexes.INDEXES[document._meta["collection"]] for field, _ in keys}
    assert fields <= set(document._fields)


def test_every_collection_of_the_table_has_a_document() -> None:
    assert set(indexes.INDEXES) == {document._meta["collection"] for document in DOCUMENTS}
